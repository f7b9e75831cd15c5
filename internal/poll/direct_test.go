package poll

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// elsewhere is a PBX that no list of YCM has: one of another simulated YCM, which answers where the first has no PBX.
func elsewhere(t *testing.T, ycm *ycmtest.Server, host string) *ycmtest.Server {
	other := ycmtest.New(ycmtest.Options{PBXs: -1})
	t.Cleanup(other.Close)
	p := other.Add(running)
	ycm.Inject(ycmtest.Fault{
		Endpoint: ycmtest.PBXAPI,
		Match:    func(r *http.Request) bool { return strings.EqualFold(r.Host, host) },
		Effect: func(http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				r.Host = p.URL
				other.ServeHTTP(w, r)
			})
		},
	})
	return other
}

// doors counts what comes to PBXs with direct access.
type doors struct {
	mu    sync.Mutex
	calls map[string]int
}

func watchDoors(ycm *ycmtest.Server) *doors {
	d := &doors{calls: map[string]int{}}
	ycm.OnRequest(func(r *http.Request) {
		if path, found := strings.CutPrefix(r.URL.Path, "/openapi/v1.0/"); found {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.calls[strings.ToLower(r.Host)+" "+path]++
		}
	})
	return d
}

func (d *doors) count(host, path string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.calls[host+" "+path]
}

// identities is the identity labels of all PBXs that are served, and whether they are up.
func (b *bench) identities() map[string]float64 {
	return b.values("pbx_api", "ycm_cloud_pbx_api_up", "cloud_pbx_id", "name", "region")
}

// pbxAPIAndTrunks polls the state and the trunks of every PBX.
func pbxAPIAndTrunks(c plan) {
	pbxAPI(c)
	c["trunks"] = every(5*time.Minute, 15*time.Minute)
}

// A PBX with credentials of its own is known by its host: it has the list's labels if the list has it, and is polled
// directly alone, with one token that is given back at the end.
func TestDirectPBXIsMatchedByItsHost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ycm := b.fleetOf(t, 3, listAnd(pbxAPIAndTrunks))
		p := ycm.PBXs()[1]
		ycm.Update(p.ID, func(p *ycmtest.PBX) {
			p.Name, p.Region = "Harbour Dental", "Frankfurt"
			p.Raw = map[string]string{"url": `" https://` + strings.ToUpper(p.URL) + `/ "`}
		})
		elsewhere(t, ycm, "pbx.example.com")
		b.withDirect(t, ycm, "https://"+p.URL, "https://pbx.example.com", "https://pbx.example.com", "https://"+p.URL+":8088")
		doors := watchDoors(ycm)
		stop := start(b.Account)
		after(40 * time.Minute)
		served := b.identities()
		if served[fmt.Sprintf("%d Harbour Dental Frankfurt", p.ID)] != 1 || served[" pbx.example.com "] != 1 || len(served) != 4 {
			t.Errorf("served: %v; want 3 PBXs with the list's labels, and pbx.example.com with its host alone", served)
		}
		if got := len(polledAt(ycm, "system/information")); got != 2 {
			t.Errorf("%d PBXs were polled through YCM, want the 2 that are not with direct access", got)
		}
		stop()
		for _, host := range []string{p.URL, "pbx.example.com"} {
			if logins, revoked := doors.count(host, "get_token"), doors.count(host, "del_token"); logins != 2 || revoked != 1 {
				t.Errorf("%s saw %d logins and %d revoked tokens in 40 minutes, at a token life of 30; want 2, and the one that was alive", host, logins, revoked)
			}
			if got := doors.count(host, "system/information"); got != 8 {
				t.Errorf("%s was polled %d times for its state in 40 minutes, want 8", host, got)
			}
		}
	})
}

// Neither failures of YCM nor its rate limit concern PBXs with direct access.
func TestDirectPBXDoesNotNeedYCM(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ycm := b.fleetOf(t, 300, listAnd(pbxAPI))
		p := ycm.PBXs()[299]
		b.withDirect(t, ycm, "https://"+p.URL)
		b.limit(ycm, 12, time.Minute) // 6 of them for the list
		doors := watchDoors(ycm)
		defer start(b.Account)()
		after(30 * time.Minute)
		if got := doors.count(p.URL, "system/information"); got != 6 {
			t.Errorf("while a sweep through YCM takes 50 minutes, the PBX with direct access was polled %d times in 30, want 6", got)
		}
		ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.Proxy, Effect: ycmtest.Reset()})
		ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.CloudPBXList, Effect: ycmtest.Reset()})
		after(2 * time.Hour)
		if got := b.up(); len(got) != 1 || got[fmt.Sprint(p.ID)] != 1 {
			t.Errorf("after 2 hours without YCM these PBXs are served: %v, want the one with direct access", got)
		}
	})
}

