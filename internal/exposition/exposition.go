// Package exposition serves snapshots of metrics to Prometheus: rendered once, served many times. It does not know
// where snapshots come from.
//
// A snapshot is a Source, an immutable set of gauges that belongs to one account and one collector. An uncompressed
// scrape is rendered from the sources on the way to the client, so that the text is never held. A scrape in gzip is
// joined from segments that were compressed once per snapshot, one per family, and from the exporter's own metrics,
// which are compressed at each scrape.
package exposition

import (
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"
)

// A Family is a gauge: its name, its help and the names of its labels. Names are those of the classic data model
// ([a-zA-Z_][a-zA-Z0-9_]*), labels are sorted by name, and the first label is always account.
type Family struct {
	Name, Help string
	Labels     []string
}

// A Source is an immutable set of samples. Its methods may be called by many goroutines at once.
type Source interface {
	// Families returns the families of the source, sorted by name. A family may be without samples.
	Families() []Family
	// Each calls emit for each sample of family i (of Families) that belongs to shard. Samples are distinct and
	// ordered by their label values, which are UTF-8, compared byte by byte in the order of the labels. The slice of labels is
	// reused between calls; its strings may be kept. Each call with the same shard gives the same samples.
	Each(i int, shard Shard, emit func(labels []string, value float64))
}

// reclaimAfter is the number of samples that are published before memory is returned to the system. Left to itself the process
// would grow to three times its data.
const reclaimAfter = 100_000

// A Set holds the present snapshot of each account and collector and serves them, with the exporter's own metrics,
// as one exposition. A snapshot is replaced at once: no scrape waits for the next one, or gets a part of it.
type Set struct {
	self   prometheus.Gatherer
	logger log.Logger
	places chan struct{} // one for each scrape in progress

	mu        sync.Mutex
	snapshots map[owner]*snapshot
	published int // samples since memory was returned to the system
}

type owner struct{ account, collector string }

// NewSet returns a set without snapshots. What self gathers, the exporter's own metrics, is part of each scrape.
func NewSet(self prometheus.Gatherer, logger log.Logger) *Set {
	return &Set{self: self, logger: logger, places: make(chan struct{}, maxScrapes), snapshots: map[owner]*snapshot{}}
}

// Publish replaces the snapshot of an account's collector with src, to be served until expires. It verifies that samples
// are sorted and distinct; else it returns an error and the snapshot before stays. Families of the same name must be
// defined alike, and be of one collector. The variants that scrapes request are rendered before src is served; until then
// the snapshot before is.
func (s *Set) Publish(account, collector string, src Source, expires time.Time) error {
	next := &snapshot{account: account, expires: expires, source: src, families: src.Families(), variants: map[key]variant{}}
	if err := next.verify(); err != nil {
		return fmt.Errorf("publishing %s of account %s: %w", collector, account, err)
	}
	s.mu.Lock()
	old := s.snapshots[owner{account, collector}]
	s.mu.Unlock()
	if old != nil {
		next.follow(old, time.Now())
	}
	s.mu.Lock()
	s.snapshots[owner{account, collector}] = next
	s.published += next.samples
	reclaim := s.published >= reclaimAfter
	if reclaim {
		s.published = 0
	}
	s.mu.Unlock()
	if reclaim {
		debug.FreeOSMemory()
	}
	return nil
}

// Withdraw ends the snapshot of an account's collector.
func (s *Set) Withdraw(account, collector string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.snapshots, owner{account, collector})
}
