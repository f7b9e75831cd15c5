package exposition

import (
	"maps"
	"sync"
	"time"
)

const (
	// forgetAfter is how long a variant is kept, and made again for the next snapshot, after a scrape asked for it.
	// Prometheus itself gives a series up after five minutes, so whoever matters asks again within them.
	forgetAfter = 5 * time.Minute
	// maxVariants bounds the variants that a snapshot keeps, a shard counted as its part of the whole, so that
	// no client can fill the memory by asking for everything. Beyond that, scrapes make their own.
	maxVariants = 4
)

// A key says how a source is rendered and compressed.
type key struct {
	format   format
	encoding encoding
	shard    Shard
}

// A snapshot is a published source, with the compressed variants of it that scrapes ask for.
type snapshot struct {
	source   Source
	families []Family
	samples  int
	escaped  []sampleSet // by family: the samples that need escaping
	codecs   *codecs

	mu       sync.Mutex
	variants map[key]*variant
}

// A variant is the segments of a snapshot's families. Whoever asks first makes them; the others wait.
type variant struct {
	asked    time.Time     // guarded by the snapshot's lock
	made     chan struct{} // closed once segments are there
	segments []segment     // by family
}

// variant returns the segments of the snapshot for k, or nil if too many others are kept.
func (s *snapshot) variant(k key, now time.Time) []segment {
	s.mu.Lock()
	v := s.variants[k]
	first := v == nil && s.forget(now) < maxVariants
	if first {
		v = s.keep(k)
	}
	if v != nil {
		v.asked = now
	}
	s.mu.Unlock()
	switch {
	case v == nil:
		return nil
	case first:
		s.render(k, v, nil)
	}
	<-v.made
	return v.segments
}

// keep adds a variant, which is not made yet.
func (s *snapshot) keep(k key) *variant {
	v := &variant{made: make(chan struct{})}
	s.variants[k] = v
	return v
}

// forget drops what no scrape has asked for in a while and returns what is left, in whole variants.
func (s *snapshot) forget(now time.Time) (left float64) {
	for k, v := range s.variants {
		if now.Sub(v.asked) > forgetAfter {
			delete(s.variants, k)
			continue
		}
		left += 1 / float64(max(1, k.shard.Count))
	}
	return left
}

// follow makes, ahead of any scrape, the variants that scrapes ask for of the snapshot that this one is to replace. What
// is as it was there is not compressed again.
func (s *snapshot) follow(old *snapshot, now time.Time) {
	old.mu.Lock()
	old.forget(now)
	before := maps.Clone(old.variants)
	for k, v := range before {
		s.keep(k).asked = v.asked
	}
	old.mu.Unlock()
	for k, v := range s.variants {
		s.render(k, v, before[k].known())
	}
}

// known are the pieces of a variant by their digests; none of one that is not made yet.
func (v *variant) known() map[uint64]piece {
	select {
	case <-v.made:
	default:
		return nil
	}
	known := map[uint64]piece{}
	for _, s := range v.segments {
		for _, p := range s.pieces {
			known[p.digest] = p
		}
	}
	return known
}

// render makes the segments of all families for a variant, of pieces that are known where they can be had.
func (s *snapshot) render(k key, v *variant, known map[uint64]piece) {
	defer close(v.made) // Even if the source panics: then there are no segments, and each scrape that waits makes its own.
	c := s.codecs[k.encoding]
	sw := c.take()
	defer c.give(sw)
	sw.known = known
	segments := make([]segment, len(s.families))
	for i := range s.families {
		segments[i] = sw.segment(s, i, k)
	}
	v.segments = segments
}
