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

// 2,000 Running PBXs at 100 requests per minute: the list alone takes 40 of them every minute, and polling every PBX every 5
// minutes would take 400 more. The list keeps its interval, no request exceeds the limit, 80 % of it is used, and the sweep reports
// how long it takes.
func TestListKeepsItsIntervalBesideSweeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const minutes = 62
		b := newBench(t)
		ycm := b.simulate(t, ycmtest.Options{
			PBXs: 2000, Seed: 1, RateLimit: &ycmtest.RateLimit{Burst: 100, Rate: 100, Interval: time.Minute}, Latency: 80 * time.Millisecond,
		}, listAnd(func(c plan) {
			pbxAPI(c)
			c["firmware"] = every(time.Hour, 3*time.Hour)
		}))
		ycm.UpdateAll(running)
		ids := ycm.IDs()
		for _, id := range ids[100:120] {
			ycm.Update(id, func(p *ycmtest.PBX) { p.Delay = time.Hour })
		}
		b.limit(ycm, 100, time.Minute)
		began := time.Now()
		stop := start(b.Account)
		after(20 * time.Minute)
		early := len(b.up())
		after((minutes - 20) * time.Minute)
		told := len(b.up())
		stop()

		// The first walk reads page 1 twice.
		walks := slices.DeleteFunc(walksOf(ycm), func(w walk) bool { return w.began.Sub(began) < 2*time.Minute })
		var longest, slowest time.Duration
		for i := range walks[1:] {
			longest = max(longest, walks[i+1].began.Sub(walks[i].began))
		}
		for _, w := range walks[:len(walks)-1] {
			slowest = max(slowest, w.ended.Sub(w.began))
			if w.pages != 40 {
				t.Errorf("the walk %v after the start took %d requests, want one for each of the 40 pages", w.began.Sub(began), w.pages)
			}
		}
		if len(walks) < minutes-3 || longest > 61*time.Second || slowest > 55*time.Second {
			t.Errorf("in %d minutes the list was walked %d times, with up to %v from start to start and %v a walk; want each minute", minutes, len(walks), longest, slowest)
		}
		stats := ycm.Stats()
		if stats.Refused != 0 {
			t.Errorf("%d requests exceeded the rate limit", stats.Refused)
		}
		perMinute := float64(stats.Admitted) / minutes
		if perMinute < 73 || perMinute > 81 {
			t.Errorf("%.1f requests a minute were made of 100, want the 80 that sweeps may use together with walks", perMinute)
		}
		asked := askedAt(ycm, "system/information")
		var first []time.Duration
		var again int
		for _, times := range asked {
			first = append(first, times[0].Sub(began))
			if len(times) > 1 {
				again++
			}
		}
		slices.Sort(first)
		if len(asked) != 2000 || told != 2000 {
			t.Errorf("in %d minutes %d PBXs were asked and %d are told of, want all 2000", minutes, len(asked), told)
		}
		if early < 550 || early > 800 {
			t.Errorf("after 20 minutes of a sweep of 55, %d PBXs are told of, want what was learned so far", early)
		}
		lines := b.journal.with("level=warn", "collector=pbx_api", "exceeds its interval")
		round := value(t, b.registry, `ycm_collector_sweep_duration_seconds{account="main",collector="pbx_api"}`)
		seconds, err := strconv.ParseFloat(round, 64)
		if err != nil || seconds < 50*60 || seconds > 60*60 || len(lines) != 1 {
			t.Errorf("the metric of the sweep is %q s, and %d lines of the log say that it is slow; want about 3300 and one", round, len(lines))
		}
		t.Logf("list: %d walks in %d min, %v from start to start at most, %v a walk at most", len(walks), minutes, longest, slowest)
		t.Logf("requests: %d admitted (%.1f a minute of 100), %d refused, at most %d within a minute", stats.Admitted, perMinute, stats.Refused, ycm.MostWithin(time.Minute))
		t.Logf("PBXs: the first sweep took %v by the simulator's log, %s s by the metric; %d of 2000 were asked a second time", first[len(first)-1]-first[0], round, again)
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
			t.Fatalf("%d PBXs are told of, want 90", got)
		}
		for range 600 {
			ycm.Add(running) // Now it takes 14 requests to read the list.
		}
		before := ycm.Count(ycmtest.Proxy)
		after(time.Hour)
		if asked := ycm.Count(ycmtest.Proxy) - before; asked < 60 || asked > 80 {
			t.Errorf("%d PBXs were asked in an hour of 720 requests that walks could all have used, want 10 %% of that", asked)
		}
	})
}
