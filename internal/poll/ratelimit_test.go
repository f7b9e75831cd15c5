package poll

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// 600 Running PBXs at 50 requests per minute: the list alone takes 12 of them every minute, and polling every PBX every 5
// minutes would take 120 more. The list keeps its interval, no request exceeds the limit, 80 % of it is used, and the sweep reports
// how long it takes.
func TestListKeepsItsIntervalBesideSweeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const minutes = 26
		b := newBench(t)
		ycm := b.simulate(t, ycmtest.Options{
			PBXs: 600, Seed: 1, RateLimit: &ycmtest.RateLimit{Burst: 50, Rate: 50, Interval: time.Minute}, Latency: 80 * time.Millisecond,
		}, listAnd(func(c plan) {
			pbxAPI(c)
			c["firmware"] = every(time.Hour, 3*time.Hour)
		}))
		ycm.UpdateAll(running)
		ids := ycm.IDs()
		for _, id := range ids[100:106] {
			ycm.Update(id, func(p *ycmtest.PBX) { p.Delay = time.Hour })
		}
		b.limit(ycm, 50, time.Minute)
		began := time.Now()
		stop := start(b.Account)
		after(8 * time.Minute)
		early := len(b.up())
		after((minutes - 8) * time.Minute)
		served := len(b.up())
		stop()

		// The first walk reads page 1 twice.
		walks := slices.DeleteFunc(walksOf(ycm), func(w walk) bool { return w.began.Sub(began) < 2*time.Minute })
		var longest, slowest time.Duration
		for i := range walks[1:] {
			longest = max(longest, walks[i+1].began.Sub(walks[i].began))
		}
		for _, w := range walks[:len(walks)-1] {
			slowest = max(slowest, w.ended.Sub(w.began))
			if w.pages != 12 {
				t.Errorf("the walk %v after the start took %d requests, want one for each of the 12 pages", w.began.Sub(began), w.pages)
			}
		}
		if len(walks) < minutes-3 || longest > 62*time.Second || slowest > 55*time.Second {
			t.Errorf("in %d minutes the list was walked %d times, with up to %v from start to start and %v a walk; want each minute", minutes, len(walks), longest, slowest)
		}
		stats := ycm.Stats()
		if stats.Refused != 0 {
			t.Errorf("%d requests exceeded the rate limit", stats.Refused)
		}
		perMinute := float64(stats.Admitted) / minutes
		if perMinute < 36 || perMinute > 41 {
			t.Errorf("%.1f requests per minute were sent of 50, want the 40 that sweeps may use together with walks", perMinute)
		}
		polled := polledAt(ycm, "system/information")
		if len(polled) != 600 || served != 600 {
			t.Errorf("in %d minutes %d PBXs were polled and %d are served, want all 600", minutes, len(polled), served)
		}
		if early < 150 || early > 240 {
			t.Errorf("after 8 minutes of a sweep of 22, %d PBXs are served, want what is known so far", early)
		}
		lines := b.journal.with("level=warn", "exceed the rate limit")
		sweep := value(t, b.registry, `ycm_collector_sweep_duration_seconds{account="main",collector="pbx_api"}`)
		seconds, err := strconv.ParseFloat(sweep, 64)
		if err != nil || seconds < 19*60 || seconds > 25*60 || len(lines) != 1 {
			t.Errorf("the metric of the sweep is %q s, and %d lines of the log say that the rate limit is too low; want about 1320 and one", sweep, len(lines))
		}
	})
}

// walk is one walk of the list as YCM saw it.
type walk struct {
	began, ended time.Time
	pages        int
}

// walksOf cuts the requests for the list into walks, each of which begins with page 1.
func walksOf(ycm *ycmtest.Server) (walks []walk) {
	for _, r := range ycm.Requests() {
		if r.Endpoint != ycmtest.CloudPBXList {
			continue
		}
		if strings.Contains("&"+r.Query+"&", "&pageNumber=1&") {
			walks = append(walks, walk{began: r.Time})
		}
		if len(walks) > 0 {
			w := &walks[len(walks)-1]
			w.ended = r.Time
			w.pages++
		}
	}
	return walks
}

// Where the walks could use the whole rate limit, PBXs still get 10 % of it.
func TestSweepIsNotStarvedByWalks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ycm := b.fleetOf(t, 90, listAnd(pbxAPI))
		b.limit(ycm, 12, time.Minute) // 2 of them for the list
		defer start(b.Account)()
		after(30 * time.Minute)
		if got := len(b.up()); got != 90 {
			t.Fatalf("%d PBXs are served, want 90", got)
		}
		for range 600 {
			ycm.Add(running) // Now it takes 14 requests to read the list.
		}
		before := ycm.Count(ycmtest.Proxy)
		after(time.Hour)
		if polled := ycm.Count(ycmtest.Proxy) - before; polled < 60 || polled > 80 {
			t.Errorf("%d PBXs were polled in an hour of 720 requests that walks could all have used, want 10 %% of that", polled)
		}
	})
}
