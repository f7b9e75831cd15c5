package series

import (
	"slices"

	"github.com/ycm-exporter/ycm_exporter/internal/exposition"
)

// accountLabel identifies the account on each series.
const accountLabel = "account"

// AccountFamilies describes columns of what is known of an account as a whole, sorted by name.
func AccountFamilies[R any](columns []Column[R]) []exposition.Family {
	_, layouts := layOut(columns, []string{accountLabel})
	return familiesOf(layouts)
}

// perAccount is the samples of an account as a whole, rather than of its PBXs. Whatever order or doubles the records
// had, they are sorted, and of samples with the same labels the first is kept.
type perAccount struct {
	families []exposition.Family
	samples  [][]sample // of each family
}

type sample struct {
	labels []string
	value  float64
}

// PerAccount reads the columns from one record, which the source does not keep.
func PerAccount[R any](account Account, columns []Column[R], record *R) exposition.Source {
	sorted, layouts := layOut(without(columns, account.Excluded), []string{accountLabel})
	s := &perAccount{families: familiesOf(layouts), samples: make([][]sample, len(layouts))}
	for i, l := range layouts {
		own := make([]string, len(l.own))
		sorted[i].Read(record, own, func(value float64) {
			labels := make([]string, len(l.family.Labels))
			labels[l.identity[0]] = account.Name
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
func (s *perAccount) Families() []exposition.Family { return s.families }

// Each calls emit for the samples of a family. They are in shard 0 alone.
func (s *perAccount) Each(family int, shard exposition.Shard, emit func(labels []string, value float64)) {
	if shard.Index != 0 {
		return
	}
	for _, sample := range s.samples[family] {
		emit(sample.labels, sample.value)
	}
}
