package exposition

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"time"
)

const (
	// forgetAfter is how long a variant is kept, and made for each new snapshot, after the last scrape that requested it.
	// Prometheus itself drops a series after five minutes, so every scraper that matters is back within them.
	forgetAfter = 5 * time.Minute
	// maxVariants is how many times, compressed, a snapshot may be kept, so that no client can fill the memory by requesting
	// all variants there are. A shard counts as its part of the whole.
	maxVariants = 8
)

// A snapshot is a published source, with the variants of it that scrapes request.
type snapshot struct {
	account  string
	expires  time.Time // guarded by the lock of the set
	source   Source
	families []Family
	samples  int
	escaped  []sampleSet // by family: the samples that need escaping

	mu       sync.Mutex // held while a variant is made, so that scrapes which need the same wait for it
	variants map[key]variant
}

// A key says how a source is rendered.
type key struct {
	format format
	shard  Shard
}

// A variant is what all scrapes with the same key share.
type variant struct {
	requested time.Time // by the last scrape
	segments  []segment // by family
}

// verify checks that no series is served twice, which would break the whole scrape: each sample follows the one before in
// order. On the way it counts samples and notes which need escaping.
func (s *snapshot) verify() error {
	s.escaped = make([]sampleSet, len(s.families))
	for i, f := range s.families {
		var err error
		count, last := 0, make([]string, 0, len(f.Labels))
		s.source.Each(i, Shard{}, func(labels []string, _ float64) {
			same := 0
			for same < len(last) && labels[same] == last[same] {
				same++
			}
			if err == nil && len(last) > 0 && slices.Compare(last[same:], labels[same:]) >= 0 {
				err = fmt.Errorf("sample %q of %s follows %q: samples must be sorted and distinct", labels, f.Name, last)
			}
			if slices.ContainsFunc(labels[same:], needsEscaping) {
				s.escaped[i].set(count)
			}
			last = append(last[:same], labels[same:]...)
			count++
		})
		if err != nil {
			return err
		}
		s.samples += count
	}
	return nil
}

// segments returns the segments for k, which the first scrape makes, or nil if the snapshot keeps too many variants.
func (s *snapshot) segments(k key, now time.Time) []segment {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, found := s.variants[k]
	if !found {
		kept := 0.0
		maps.DeleteFunc(s.variants, func(_ key, v variant) bool { return now.Sub(v.requested) > forgetAfter })
		for other := range s.variants {
			kept += 1 / float64(max(1, other.shard.Count))
		}
		if kept >= maxVariants {
			return nil
		}
		v.segments = s.render(k, nil)
	}
	v.requested = now
	s.variants[k] = v
	return v.segments
}

// follow makes, ahead of any scrape, the variants that scrapes request of the snapshot that this one is to replace.
func (s *snapshot) follow(old *snapshot, now time.Time) {
	old.mu.Lock()
	variants := maps.Clone(old.variants)
	old.mu.Unlock()
	for k, v := range variants {
		if now.Sub(v.requested) <= forgetAfter {
			s.variants[k] = variant{v.requested, s.render(k, v.segments)}
		}
	}
}

// render makes the segments of all families. Those of the snapshot before are kept where they are the same.
func (s *snapshot) render(k key, before []segment) []segment {
	w := segmentWriters.Get().(*segmentWriter)
	segments := make([]segment, len(s.families))
	copy(segments, before)
	for i, f := range s.families {
		segments[i] = w.segment(segments[i], func(out io.Writer) {
			w.renderer.start(out, k.format)
			w.renderer.family(f)
			w.renderer.each(s, i, k.shard)
			w.renderer.flush()
		})
	}
	segmentWriters.Put(w)
	return segments
}

// sampleSet is a set of samples of a family, by their index in a pass over all of them.
type sampleSet []uint64

func (s *sampleSet) set(n int) {
	for len(*s) <= n/64 {
		*s = append(*s, 0)
	}
	(*s)[n/64] |= 1 << (n % 64)
}

func (s sampleSet) has(n int) bool { return n/64 < len(s) && s[n/64]>>(n%64)&1 == 1 }
