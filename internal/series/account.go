package series

import (
	"slices"

	"github.com/ycm-exporter/ycm_exporter/internal/exposition"
)

const accountLabel = "account"

// AccountFamilies returns the families of columns about an account as a whole, sorted by name.
func AccountFamilies[R any](columns []Column[R]) []exposition.Family {
	_, families := layOut(columns, []string{accountLabel})
	return families
}

// perAccount is the samples of an account as a whole, rather than of its PBXs.
type perAccount struct {
	families []exposition.Family
	samples  [][]sample // of each family
}

type sample struct {
	labels []string
	value  float64
}

// PerAccount reads the columns from one record, which the source does not keep. Samples are sorted, and of those with the
// same labels the first is kept, whatever the record has.
func PerAccount[R any](account Account, columns []Column[R], record *R) exposition.Source {
	all, families := layOut(columns, []string{accountLabel}, account.Excluded...)
	s := &perAccount{families: families, samples: make([][]sample, len(all))}
	for i, c := range all {
		own := make([]string, len(c.own))
		c.Read(record, own, func(value float64) {
			labels := make([]string, len(c.family.Labels))
			labels[c.identity[0]] = account.Name
			for j, at := range c.own {
				labels[at] = own[j]
			}
			s.samples[i] = append(s.samples[i], sample{labels, value})
		})
		slices.SortStableFunc(s.samples[i], func(a, b sample) int { return slices.Compare(a.labels, b.labels) })
		s.samples[i] = slices.CompactFunc(s.samples[i], func(a, b sample) bool { return slices.Equal(a.labels, b.labels) })
	}
	return s
}

// Families implements exposition.Source.
func (s *perAccount) Families() []exposition.Family { return s.families }

// Each implements exposition.Source. All samples are in shard 0.
func (s *perAccount) Each(family int, shard exposition.Shard, emit func(labels []string, value float64)) {
	if shard.Index != 0 {
		return
	}
	for _, sample := range s.samples[family] {
		emit(sample.labels, sample.value)
	}
}
