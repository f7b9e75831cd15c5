package exposition

import (
	"fmt"
	"slices"
	"strings"
)

// verify checks that no series is served twice, which would break the whole scrape: each sample follows the one before in
// order, as they are served, with invalid UTF-8 replaced. On the way it counts samples and notes which need escaping.
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
			if err == nil && len(last) > 0 && compare(last[same:], labels[same:]) >= 0 {
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

// compare orders label values as they are served.
func compare(a, b []string) int {
	return slices.CompareFunc(a, b, func(x, y string) int { return strings.Compare(valid(x), valid(y)) })
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
