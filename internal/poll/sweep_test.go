package poll

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ycm-exporter/ycm_exporter/collector"
	"github.com/ycm-exporter/ycm_exporter/internal/exposition"
	"github.com/ycm-exporter/ycm_exporter/internal/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/internal/sweep"
	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// Every PBX is polled once per interval, and their turns are spread over it: never a burst.
func TestSweepIsSpreadOverTheInterval(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ycm := b.fleetOf(t, 100, listAnd(pbxAPI))
		defer start(b.Account)()
		after(time.Minute)
		if got := value(t, b.registry, `ycm_collector_sweep_duration_seconds{account="main",collector="pbx_api"}`); got != "" {
			t.Errorf("before the first complete sweep, its duration is %q", got)
		}
		after(19*time.Minute + 5*time.Second)
		polled := polledAt(ycm, "system/information")
		if len(polled) != 100 {
			t.Fatalf("%d PBXs were polled, want 100", len(polled))
		}
		var all []time.Time
		for sn, times := range polled {
			for i, at := range times[1:] {
				if gap := at.Sub(times[i]); gap < 299*time.Second || gap > 301*time.Second {
					t.Fatalf("PBX %s was polled %v after the time before, want 5m0s", sn, gap)
				}
			}
			if len(times) < 4 {
				t.Errorf("PBX %s was polled %d times in 20 minutes, want 4", sn, len(times))
			}
			all = append(all, times...)
		}
		for _, from := range all {
			n := 0
			for _, at := range all {
				if d := at.Sub(from); d >= 0 && d < 30*time.Second {
					n++
				}
			}
			if n > 13 { // 100 in 300 s, of which the last tenth is kept for answers
				t.Fatalf("%d PBXs were polled within 30 s, want about 10", n)
			}
		}
		if got := len(b.up()); got != 100 {
			t.Errorf("%d PBXs are served, want 100", got)
		}
		if got := value(t, b.registry, `ycm_collector_sweep_duration_seconds{account="main",collector="pbx_api"}`); got < "26" || got > "30" || len(got) < 3 {
			t.Errorf("a sweep took %q s, want a bit less than 300", got)
		}
	})
}

// A sweep may last an hour; what it learns is served within the publish interval all the same.
func TestResultsDoNotWaitForTheSweep(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.fleetOf(t, 60, listAnd(func(c plan) { c["pbx_api"] = every(time.Hour, 3*time.Hour) }))
		defer start(b.Account)()
		for minute := range 54 {
			after(time.Minute)
			// The 60 PBXs have their turns within 54 minutes.
			if got := len(b.up()); got < minute*60/54 || got > (minute+2)*60/54+1 {
				t.Fatalf("after %d minutes of an hour's sweep of 60 PBXs %d are served", minute+1, got)
			}
		}
		after(5 * time.Minute)
		if got := len(b.up()); got != 60 {
			t.Errorf("at the end of the sweep %d PBXs are served, want 60", got)
		}
	})
}

// A PBX that does not answer costs one time-out an interval, and the others do not wait for it.
func TestSilentPBXHoldsUpNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ycm := b.fleetOf(t, 40, listAnd(pbxAPI))
		silent := map[string]bool{}
		for _, id := range ycm.IDs()[10:16] {
			ycm.Update(id, func(p *ycmtest.PBX) {
				p.Delay = time.Hour
				silent[p.SN] = true
			})
		}
		defer start(b.Account)()
		after(15*time.Minute + 5*time.Second)
		for sn, times := range polledAt(ycm, "system/information") {
			if len(times) < 3 || len(times) > 4 {
				t.Errorf("PBX %s (silent: %v) was polled %d times in 15 minutes, want every 5 minutes", sn, silent[sn], len(times))
			}
			for i, at := range times[1:] {
				if gap := at.Sub(times[i]); gap < 299*time.Second || gap > 301*time.Second {
					t.Errorf("PBX %s was polled %v after the time before, want 5m0s", sn, gap)
				}
			}
		}
		up, down := 0, 0
		for _, v := range b.up() {
			if v == 1 {
				up++
			} else {
				down++
			}
		}
		if up != 34 || down != 6 {
			t.Errorf("%d PBXs are up and %d down, want 34 and 6", up, down)
		}
	})
}

