package series

import (
	"slices"

	"github.com/ycm-exporter/ycm_exporter/internal/exposition"
)

func accountLabels() []string { return []string{"account"} }

// AccountFamilies returns the families of columns about an account as a whole, sorted by name.
func AccountFamilies[R any](columns []Column[R]) []exposition.Family {
	return familiesOf(columns, accountLabels())
}

// PerAccount reads the columns from one record, which the source does not keep. Samples are sorted, and of those with the
// same labels the first is kept, whatever the record has. All are in shard 0.
func PerAccount[R any](account Account, columns []Column[R], record *R) (s Source) {
	type sample struct {
		labels []string
		value  float64
	}
	for _, c := range layOut(columns, accountLabels(), account.Excluded...) {
		var samples []sample
		own := make([]string, len(c.own))
		c.read(record, own, func(value float64) {
			labels := make([]string, len(c.Labels))
			labels[c.identity[0]] = account.Name
			for j, at := range c.own {
				labels[at] = own[j]
			}
			samples = append(samples, sample{labels, value})
		})
		slices.SortStableFunc(samples, func(a, b sample) int { return slices.Compare(a.labels, b.labels) })
		samples = slices.CompactFunc(samples, func(a, b sample) bool { return slices.Equal(a.labels, b.labels) })
		s = append(s, family{c.Family, func(shard exposition.Shard, emit func([]string, float64)) {
			if shard.Index > 0 {
				return
			}
			for _, sample := range samples {
				emit(sample.labels, sample.value)
			}
		}})
	}
	return s
}
