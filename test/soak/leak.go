package main

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// usage is what a process holds.
type usage struct {
	goroutines, descriptors float64
	heap                    float64 // bytes that are in use, after a collection
}

// measure returns what the exporter holds.
func (e *exporter) measure() (u usage, ok bool) {
	if _, err := e.request(http.MethodGet, "/debug/pprof/heap?gc=1", nil); err != nil {
		return u, false
	}
	a, err := e.request(http.MethodGet, "/metrics?shard=0&shards=64", nil)
	if err != nil || a.status != http.StatusOK {
		return u, false
	}
	for line := range strings.Lines(string(a.body)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		number, err := strconv.ParseFloat(value, 64)
		if err != nil {
			continue
		}
		switch name {
		case "go_goroutines":
			u.goroutines = number
		case "process_open_fds":
			u.descriptors = number
		case "go_memstats_alloc_bytes":
			u.heap = number
		}
	}
	return u, u.goroutines > 0
}

// heaps is how the heap of one process went.
type heaps struct {
	mu  sync.Mutex
	all []float64
}

// watch measures the heap until ctx ends.
func (h *heaps) watch(ctx context.Context, e *exporter, every time.Duration) {
	for ctx.Err() == nil {
		sleep(ctx, every)
		if _, serves := e.serves(); !serves {
			continue
		}
		if u, ok := e.measure(); ok {
			h.mu.Lock()
			h.all = append(h.all, u.heap)
			h.mu.Unlock()
		}
	}
}

// trend is the least heap of the first and of the last third.
func (h *heaps) trend() (first, last float64, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	third := len(h.all) / 3
	if third < 3 {
		return 0, 0, false
	}
	return slices.Min(h.all[:third]), slices.Min(h.all[len(h.all)-third:]), true
}

const (
	mayKeep     = 4 // goroutines, or descriptors, more than before: chance decides when connections are closed
	mayGrow     = 4.0 / 3
	mayGrowBy   = 8 << 20
	maySettleIn = 60 * time.Second
)

// settled waits until the exporter holds no more than before, and finds what it still holds.
func (e *exporter) settled(before usage) {
	var u usage
	for began := time.Now(); time.Since(began) < maySettleIn; time.Sleep(time.Second) {
		now, ok := e.measure()
		if u = now; ok && u.goroutines <= before.goroutines+mayKeep && u.descriptors <= before.descriptors+mayKeep {
			e.found.log("goroutines %v before and %v after, descriptors %v and %v, heap %.1f MiB and %.1f MiB",
				before.goroutines, u.goroutines, before.descriptors, u.descriptors, before.heap/(1<<20), u.heap/(1<<20))
			return
		}
	}
	stacks, _ := e.request(http.MethodGet, "/debug/pprof/goroutine?debug=1", nil) // What is known is reported.
	e.found.add("leak", "goroutines %v before and %v after, descriptors %v and %v:\n%.6000s",
		before.goroutines, u.goroutines, before.descriptors, u.descriptors, stacks.body)
}