// What a PBX reported goes when YCM reports that it no longer runs, when it is deleted, and when it is too old.
func TestResultsGoWithTheirPBX(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ycm := b.fleetOf(t, 4, listAnd(func(c plan) { c["trunks"] = every(5*time.Minute, 12*time.Minute) }))
		defer start(b.Account)()
		ids := ycm.IDs()
		shown := func() string {
			served := b.values("trunks", "ycm_cloud_pbx_trunks_truncated", "cloud_pbx_id")
			var digits strings.Builder
			for i, id := range ids {
				if _, ok := served[fmt.Sprint(id)]; ok {
					fmt.Fprint(&digits, i)
				}
			}
			return digits.String()
		}
		after(5 * time.Minute)
		if got := shown(); got != "0123" {
			t.Fatalf("trunks of the PBXs %s are served, want 0123", got)
		}
		ycm.SetStatus(ids[0], ycmtest.Stopped)
		ycm.Delete(ids[1])
		ycm.Update(ids[2], func(p *ycmtest.PBX) { p.APIError = 10005 })
		after(2 * time.Minute)
		if got := shown(); got != "23" {
			t.Errorf("after one stopped and one was deleted, trunks of %s are served, want 23", got)
		}
		after(5 * time.Minute)
		if got := shown(); got != "23" {
			t.Errorf("7 minutes after its last answer the trunks of PBX 2 are served no longer; 12 minutes were configured: %s", got)
		}
		after(8 * time.Minute)
		if got := shown(); got != "3" {
			t.Errorf("15 minutes after PBX 2 last reported its trunks, those of %s are served, want 3", got)
		}
		ycm.SetStatus(ids[0], ycmtest.Running)
		after(6 * time.Minute)
		if got := shown(); got != "03" {
			t.Errorf("after a PBX was started again, trunks of %s are served, want 03", got)
		}
	})
}

// A new PBX and a new name are served as soon as the list has them and the PBX had its turn.
func TestSnapshotsHaveTheNamesOfTheLastList(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ycm := b.fleetOf(t, 3, listAnd(pbxAPI))
		defer start(b.Account)()
		after(5 * time.Minute)
		ycm.Update(ycm.IDs()[0], func(p *ycmtest.PBX) { p.Name = "Renamed" })
		added := ycm.Add(func(p *ycmtest.PBX) { running(p); p.Name = "New" })
		after(6 * time.Minute)
		names := b.values("pbx_api", "ycm_cloud_pbx_api_up", "name")
		if len(names) != 4 || names["Renamed"] != 1 || names["New"] != 1 {
			t.Errorf("served: %v, want 4 PBXs, Renamed and New (id %d) among them", names, added.ID)
		}
		if got, want := len(b.values("pbx_api", "ycm_cloud_pbx_api_up", "cloud_pbx_id")), 4; got != want {
			t.Errorf("%d ids are served, want %d", got, want)
		}
	})
}

// A reload that changes collectors must not make series go until the next sweep has come to their PBX.
func TestReloadKeepsResultsOfPBXs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.fleetOf(t, 30, listAnd(func(c plan) {
			pbxAPI(c)
			c["autoprovisioning"] = every(time.Hour, 3*time.Hour)
		}))
		stop := start(b.Account)
		after(5 * time.Minute)
		stop()

		b.reload(b.plan.with("pbx_api", every(10*time.Minute, 30*time.Minute)).
			with("autoprovisioning", b.plan["autoprovisioning"].with("depth: full")))
		defer start(b.Account)()
		after(25 * time.Second)
		if got := len(b.up()); got != 30 {
			t.Errorf("soon after the reload %d PBXs are served, want 30", got)
		}
		if b.sampled("autoprovisioning", "ycm_autoprovisioning_phone_models") == 0 {
			t.Error("what was known of phones is lost")
		}
		after(10 * time.Minute)
		if b.sampled("autoprovisioning", "ycm_autoprovisioning_phone_model_info") == 0 {
			t.Error("10 minutes later the catalogue is not read to its new depth")
		}
	})
}

