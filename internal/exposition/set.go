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

// manySamples is the least that is published before memory is given back to the system, see due.
const manySamples = 100_000

// A Set holds the present snapshot of each account and collector and serves them, with the exporter's own metrics,
// as one exposition. A snapshot is published whole: no scrape waits for one that is being made, or sees a part of it.
type Set struct {
	self   prometheus.Gatherer
	logger log.Logger
	codecs codecs
	places chan struct{} // one for each scrape under way

	mu       sync.Mutex // held to replace the view
	present  atomic.Pointer[view]
	replaced int // samples that were published since memory was given back
}

// NewSet returns a set without snapshots. What self gathers, the exporter's own metrics, is part of each scrape.
func NewSet(self prometheus.Gatherer, logger log.Logger) *Set {
	s := &Set{
		self: self, logger: logger,
		codecs: codecs{identity: newIdentity(), gzipped: newGzip(), zstandard: newZstd()},
		places: make(chan struct{}, maxScrapes),
	}
	s.present.Store(&view{})
	return s
}

// Publish replaces the snapshot of an account's collector with src, to be served until expires. It verifies that src
// keeps what Source and Family promise, that each sample belongs to the account, and that families agree with those
// of the other snapshots; else it returns an error and the snapshot before stays. In the forms that scrapes have been
// asking for, src is rendered and compressed before it is served; until then the snapshot before is.
func (s *Set) Publish(account, collector string, src Source, expires time.Time) error {
	families := src.Families()
	escaped, samples, err := verify(account, families, src)
	if err != nil {
		return fmt.Errorf("publishing %s of account %s: %w", collector, account, err)
	}
	next := &published{account: account, collector: collector, expires: expires}
	next.snapshot = &snapshot{source: src, families: families, samples: samples, escaped: escaped, codecs: &s.codecs, variants: map[key]*variant{}}
	if old := s.present.Load().find(account, collector); old != nil {
		next.snapshot.follow(old.snapshot, time.Now())
	}
	if err := s.swap(next); err != nil {
		return fmt.Errorf("publishing %s of account %s: %w", collector, account, err)
	}
	if s.due(samples) {
		debug.FreeOSMemory()
	}
	return nil
}

// due reports whether the memory of snapshots that were replaced, and of the polls that made their successors, is to be
// given back to the system at once. Left to itself the process would grow to thrice its data. A collection takes time by
// what is served, so it waits until half as much has been published: a large snapshot once a poll, but not each of the
// many small ones that stand beside it.
func (s *Set) due(samples int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	served := 0
	for _, p := range s.present.Load().published {
		served += p.samples
	}
	s.replaced += samples
	if s.replaced < max(manySamples, served/2) {
		return false
	}
	s.replaced = 0
	return true
}

// swap puts a snapshot into the place of the one before.
func (s *Set) swap(next *published) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	others := s.others(next.account, next.collector)
	if err := agree(next, others); err != nil {
		return err
	}
	s.present.Store(newView(append(others, next)))
	return nil
}

// Extend lets the present snapshot of an account's collector, if there is one that has not expired, be served until
// expires: later than before while a poll is under way that may replace it, or as before once that has failed.
func (s *Set) Extend(account, collector string, expires time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.present.Load().find(account, collector)
	if old == nil || old.expired(time.Now()) {
		return
	}
	next := *old
	next.expires = expires
	s.present.Store(newView(append(s.others(account, collector), &next)))
}

// Withdraw ends the snapshot of an account's collector.
func (s *Set) Withdraw(account, collector string) {
	s.Retain(func(a, c string) bool { return a != account || c != collector })
}

// Retain ends the snapshots of all accounts and collectors but those that keep reports true for.
func (s *Set) Retain(keep func(account, collector string) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.present.Store(newView(slices.DeleteFunc(slices.Clone(s.present.Load().published), func(p *published) bool {
		return p.expired(now) || !keep(p.account, p.collector)
	})))
}

// others returns the snapshots that have not expired, without that of one account's collector.
func (s *Set) others(account, collector string) []*published {
	now := time.Now()
	return slices.DeleteFunc(slices.Clone(s.present.Load().published), func(p *published) bool {
		return p.expired(now) || p.account == account && p.collector == collector
	})
}
