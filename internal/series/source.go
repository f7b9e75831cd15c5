package series

import (
	"slices"
	"strings"

	"github.com/ycm-exporter/ycm_exporter/internal/exposition"
)

// Source implements exposition.Source: families, sorted by name.
type Source []family

// family is a family with the function that emits its samples.
type family struct {
	exposition.Family
	each func(shard exposition.Shard, emit func(labels []string, value float64))
}

// Families implements exposition.Source.
func (s Source) Families() (families []exposition.Family) {
	for _, f := range s {
		families = append(families, f.Family)
	}
	return families
}

// Each implements exposition.Source.
func (s Source) Each(family int, shard exposition.Shard, emit func(labels []string, value float64)) {
	s[family].each(shard, emit)
}

// Join makes one source of several that have no family in common.
func Join(sources ...Source) Source {
	joined := slices.Concat(sources...)
	slices.SortFunc(joined, func(a, b family) int { return strings.Compare(a.Name, b.Name) })
	return joined
}

// laidOut is a column with its family, and where among its sorted labels the identity's and the column's own are.
type laidOut[R any] struct {
	exposition.Family
	read          func(r *R, labels []string, sample func(float64))
	identity, own []int
}

// layOut returns the columns that are not excluded, sorted by name.
func layOut[R any](columns []Column[R], identity []string, excluded ...string) (all []laidOut[R]) {
	for _, c := range columns {
		if slices.Contains(excluded, c.Name) {
			continue
		}
		labels := slices.Sorted(slices.Values(slices.Concat(identity, c.Labels)))
		places := func(names []string) (at []int) {
			for _, name := range names {
				at = append(at, slices.Index(labels, name))
			}
			return at
		}
		all = append(all, laidOut[R]{exposition.Family{Name: c.Name, Help: c.Help, Labels: labels}, c.Read, places(identity), places(c.Labels)})
	}
	slices.SortFunc(all, func(a, b laidOut[R]) int { return strings.Compare(a.Name, b.Name) })
	return all
}

func familiesOf[R any](columns []Column[R], identity []string) (families []exposition.Family) {
	for _, c := range layOut(columns, identity) {
		families = append(families, c.Family)
	}
	return families
}
