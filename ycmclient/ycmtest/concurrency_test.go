package ycmtest

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// Readers, changes, faults and looks into the log may all come at once. The race detector is the judge; the counts
// prove that everything was done.
func TestConcurrentUse(t *testing.T) {
	r := dial(t, Options{PBXs: 300, Live: true, RateLimit: &RateLimit{Burst: 10_000, Rate: 1}, Users: 5})
	const turns = 20
	request := func(method, path string) {
		response, err := r.try(method, path, "", "{}")
		if err == nil {
			response.Body.Close()
		} else if !strings.HasPrefix(path, "/pbx/") { // A PBX that has just been stopped resets the connection.
			t.Error(err)
		}
	}
	get := func(path string) { request(http.MethodGet, "/dm/open_api/"+path) }
	var done sync.WaitGroup
	for worker, work := range []func(turn int){
		func(turn int) { get(fmt.Sprintf("v2/cloud_pbx/instances?pageSize=50&pageNumber=%d", 1+turn%7)) },
		func(int) { get("v2/cloud_pbx/instances?search=dental") },
		func(int) { get("v1/subscription"); get("v2/users") },
		func(int) { request(http.MethodPost, "/dm/open_api/oauth/token") },
		func(int) {
			r.Delete(r.IDs()[0])
			r.Add(nil)
			r.Add(func(p *PBX) { p.Raw = map[string]string{"group": "null"} })
			r.SetStatus(r.IDs()[0], Stopped)
		},
		func(int) { r.UpdateAll(healthy); r.PBXs() },
		func(int) {
			for _, p := range r.PBXs()[:3] {
				get("v1/cloud_pbx/" + p.SN + "/openapi/v1.0/trunk/list")
				request(http.MethodPost, "/pbx/"+p.URL+"/openapi/v1.0/get_token")
			}
		},
		func(int) {
			fault := r.Inject(Fault{Effect: Slow(time.Millisecond), Times: 3})
			fault.Hits()
			r.Stats()
			r.Requests()
			r.SetShape(Shape{Body: ErrNo})
			fault.Remove()
		},
	} {
		done.Go(func() {
			for turn := range turns {
				work(turn + worker)
			}
		})
	}
	done.Wait()
	if lists := r.Count(CloudPBXList); lists != 2*turns {
		t.Errorf("%d pages were requested, want %d", lists, 2*turns)
	}
	if size := r.Len(); size != 300+turns {
		t.Errorf("there are %d PBXs, want %d", size, 300+turns)
	}
}
