package poll

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ycm-exporter/ycm_exporter/internal/exposition"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// to matches the requests through YCM to one PBX.
func to(p ycmtest.PBX) func(*http.Request) bool {
	return func(r *http.Request) bool { return strings.Contains(r.URL.Path, "/"+p.SN+"/") }
}

// What counts as up is an answer of the PBX itself, whatever it says; a page of a gateway is none. Whom YCM does not
// request has no sample.
func TestUpIsAnAnswerOfThePBXItself(t *testing.T) {
	t.Parallel()
	const none = -1
	answers := func(body string) ycmtest.Effect { return ycmtest.Answer(http.StatusOK, "application/json", body) }
	refuses := func(code int) func(*ycmtest.PBX) { return func(p *ycmtest.PBX) { p.APIError = code } }
	cases := []struct {
		name   string
		edit   func(*ycmtest.PBX)
		effect ycmtest.Effect
		up     float64
		uptime bool
	}{
		{"answers", nil, nil, 1, true},
		{"has firmware without the interface", refuses(10001), nil, 1, false},
		{"has its API off", refuses(10005), nil, 1, false},
		{"forbids the address", refuses(70087), nil, 1, false},
		{"has an internal error", refuses(-2), nil, 1, false},
		{"is silent", func(p *ycmtest.PBX) { p.Silent = true }, nil, 0, false},
		{"hangs", func(p *ycmtest.PBX) { p.Delay = time.Hour }, nil, 0, false},
		{"is stopped", func(p *ycmtest.PBX) { p.Status = ycmtest.Stopped }, nil, none, false},
		{"is not activated", func(p *ycmtest.PBX) { p.Activation = "Unactivated" }, nil, none, false},
		{"has no serial number", func(p *ycmtest.PBX) { p.Raw = map[string]string{"sn": "null"} }, nil, none, false},
		{"has a serial number that leads elsewhere", func(p *ycmtest.PBX) { p.Raw = map[string]string{"sn": `"../../x"`} }, nil, none, false},
		{"answers with a web page", nil, ycmtest.HTML(http.StatusOK), 0, false},
		{"answers without a word", nil, ycmtest.Empty(), 0, false},
		{"answers with half an answer, which may be the network's fault", nil, ycmtest.Malformed(), none, false},
		{"answers with 17 MiB", nil, ycmtest.Oversize(17 << 20), 0, false},
		{"answers without an errcode", nil, answers(`{"data":{"up_time":5}}`), 0, false},
		{"reports nothing", nil, answers(`{"errcode":0}`), 1, false},
		{"reports it in the wrong form", nil, answers(`{"errcode":0,"data":[[1],"x",7]}`), 1, false},
		{"reports an impossible time", nil, answers(`{"errcode":"0","data":{"up_time":-5}}`), 1, false},
		{"reports it as text", nil, answers(`{"errcode":"0","data":{"up_time":" 5 "}}`), 1, true},
	}
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ycm := b.fleetOf(t, len(cases), listAnd(pbxAPI))
		for i, id := range ycm.IDs() {
			p, _ := ycm.PBX(id)
			if cases[i].edit != nil {
				ycm.Update(id, cases[i].edit)
			}
			if cases[i].effect != nil {
				ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.Proxy, Match: to(p), Effect: cases[i].effect})
			}
		}
		defer start(b.Account)()
		after(6 * time.Minute)
		up, uptime := b.up(), b.values("pbx_api", "ycm_cloud_pbx_uptime_seconds", "cloud_pbx_id")
		for i, id := range ycm.IDs() {
			key := fmt.Sprint(id)
			got, served := up[key]
			if !served {
				got = none
			}
			if got != cases[i].up {
				t.Errorf("a PBX that %s is up: %v, want %v (%d: no sample)", cases[i].name, got, cases[i].up, none)
			}
			if _, served := uptime[key]; served != cases[i].uptime {
				t.Errorf("a PBX that %s exports its uptime: %v, want %v", cases[i].name, served, cases[i].uptime)
			}
		}
		if got := value(t, b.registry, `ycm_collector_success{account="main",collector="pbx_api"}`); got != "1" {
			t.Errorf("the collector's success is %q although YCM passed everything on, want 1", got)
		}
	})
}

