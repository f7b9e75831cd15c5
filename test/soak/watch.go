package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/exposition"
)

var dialer = net.Dialer{Timeout: 5 * time.Second} // Used by all slow scrapers.

// watcher scrapes, and compares what it gets with the truth.
type watcher struct {
	exporter *exporter
	fleets   []*fleet
	settings *settings
	found    *findings
	crowded  atomic.Int64 // until when scrapers may be turned away, in unix seconds

	mu    sync.Mutex
	walks map[string]time.Duration // how long the walk took that ended then, by account and time
	count map[string]int           // scrapes by account that had its list
}

// longestWalk is how long a walk takes at most that nothing is known of.
const longestWalk = 10 * time.Minute

// watch scrapes in one format after another until ctx ends.
func (w *watcher) watch(ctx context.Context, rng *rand.Rand) {
	all := formats()
	for ctx.Err() == nil {
		f := all[rng.IntN(len(all))]
		query, account, shard := "", "", exposition.Shard{}
		switch rng.IntN(6) {
		case 0:
			account = w.fleets[rng.IntN(len(w.fleets))].account
			query = "?account=" + account
		case 1:
			shard = exposition.Shard{Index: rng.IntN(3), Count: 3}
			query = fmt.Sprintf("?shard=%d&shards=3", shard.Index)
		}
		w.scrape(f, query, account, shard)
		sleep(ctx, time.Duration(200+rng.IntN(1200))*time.Millisecond)
	}
}

// scrape scrapes once. What happens while the exporter ends, or is frozen, counts for nothing.
func (w *watcher) scrape(f format, query, account string, shard exposition.Shard) {
	process, ok := w.exporter.serves()
	if !ok {
		time.Sleep(100 * time.Millisecond)
		return
	}
	began := time.Now()
	a, err := w.exporter.request(http.MethodGet, "/metrics"+query, http.Header{"Accept": {f.accept}, "Accept-Encoding": {f.encoding}})
	ended := time.Now()
	if now, ok := w.exporter.serves(); !ok || now != process {
		return
	}
	switch {
	case err != nil:
		w.found.add("scrape that fails", "%s in %s, after %v: %v", f.accept, f.encoding, ended.Sub(began), err)
		return
	case a.status == http.StatusNotFound && account != "": // The configuration may have it no longer.
		return
	case a.status == http.StatusServiceUnavailable && began.Unix() < w.crowded.Load():
		return
	case a.status != http.StatusOK:
		w.found.add("scrape that fails", "HTTP %d in %s: %.200s", a.status, f.accept, a.body)
		return
	}
	samples, err := parse(a)
	if err != nil {
		w.found.add("invalid exposition", "%s in %s%s: %v", f.accept, f.encoding, query, err)
		return
	}
	for _, fleet := range w.fleets {
		if account == "" || account == fleet.account {
			w.check(fleet, samples, shard, ended)
		}
	}
}

// listed are the families of the list's own per-PBX samples, with the label that distinguishes samples of one PBX.
func listed(s sample) (key string, ok bool) {
	if len(s.family) < 14 || s.family[:14] != "ycm_cloud_pbx_" || unchecked(s.family) {
		return "", false
	}
	switch s.family {
	case "ycm_cloud_pbx_info":
		return s.family + " " + s.labels["sn"] + " " + s.labels["version"], true
	case "ycm_cloud_pbx_status":
		return s.family + " " + s.labels["status"], true
	case "ycm_cloud_pbx_feature_enabled":
		return s.family + " " + s.labels["feature"], true
	}
	return s.family + " ", true
}

// listStatus is what the exporter reports about the polls of an account's list.
type listStatus struct {
	lastSuccess time.Time
	duration    time.Duration
	succeeded   bool
	restored    bool
}

// check compares the samples of an account with its fleet.
func (w *watcher) check(f *fleet, samples []sample, shard exposition.Shard, now time.Time) {
	served := map[int64]map[string]float64{}
	var status listStatus
	for _, s := range samples {
		if s.labels["account"] != f.account {
			continue
		}
		if key, ok := listed(s); ok {
			id, err := strconv.ParseInt(s.labels["cloud_pbx_id"], 10, 64)
			if err != nil {
				w.found.add("false series", "%s has the id %q", s.family, s.labels["cloud_pbx_id"])
				continue
			}
			if served[id] == nil {
				served[id] = map[string]float64{}
			}
			if _, twice := served[id][key]; twice {
				w.found.add("doubled PBX", "account %s: PBX %d has %s twice", f.account, id, key)
			}
			served[id][key] = s.value
			continue
		}
		if s.labels["collector"] == "cloud_pbx" {
			status.take(s)
		}
	}
	from := w.begin(f, status)
	if len(served) > 0 {
		f.check(served, shard, from, now)
		w.checkAge(f, status, now)
	}
	w.mu.Lock()
	if len(served) > 0 {
		w.count[f.account]++
	}
	w.mu.Unlock()
}

func (t *listStatus) take(s sample) {
	switch s.family {
	case "ycm_collector_last_success_timestamp_seconds":
		t.lastSuccess = time.UnixMilli(int64(s.value * 1000))
	case "ycm_collector_duration_seconds":
		t.duration = time.Duration(s.value * float64(time.Second))
	case "ycm_collector_success":
		t.succeeded = s.value == 1
	case "ycm_collector_restored":
		t.restored = s.value == 1
	}
}

// begin is when the walk began at the earliest that what is served comes of.
func (w *watcher) begin(f *fleet, t listStatus) time.Time {
	if t.lastSuccess.IsZero() {
		return time.Now().Add(-longestWalk)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	key := f.account + t.lastSuccess.Format(time.RFC3339Nano)
	took, known := w.walks[key]
	const settled = time.Second // A scrape may fall between the writes of two metrics of a poll.
	if !known && t.succeeded && !t.restored && time.Since(t.lastSuccess) > settled {
		took = t.duration
		w.walks[key], known = took, true
	}
	if !known {
		took = longestWalk
	}
	return t.lastSuccess.Add(-took - 10*time.Millisecond)
}

// checkAge finds what is served beyond its time although no walk is under way.
func (w *watcher) checkAge(f *fleet, t listStatus, now time.Time) {
	w.mu.Lock()
	took, known := w.walks[f.account+t.lastSuccess.Format(time.RFC3339Nano)]
	w.mu.Unlock()
	const slack = 10 * time.Second
	staleAfter := w.settings.longestStaleAfter()
	if age := now.Sub(t.lastSuccess); known && age > max(staleAfter, 2*took)+slack && now.Sub(f.lastRequested()) > staleAfter+slack {
		w.found.add("stale series", "account %s: what is served at %s is %v old, of a walk of %v, and no page came since %s", f.account, clock(now), age, took, clock(f.lastRequested()))
	}
}

// sleep waits, or less if ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