// Without the list, an account still polls the PBXs with direct access.
func TestDirectPBXsAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		collectors := plan{"autoprovisioning": every(time.Hour, 3*time.Hour)}
		pbxAPIAndTrunks(collectors)
		ycm := b.fleetOf(t, 1, collectors)
		elsewhere(t, ycm, "pbx.example.com:8088").UpdateAll(func(p *ycmtest.PBX) { p.Version = "84.10.0.30" })
		b.withDirect(t, ycm, "https://"+ycm.PBXs()[0].URL, "https://pbx.example.com:8088")
		b.once(t)
		want := map[string]float64{}
		for _, host := range []string{"pbx.example.com:8088", ycm.PBXs()[0].URL} {
			want[" "+host+" "] = 1 // neither an id nor a region
		}
		if diff := cmp.Diff(want, b.identities()); diff != "" {
			t.Errorf("served (-want +got):\n%s", diff)
		}
		versions := b.values("autoprovisioning", "ycm_autoprovisioning_phone_vendors", "version")
		if len(versions) != 2 || versions["84.10.0.30"] == 0 || versions["84.19.0.22"] == 0 {
			t.Errorf("phones are known of the versions %v, want those that system/information reported: 84.10.0.30 and 84.19.0.22", versions)
		}
		if got := ycm.Count(ycmtest.Proxy) + ycm.Count(ycmtest.CloudPBXList); got != 0 {
			t.Errorf("YCM was sent %d requests", got)
		}
	})
}

// Wrong credentials of one PBX are said once, cost few logins, and leave the others alone.
func TestDirectPBXWithWrongCredentials(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ycm := b.fleetOf(t, 2, listAnd(pbxAPI))
		p := ycm.PBXs()[0]
		b.withDirect(t, ycm, "https://"+p.URL)
		ycm.Inject(ycmtest.Fault{
			Endpoint: ycmtest.PBXAPI, Match: func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "get_token") },
			Effect: ycmtest.Answer(http.StatusOK, "application/json", `{"errcode":-1,"errmsg":"FAILURE"}`),
		})
		defer start(b.Account)()
		doors := watchDoors(ycm)
		after(29 * time.Minute)
		if got := doors.count(p.URL, "get_token"); got > 5 {
			t.Errorf("%d logins with wrong credentials in 29 minutes, want at most 5", got)
		}
		lines := b.journal.with("level=warn", "PBX API request failed", fmt.Sprint(p.ID), "client secret")
		if len(lines) != 1 {
			t.Errorf("the log says %d times that the PBX refuses the credentials, want once:\n%s", len(lines), strings.Join(lines, "\n"))
		}
		if got := value(t, b.registry, `ycm_collector_success{account="main",collector="pbx_api"}`); got != "1" {
			t.Errorf("one PBX's credentials make the collector's success %q, want 1", got)
		}
	})
}

// Shutting down takes at most a few seconds, also when a PBX hangs, and no token of those that answer stays.
func TestShutdownGivesTokensBackInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ycm := b.fleetOf(t, 3, listAnd(pbxAPI))
		var urls []string
		for _, p := range ycm.PBXs() {
			urls = append(urls, "https://"+p.URL)
		}
		b.withDirect(t, ycm, urls...)
		doors := watchDoors(ycm)
		stop := start(b.Account)
		after(6 * time.Minute)
		hanging := ycm.PBXs()[0]
		ycm.Update(hanging.ID, func(p *ycmtest.PBX) { p.Delay = time.Hour })
		after(5 * time.Minute)
		began := time.Now()
		stop()
		if took := time.Since(began); took > closeLimit {
			t.Errorf("it took %v to end, want at most %v", took, closeLimit)
		}
		for _, p := range ycm.PBXs()[1:] {
			if got := doors.count(p.URL, "del_token"); got != 1 {
				t.Errorf("%s got %d tokens back, want its one", p.URL, got)
			}
		}
		if lines := b.journal.with("level=warn", "Failed to revoke PBX token", hanging.URL); len(lines) != 1 {
			t.Errorf("the log says %d times that a token stays, want once", len(lines))
		}
	})
}
