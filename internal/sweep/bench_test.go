package sweep

import (
	"net/url"
	"testing"
	"time"

	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// Finding whom to ask next is quick, also where few of many PBXs run.
func BenchmarkNext(b *testing.B) {
	list := &ycmclient.List{}
	for i := range 100_000 {
		p := ycmclient.CloudPBX{ID: int64(i + 1), Status: ycmclient.Stopped}
		if i%50 == 0 {
			p.Status = ycmclient.Running
		}
		list.PBXs = append(list.PBXs, p)
	}
	fleet := NewFleet("main", nil, []Direct{{URL: &url.URL{Scheme: "https", Host: "pbx.example.com"}}}, nil)
	targets := newTargets(list, fleet.direct)
	r := newRoute(false)
	for b.Loop() {
		t, _, ok := r.next(targets, time.Minute, func(Target) bool { return false })
		if !ok {
			b.Fatal("nobody is left to ask")
		}
		r.leave(t, 0)
		r.flying = 0
	}
}
