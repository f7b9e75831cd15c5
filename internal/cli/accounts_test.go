package cli

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// directAccess is the pbxs entry of an account for one of its PBXs.
func (y *ycm) directAccess() string {
	return fmt.Sprintf(`
    pbxs:
      - {url: %s/pbx/%s, client_id: demo-pbx-client-id, client_secret: demo-pbx-client-secret}`, y.url, y.PBXs()[0].URL)
}

// The HTTP headers of an account may hold a secret, which is YCM's alone: a PBX with direct access does not receive it.
func TestHeadersOfAnAccountAreSentToYCMAlone(t *testing.T) {
	t.Parallel()
	y := simulate(t, 5)
	y.configure(t, y.account("main")+`
    http_client: {http_headers: {X-Tenant-Key: {secrets: [k3y-of-ours]}}}`+y.directAccess(), "\ncollectors:\n  pbx_api: {enabled: true}")
	var requests [2][2]atomic.Int64 // of YCM and of the PBX; without the header and with it
	y.OnRequest(func(r *http.Request) {
		to, with := 0, 0
		if strings.HasPrefix(r.URL.Path, "/pbx/") {
			to = 1
		}
		if r.Header.Get("X-Tenant-Key") != "" {
			with = 1
		}
		requests[to][with].Add(1)
	})
	out := &output{}
	if code := Run(t.Context(), []string{"--once", "--config.file=" + y.configFile}, io.Discard, out); code != 0 {
		t.Errorf("--once ended with exit code %d:\n%s", code, out)
	}
	if without, with := requests[0][0].Load(), requests[0][1].Load(); without > 0 || with == 0 {
		t.Errorf("%d requests to YCM have the header and %d have not, want all", with, without)
	}
	if without, with := requests[1][0].Load(), requests[1][1].Load(); without == 0 || with > 0 {
		t.Errorf("%d requests to the PBX have YCM's header and %d have not, want none", with, without)
	}
}

// An account that a reload changed polls at once, as the change may be what makes it work. One that did not change waits for its turn,
// also when a collector is switched on.
func TestReloadPollsAChangedAccountAtOnce(t *testing.T) {
	t.Parallel()
	const hourly = "\ncollectors:\n  cloud_pbx: {interval: 1h}"
	y := simulate(t, 70)
	y.configure(t, y.account("main"), hourly)
	d := start(t, "--config.file="+y.configFile, "--web.enable-lifecycle")
	d.waitPolled("main")

	y.configure(t, y.account("main"), hourly, "\n  users: {enabled: true}")
	d.reload()
	d.waitFor("\nycm_user_info{account=\"main\"") // It starts after the list.
	y.wantRequests(t, "after a reload that did not change the account,", map[ycmtest.Endpoint]int{ycmtest.CloudPBXList: pagesOf70})

	y.configure(t, y.account("main")+"\n    timeout: 7s", hourly)
	d.reload()
	d.eventually("the changed account polls its list, which is due in an hour", func() bool { return y.Count(ycmtest.CloudPBXList) > pagesOf70 })
}

// The accounts that a reload replaces end concurrently: one whose PBX is slow to revoke its token does not delay the others.
func TestSlowAccountDoesNotDelayTheReloadOfOthers(t *testing.T) {
	t.Parallel()
	var accounts []string
	var slow [2]*ycm
	var revoking sync.WaitGroup // Each revocation is answered once both have begun.
	var alone atomic.Bool
	for i := range slow {
		y := simulate(t, 5)
		slow[i] = y
		accounts = append(accounts, y.account(fmt.Sprint("account-", i))+y.directAccess())
		revoking.Add(1)
		y.UpdateAll(func(p *ycmtest.PBX) {
			p.Status, p.Activation, p.APIError, p.Silent = ycmtest.Running, "Activated", 0, false
		})
		y.Inject(ycmtest.Fault{
			Endpoint: ycmtest.PBXAPI, Times: 1, Match: func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/del_token") },
			Effect: func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					revoking.Done()
					both := make(chan struct{})
					go func() {
						revoking.Wait()
						close(both)
					}()
					select {
					case <-both:
						next.ServeHTTP(w, r)
					case <-r.Context().Done():
						alone.Store(true)
					}
				})
			},
		})
	}
	third := simulate(t, 5)
	third.configure(t, append(accounts, "\ncollectors:\n  pbx_api: {enabled: true}")...)
	d := start(t, "--config.file="+third.configFile, "--web.enable-lifecycle")
	for _, y := range slow {
		d.eventually("the account has a token of its PBX", func() bool { return y.tokensLeft() == 1 })
	}
	third.configure(t, third.account("third"))
	d.reload()
	if alone.Load() {
		t.Error("one account gave up its end before the other one began to end")
	}
	for _, y := range slow {
		if y.tokensLeft() > 0 {
			t.Error("the token of a PBX was not revoked")
		}
	}
}
