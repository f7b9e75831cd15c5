package poll

import (
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ycm-exporter/ycm_exporter/collector"
	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// allByDefault enables every collector with its default interval.
func allByDefault() plan {
	p := plan{}
	for _, c := range collector.All() {
		p[c.Name] = every(c.Schedule.Interval, 24*time.Hour)
	}
	return p
}

// perMinute is the exported demand.
func (b *bench) perMinute(t *testing.T) float64 {
	t.Helper()
	perSecond, err := strconv.ParseFloat(value(t, b.registry, `ycm_api_demand_requests_per_second{account="main"}`), 64)
	if err != nil {
		t.Fatalf("the demand is not exported: %v", err)
	}
	return 60 * perSecond
}

// 300 PBXs with every collector need more than 80 % of 75 requests per minute: one line says so as soon as the list is known, and
// what to change, again only when it has become much more.
func TestDemandThatTheRateLimitDoesNotCarryIsLoggedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ycm := b.fleetOf(t, 300, allByDefault())
		ycm.UpdateAll(func(p *ycmtest.PBX) { p.UsedExtensions = 80 })
		b.limit(ycm, 75, time.Minute)
		end := startUntil(b.Account)
		defer func() { end(nil) }()
		if got := value(t, b.registry, `ycm_api_demand_requests_per_second{account="main"}`); got != "" {
			t.Errorf("before the first list the demand is %s, want it absent", got)
		}
		after(time.Minute)
		// 6 pages every minute, 300 PBXs three times in 15 minutes, once an hour and once in 6 hours, and a few more.
		if got := b.perMinute(t); got < 71 || got > 75 {
			t.Errorf("the demand is %.1f requests per minute, want about 72", got)
		}
		warnings := func() []string { return b.journal.with("level=warn", "account=main", "exceed the rate limit") }
		lines := warnings()
		if len(lines) != 1 {
			t.Fatalf("a minute after the start the log has %v, want one warning", lines)
		}
		for _, want := range []string{"demand_per_minute=7", "limit_per_minute=60", "increase the interval of collector ", " from 15m to 3", "rate_limit"} {
			if !strings.Contains(lines[0], want) {
				t.Errorf("the warning has no %q: %s", want, lines[0])
			}
		}
		after(20 * time.Minute)
		end = b.replace(end)
		after(10 * time.Minute)
		if lines := warnings(); len(lines) != 1 {
			t.Errorf("half an hour and a reload later the log has %v, want the same warning", lines)
		}
		for range 300 {
			ycm.Add(func(p *ycmtest.PBX) { running(p); p.UsedExtensions = 80 })
		}
		after(10 * time.Minute)
		lines = warnings()
		if len(lines) != 2 || !strings.Contains(lines[1], "demand_per_minute=14") {
			t.Errorf("with twice the PBXs the log has %v, want one more warning", lines)
		}
	})
}

// Every default fits: what is enabled by default, and the PBXs' own collectors for 200 PBXs.
func TestDefaultIntervalsFitTheDefaultRateLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ycm := b.fleetOf(t, 200, allByDefault())
		b.limit(ycm, 75, time.Minute)
		defer start(b.Account)()
		after(20 * time.Minute)
		if lines := b.journal.with("exceed the rate limit"); len(lines) != 0 {
			t.Errorf("the log warns: %v", lines)
		}
		if got := b.perMinute(t); got < 40 || got > 60 {
			t.Errorf("the demand is %.1f requests per minute", got)
		}
	})
}

// A PBX whose extensions take several requests counts with them, one with direct access not at all.
func TestDemandCountsTheRequestsOfAPBX(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ycm := b.fleetOf(t, 20, listAnd(func(p plan) { p["extensions"] = every(15*time.Minute, time.Hour) }))
		for i, id := range ycm.IDs() {
			ycm.Update(id, func(p *ycmtest.PBX) {
				p.UsedExtensions = 250
				if i == 0 {
					p.URL = "pbx.example.com"
				}
			})
		}
		b.withDirect(t, ycm, "https://pbx.example.com")
		defer start(b.Account)()
		after(time.Hour)
		// One page of the list every minute, and three for each of 19 PBXs every 15 minutes.
		if got, want := b.perMinute(t), 1+3*19.0/15; got < want-0.1 || got > want+0.1 {
			t.Errorf("the demand is %.2f requests per minute, want %.2f", got, want)
		}
	})
}