// querying is a collector for tests of sweeps: its results are not shown.
type querying struct {
	fake
	*sweep.Sweep[int]
}

func (a querying) Poll(ctx context.Context, progress func(done, total int)) (exposition.Source, error) {
	_, err := a.Run(ctx, progress)
	return nothing(), err
}

// A panic while a PBX is polled is a failed poll like any other, and the sweep continues.
func TestPanicOfARequestIsAFailedPoll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.fleetOf(t, 5, listOnly())
		polled := 0
		b.options.Collectors = append(b.options.Collectors, collector.Configured{
			Schedule: every(5*time.Minute, time.Hour).Schedule,
			Collector: collector.Collector{
				Name: "querying", QueriesPBXs: true,
				New: func(a collector.Account) collector.Poller {
					o := sweep.Options{Fleet: a.Fleet, Interval: a.Schedule.Interval, StaleAfter: time.Hour, Queried: a.Queried}
					return querying{Sweep: sweep.New(o, func(context.Context, *pbxclient.Client) (int, error) {
						if polled++; polled == 2 {
							panic("no such trunk")
						}
						return 0, nil
					})}
				},
			},
		})
		b.Account = NewAccount(b.options)
		defer start(b.Account)()
		after(5 * time.Minute)
		if lines := b.journal.with("level=error", "Collector panicked", "no such trunk", "sweep_test.go"); len(lines) != 1 {
			t.Errorf("the log reports %d times the panic with its stack, want once", len(lines))
		}
		if polled != 5 {
			t.Errorf("%d PBXs were polled, want all 5 although the request of one panicked", polled)
		}
	})
}

// --once does not spread its requests, and reports how far it is.
func TestOncePollsEveryPBXAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ycm := b.fleetOf(t, 200, listAnd(func(c plan) { pbxAPI(c); c["trunks"] = every(time.Hour, 3*time.Hour) }))
		ycm.Update(ycm.IDs()[7], func(p *ycmtest.PBX) { p.Delay = time.Hour })
		began := time.Now()
		last := map[string][2]int{}
		if err := b.Once(t.Context(), func(collector string, done, total int) { last[collector] = [2]int{done, total} }); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > 62*time.Second {
			t.Errorf("it took %v, want a time-out for each of the two collectors at most", took)
		}
		want := map[string][2]int{"cloud_pbx": {200, 200}, "pbx_api": {200, 200}, "trunks": {200, 200}}
		if diff := cmp.Diff(want, last); diff != "" {
			t.Errorf("the progress at the end (-want +got):\n%s", diff)
		}
		if up := b.up(); len(up) != 200 || up[fmt.Sprint(ycm.IDs()[7])] != 0 {
			t.Errorf("%d PBXs are served, want 200, with the silent one down", len(up))
		}
		b.once(t)
		if got := ycm.Count(ycmtest.Proxy); got < 800 {
			t.Errorf("a second time %d PBXs were polled, want every one again", got-400)
		}
	})
}

// When YCM fails in the midst of --once, that is its error, and what was learned is printed.
func TestOnceEndsWhenYCMFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ycm := b.fleetOf(t, 50, listAnd(pbxAPI))
		ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.Proxy, Skip: 20, Effect: ycmtest.Status(http.StatusForbidden)})
		err := b.Once(t.Context(), nil)
		if err == nil || !strings.Contains(err.Error(), "collector pbx_api") {
			t.Errorf("the error is %v, want one of pbx_api", err)
		}
		// Answers to the first 20 may come after refusals of later requests, so those may be counted again once.
		if got := ycm.Count(ycmtest.Proxy); got > 44 {
			t.Errorf("%d requests were made, want an end soon after YCM began to refuse the 21st", got)
		}
		if got := len(b.up()); got != 20 {
			t.Errorf("%d PBXs are served, want the 20 that answered", got)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := b.Once(ctx, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("with a context that has ended, the error is %v", err)
		}
	})
}
