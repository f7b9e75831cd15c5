package sweep

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// maxVersions is how many firmware versions of an account are read: those that most PBXs have.
const maxVersions = 100

// count brings the versions up to date with the account's PBXs.
func (s *Versions[R]) count() error {
	targets, err := s.Fleet.Targets()
	if err != nil || targets == s.targets {
		return err
	}
	s.targets = targets
	counts := map[string]int{}
	for i := range targets.pbxs() {
		counts[targets.pbxs()[i].Version]++
	}
	for _, t := range targets.unlisted() {
		counts[s.versionOf(t)]++
	}
	delete(counts, "")
	names := slices.SortedFunc(maps.Keys(counts), func(v, w string) int {
		return cmp.Or(cmp.Compare(counts[w], counts[v]), cmp.Compare(v, w))
	})
	names = names[:min(maxVersions, len(names))]
	slices.Sort(names)

	s.mu.Lock()
	defer s.mu.Unlock()
	before := map[string]*version[R]{}
	for _, v := range s.versions {
		before[v.name] = v
	}
	s.versions = nil
	for _, name := range names {
		v := before[name]
		if v == nil {
			v = &version[R]{name: name, pbx: beforeAll}
		}
		v.pbxs = counts[name]
		s.versions = append(s.versions, v)
	}
	if s.span.Began.IsZero() && len(s.versions) > 0 {
		s.span.Began, s.span.Over = time.Now(), false
	}
	return nil
}

// VersionsReading is what is known of versions, as it outlives what reads them: encoding/json can write it and read it
// back.
type VersionsReading[R any] struct {
	Versions []VersionReading[R]
	Hosts    map[string]string // versions of PBXs that YCM's list does not have, by their hosts
	Sweep    Span
}

// VersionReading is what is known of a firmware version.
type VersionReading[R any] struct {
	Version string
	PBXs    int       // of the account that have it
	At      time.Time // when it was read to its end; zero before
	Value   *R        // before that the beginning; nil if nothing is known
	Problem string    `json:",omitempty"` // why it could not be read the last time, or not to its end
}

// Reading returns what is known. It may be called while versions are read.
func (s *Versions[R]) Reading() *VersionsReading[R] {
	s.mu.Lock()
	defer s.mu.Unlock()
	reading := &VersionsReading[R]{Hosts: map[string]string{}, Sweep: s.span}
	for _, v := range s.versions {
		known := VersionReading[R]{Version: v.name, PBXs: v.pbxs, Value: v.whole}
		switch {
		case v.whole != nil:
			known.At = v.at
		case v.partial != nil:
			beginning := (*v.partial).Clone()
			known.Value = &beginning
		}
		if v.err != nil {
			known.Problem = v.err.Error()
		}
		reading.Versions = append(reading.Versions, known)
	}
	for name, h := range s.hosts {
		reading.Hosts[name] = h.version
	}
	return reading
}

// Restore goes on where another that has ended left off. What that had not read to its end is read anew, and what lacks
// something that this one is to read is served as it is until that is read too.
func (s *Versions[R]) Restore(reading *VersionsReading[R]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.span = reading.Sweep
	for name, version := range reading.Hosts {
		s.hosts[name] = &host{version: version}
	}
	for _, known := range reading.Versions {
		if known.At.IsZero() || known.Value == nil {
			continue
		}
		v := &version[R]{name: known.Version, pbxs: known.PBXs, whole: known.Value, at: known.At, pbx: beforeAll}
		v.done = !v.at.Before(s.span.Began) && s.complete(v.whole)
		if !v.done && s.span.Over {
			s.span = Span{Began: time.Now(), Took: s.span.Took}
		}
		s.versions = append(s.versions, v)
	}
}
