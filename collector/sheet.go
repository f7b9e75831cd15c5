package collector

import (
	"slices"
	"strings"

	"github.com/ycm-exporter/ycm_exporter/exposition"
)

// sheet is the samples of an account as a whole, rather than of its PBXs: few, so they are made at once. Whatever
// order or doubles the records had, a sheet is sorted, and of samples with the same labels it has the first.
type sheet struct {
	families []exposition.Family
	samples  [][]sample // of each family
}

type sample struct {
	labels []string
	value  float64
}

// newSheet reads the columns from one record.
func newSheet[R any](account string, columns []column[R], record *R) *sheet {
	layouts := layOut(columns, "account")
	s := &sheet{families: familiesOf(layouts), samples: make([][]sample, len(layouts))}
	for i, l := range layouts {
		own := make([]string, len(l.own))
		columns[i].read(record, own, func(value float64) {
			labels := make([]string, len(l.family.Labels))
			labels[l.identity[0]] = account
			for j, at := range l.own {
				labels[at] = own[j]
			}
			s.samples[i] = append(s.samples[i], sample{labels, value})
		})
		slices.SortStableFunc(s.samples[i], func(a, b sample) int { return slices.Compare(a.labels, b.labels) })
		s.samples[i] = slices.CompactFunc(s.samples[i], func(a, b sample) bool { return slices.Equal(a.labels, b.labels) })
	}
	return s
}

// Families describes the columns.
func (s *sheet) Families() []exposition.Family { return s.families }

// Each calls emit for the samples of a family. They are in shard 0 alone.
func (s *sheet) Each(family int, shard exposition.Shard, emit func(labels []string, value float64)) {
	if shard.Index != 0 {
		return
	}
	for _, sample := range s.samples[family] {
		emit(sample.labels, sample.value)
	}
}

// union is several sources of different families as one.
type union struct {
	families []exposition.Family
	parts    []part
}

// part is one family of a union: where it is found.
type part struct {
	source exposition.Source
	family int
}

func newUnion(sources ...exposition.Source) *union {
	u := &union{}
	for _, source := range sources {
		for i := range source.Families() {
			u.parts = append(u.parts, part{source, i})
		}
	}
	slices.SortFunc(u.parts, func(a, b part) int { return strings.Compare(a.describe().Name, b.describe().Name) })
	for _, p := range u.parts {
		u.families = append(u.families, p.describe())
	}
	return u
}

func (p part) describe() exposition.Family { return p.source.Families()[p.family] }

// Families describes those of all sources.
func (u *union) Families() []exposition.Family { return u.families }

// Each calls emit for the samples of a family.
func (u *union) Each(family int, shard exposition.Shard, emit func(labels []string, value float64)) {
	u.parts[family].source.Each(u.parts[family].family, shard, emit)
}
