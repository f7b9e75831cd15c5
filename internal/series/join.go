package series

import (
	"slices"
	"strings"

	"github.com/ycm-exporter/ycm_exporter/internal/exposition"
)

// joined is several sources as one: each part is a family of a source.
type joined []part

type part struct {
	exposition.Family
	source exposition.Source
	index  int
}

// Join makes one source of several that have no family in common.
func Join(sources ...exposition.Source) exposition.Source {
	var j joined
	for _, source := range sources {
		for i, f := range source.Families() {
			j = append(j, part{f, source, i})
		}
	}
	slices.SortFunc(j, func(a, b part) int { return strings.Compare(a.Name, b.Name) })
	return j
}

// Families implements exposition.Source.
func (j joined) Families() (families []exposition.Family) {
	for _, p := range j {
		families = append(families, p.Family)
	}
	return families
}

// Each implements exposition.Source.
func (j joined) Each(family int, shard exposition.Shard, emit func(labels []string, value float64)) {
	j[family].source.Each(j[family].index, shard, emit)
}
