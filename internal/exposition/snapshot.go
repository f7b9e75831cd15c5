package exposition

import (
	"maps"
	"sync"
	"time"
)

const (
	// forgetAfter is how long a variant is kept, and made for each new snapshot, after the last scrape that requested it.
	// Prometheus itself gives a series up after five minutes, so every scraper that matters is back within them.
	forgetAfter = 5 * time.Minute
	// maxVariants bounds the weight of the variants that a snapshot keeps, so that no client can fill the memory, or use up
	// the CPU, by requesting all there are. The three formats fit, compressed and not.
	maxVariants = 4
)

// A key says how a source is rendered.
type key struct {
	format format
	gzip   bool
	shard  Shard
}

// weight is what a variant costs, relative to a compressed one of all shards.
func (k key) weight() float64 {
	weight := 1 / float64(max(1, k.shard.Count))
	if !k.gzip {
		weight /= 4 // Only sizes are kept.
	}
	return weight
}

// A snapshot is a published source, with the variants of it that scrapes request.
type snapshot struct {
	source   Source
	families []Family
	samples  int
	escaped  []sampleSet // by family: the samples that need escaping

	mu       sync.Mutex
	variants map[key]*variant
}

// A variant is what all scrapes with the same key share. The first of them makes it while the others wait.
type variant struct {
	requested time.Time     // by the last scrape; guarded by the snapshot's lock
	made      chan struct{} // closed when there are segments
	segments  []segment     // by family
}

// variant returns the segments of the snapshot for k, or nil if it keeps too many variants already.
func (s *snapshot) variant(k key, now time.Time) []segment {
	s.mu.Lock()
	v := s.variants[k]
	first := v == nil && s.forget(now) < maxVariants
	if first {
		v = &variant{made: make(chan struct{})}
		s.variants[k] = v
	}
	if v == nil {
		s.mu.Unlock()
		return nil
	}
	v.requested = now
	s.mu.Unlock()
	if first {
		s.fill(k, v, nil)
	}
	<-v.made
	return v.segments
}

// forget drops what no scrape requested recently and returns the weight of the variants that are left.
func (s *snapshot) forget(now time.Time) (left float64) {
	for k, v := range s.variants {
		if now.Sub(v.requested) > forgetAfter {
			delete(s.variants, k)
			continue
		}
		left += k.weight()
	}
	return left
}

// follow makes, ahead of any scrape, the variants that scrapes request of the snapshot that this one is to replace.
func (s *snapshot) follow(old *snapshot, now time.Time) {
	old.mu.Lock()
	old.forget(now)
	before := maps.Clone(old.variants)
	for k, v := range before {
		s.variants[k] = &variant{requested: v.requested, made: make(chan struct{})}
	}
	old.mu.Unlock()
	for k, v := range s.variants {
		<-before[k].made
		s.fill(k, v, before[k].segments)
	}
}

// fill makes the segments of a variant. If the source panics there are none, but no scrape waits forever.
func (s *snapshot) fill(k key, v *variant, before []segment) {
	defer close(v.made)
	v.segments = s.render(k, before)
}

// render makes the segments of all families; before are those of the snapshot before.
func (s *snapshot) render(k key, before []segment) []segment {
	w := segmentWriters.Get().(*segmentWriter)
	defer w.release()
	segments := make([]segment, len(s.families))
	for i := range segments {
		var old segment
		if i < len(before) {
			old = before[i]
		}
		segments[i] = w.segment(s, i, k, old)
	}
	return segments
}
