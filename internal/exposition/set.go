package exposition

import (
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"
)

// reclaimAfter is the least number of samples that are published before memory is returned to the system. Left to itself the
// process would grow to three times its data. A collection takes time by what is served, so at least half as much must have
// been published: that is each poll of a large snapshot, but not each of many small ones.
const reclaimAfter = 100_000

// A Set holds the present snapshot of each account and collector and serves them, with the exporter's own metrics,
// as one exposition. A snapshot is replaced at once: no scrape waits for the next one, or gets a part of it.
type Set struct {
	self   prometheus.Gatherer
	logger log.Logger
	places chan struct{} // one for each scrape in progress

	mu       sync.Mutex // held to replace the view
	present  atomic.Pointer[view]
	replaced int // samples published since memory was returned to the system
}

// NewSet returns a set without snapshots. What self gathers, the exporter's own metrics, is part of each scrape.
func NewSet(self prometheus.Gatherer, logger log.Logger) *Set {
	s := &Set{self: self, logger: logger, places: make(chan struct{}, maxScrapes)}
	s.present.Store(&view{})
	return s
}

// Publish replaces the snapshot of an account's collector with src, to be served until expires. It verifies that samples
// are sorted and distinct; else it returns an error and the snapshot before stays. Families of the same name must be
// defined alike, and be of one collector. The variants that scrapes request are rendered before src is served; until then
// the snapshot before is.
func (s *Set) Publish(account, collector string, src Source, expires time.Time) error {
	next := &published{account: account, collector: collector, expires: expires, snapshot: &snapshot{
		source: src, families: src.Families(), variants: map[key]*variant{},
	}}
	if err := next.verify(); err != nil {
		return fmt.Errorf("publishing %s of account %s: %w", collector, account, err)
	}
	if old := s.present.Load().find(account, collector); old != nil {
		next.follow(old.snapshot, time.Now())
	}
	s.mu.Lock()
	s.retain(others(account, collector), next)
	s.replaced += next.samples
	reclaim := s.replaced >= max(reclaimAfter, s.present.Load().samples/2)
	if reclaim {
		s.replaced = 0
	}
	s.mu.Unlock()
	if reclaim {
		debug.FreeOSMemory()
	}
	return nil
}

// others reports true for all collectors but one of an account.
func others(account, collector string) func(account, collector string) bool {
	return func(a, c string) bool { return a != account || c != collector }
}

// retain drops the snapshots that have expired or that keep reports false for, and adds others. The lock is held.
func (s *Set) retain(keep func(account, collector string) bool, added ...*published) {
	now := time.Now()
	kept := slices.DeleteFunc(slices.Clone(s.present.Load().published), func(p *published) bool {
		return p.expired(now) || !keep(p.account, p.collector)
	})
	s.present.Store(newView(append(kept, added...)))
}

// Withdraw ends the snapshot of an account's collector.
func (s *Set) Withdraw(account, collector string) { s.Retain(others(account, collector)) }

// Retain ends the snapshots of all accounts and collectors but those that keep reports true for.
func (s *Set) Retain(keep func(account, collector string) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.retain(keep)
}
