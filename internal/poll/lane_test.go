package poll

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// A PBX without a serial number is not requested, so it is no sign that YCM forwards requests to the others.
func TestPBXsWithoutASerialNumberDoNotHideThatYCMRefuses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ycm := b.fleetOf(t, 40, listAnd(pbxAPI))
		for i, id := range ycm.IDs() {
			if i%4 == 0 {
				ycm.Update(id, func(p *ycmtest.PBX) { p.Raw = map[string]string{"sn": "null"} })
			}
		}
		ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.Proxy, Effect: ycmtest.Status(http.StatusForbidden)})
		defer start(b.Account)()
		after(15*time.Minute + 5*time.Second)
		// Five refusals end a sweep. Requests that were under way at that time may add a few.
		if got := ycm.Count(ycmtest.Proxy); got < 10 || got > 20 {
			t.Errorf("YCM was sent %d requests in three intervals although it refused all, want 5 in each", got)
		}
		if got := value(t, b.registry, `ycm_collector_success{account="main",collector="pbx_api"}`); got != "0" {
			t.Errorf("the collector's success is %q while YCM refuses every request, want 0", got)
		}
	})
}

// A lane rests when YCM refuses: for a minute at most, or for an interval where permission is missing, which a minute does not
// change. After it the PBXs that were refused come first, so that they do not wait for another sweep.
func TestPBXsThatWereRefusedArePolledFirstAfterTheRest(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status   int
		rest     time.Duration
		requests int // During the fault of 5 minutes.
	}{
		"no connection": {0, time.Minute, 25},
		"denied":        {http.StatusForbidden, 30 * time.Minute, 5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				ycm := b.fleetOf(t, 300, listAnd(func(p plan) { p["pbx_api"] = every(30*time.Minute, 2*time.Hour) }))
				effect := ycmtest.Reset()
				if c.status != 0 {
					effect = ycmtest.Status(c.status)
				}
				fault := ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.Proxy, Effect: effect})
				defer start(b.Account)()
				after(5 * time.Minute)
				if got := ycm.Count(ycmtest.Proxy); got < c.requests-5 || got > c.requests+5 {
					t.Errorf("YCM was sent %d requests in 5 minutes although it refused all, want about %d", got, c.requests)
				}
				refused := ycm.Requests()
				fault.Remove()
				after(c.rest + time.Minute)
				sn := map[string]bool{}
				for _, r := range refused {
					if r.Endpoint == ycmtest.Proxy {
						sn[r.Path] = true
					}
				}
				again := 0
				for _, r := range ycm.Requests()[len(refused):] {
					if sn[r.Path] {
						again++
					}
				}
				if again < len(sn) {
					t.Errorf("%d of the %d PBXs that were refused were polled after the rest, want all first", again, len(sn))
				}
			})
		})
	}
}

// A sweep that PBXs have held up does not make up for the time with a burst.
func TestDelayedSweepContinuesAtItsPace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ycm := b.fleetOf(t, 100, listAnd(pbxAPI)) // One every 2.7 s.
		ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.Proxy, Times: 40, Effect: ycmtest.Hang()})
		defer start(b.Account)()
		after(6 * time.Minute)
		var sent []time.Time
		for _, r := range ycm.Requests() {
			if r.Endpoint == ycmtest.Proxy {
				sent = append(sent, r.Time)
			}
		}
		if len(sent) < 80 {
			t.Fatalf("%d PBXs were polled, want most", len(sent))
		}
		for i := 41; i+4 < len(sent); i++ {
			if within := sent[i+4].Sub(sent[i]); within < 5*time.Second {
				t.Fatalf("after a delay by 40 PBXs that hang, 5 were polled within %v, want one every 2.7 s", within)
			}
		}
	})
}