// What goes wrong with YCM says nothing about its PBXs: what is known stays, what is not known does not become 0.
func TestTroubleOfYCMIsNotThePBXs(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		effect ycmtest.Effect
		class  yeastar.Class
	}{
		"rate limited":    {ycmtest.Failure(1000040, ycmtest.Shape{}), yeastar.RateLimited},
		"denied":          {ycmtest.Failure(1000042, ycmtest.Shape{}), yeastar.Denied},
		"token refused":   {ycmtest.Failure(1000036, ycmtest.Shape{}), yeastar.Auth},
		"connection lost": {ycmtest.Reset(), yeastar.Network},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				ycm := b.fleetOf(t, 20, listAnd(pbxAPI))
				defer start(b.Account)()
				after(6 * time.Minute)
				broken := ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.Proxy, Effect: c.effect})
				ycm.Add(running)
				after(8 * time.Minute)
				up := b.up()
				for id, v := range up {
					if v != 1 {
						t.Errorf("PBX %s is called down because of YCM's trouble", id)
					}
				}
				if len(up) != 20 {
					t.Errorf("%d PBXs are served 8 minutes after YCM's trouble began, want the 20 that were known", len(up))
				}
				result := value(t, b.registry, `ycm_collector_success{account="main",collector="pbx_api"}`)
				lines := b.journal.with("level=warn", "collector=pbx_api", "proxy: "+string(c.class))
				if result != "0" || len(lines) != 1 {
					t.Errorf("the collector's success is %q, and the log has %d lines about it; want 0 and one: %v", result, len(lines), lines)
				}
				if hits := broken.Hits(); hits > 100 {
					t.Errorf("YCM was sent %d requests in 8 minutes although it refused, want few", hits)
				}
				broken.Remove()
				after(16 * time.Minute)
				if got := len(b.up()); got != 21 {
					t.Errorf("%d PBXs are served when YCM works again, want 21", got)
				}
				if got := value(t, b.registry, `ycm_collector_success{account="main",collector="pbx_api"}`); got != "1" {
					t.Errorf("the collector's success is %q when YCM works again, want 1", got)
				}
			})
		})
	}
}

// A gateway that answers in YCM's stead, or YCM hanging, looks like a fleet of silent PBXs. Whether it is one is
// decided by the list: where that fails too, the PBXs are not called down.
func TestFleetIsNotCalledDownWhileYCMIs(t *testing.T) {
	t.Parallel()
	for name, effect := range map[string]ycmtest.Effect{
		"bad gateway": ycmtest.HTML(http.StatusBadGateway), "hanging": ycmtest.Hang(), "server error": ycmtest.Failure(1000001, ycmtest.Shape{}),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				ycm := b.fleetOf(t, 30, listAnd(pbxAPI))
				defer start(b.Account)()
				after(6 * time.Minute)
				ycm.Inject(ycmtest.Fault{Effect: effect})
				after(8 * time.Minute)
				for id, v := range b.up() {
					if v != 1 {
						t.Errorf("PBX %s is called down while YCM is", id)
					}
				}
				ycm.ClearFaults()
				ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.Proxy, Effect: effect})
				after(8 * time.Minute)
				down := 0
				for _, v := range b.up() {
					if v == 0 {
						down++
					}
				}
				if down != 30 {
					t.Errorf("%d PBXs are called down when YCM lists them but none answers, want all 30", down)
				}
			})
		})
	}
}

// Before there is a list, other collectors wait for it, and have not failed. When later lists fail, the last one counts.
func TestPBXsAreThoseOfTheLastList(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ycm := b.fleetOf(t, 5, listAnd(pbxAPI))
		noList := ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.CloudPBXList, Effect: ycmtest.Failure(1000012, ycmtest.Shape{})})
		defer start(b.Account)()
		after(4 * time.Minute)
		if got := ycm.Count(ycmtest.Proxy); got != 0 {
			t.Errorf("%d PBXs were polled before there was a list", got)
		}
		if s := b.Status().Collectors[1]; s.Name != "pbx_api" || !s.LastStart.IsZero() || s.Err != "" {
			t.Errorf("before there was a list the status of pbx_api is %+v, want that it waits", s)
		}
		if got := value(t, b.registry, `ycm_collector_success{account="main",collector="pbx_api"}`); got != "" {
			t.Errorf("before there was a list pbx_api's success is %s, want it absent", got)
		}
		noList.Remove()
		after(7 * time.Minute)
		if got := len(b.up()); got != 5 {
			t.Fatalf("%d PBXs are served, want 5", got)
		}
		ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.CloudPBXList, Effect: ycmtest.Failure(1000012, ycmtest.Shape{})})
		after(30 * time.Minute)
		if got := len(b.up()); got != 5 {
			t.Errorf("%d PBXs are served while the list fails, want the 5 of the last one, which still answer", got)
		}
	})
}

// A shard has its PBXs alone, and together the shards have them all.
func TestShardsShareThePBXs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.fleetOf(t, 50, listAnd(pbxAPI))
		b.once(t)
		source := b.shelf.serves("pbx_api")
		var parts int
		for i := range 3 {
			parts += len(samples(source, exposition.Shard{Index: i, Count: 3})["ycm_cloud_pbx_api_up"])
		}
		if diff := cmp.Diff(50, parts); diff != "" {
			t.Errorf("the shards together have (-want +got):\n%s", diff)
		}
	})
}
