package series

import (
	"slices"
	"strings"

	"github.com/ycm-exporter/ycm_exporter/internal/exposition"
)

// joined is several sources as one.
type joined struct{ parts []part }

// part is a family of a source.
type part struct {
	exposition.Family
	source exposition.Source
	index  int
}

// Join makes one source of several that have no family in common.
func Join(sources ...exposition.Source) exposition.Source {
	j := &joined{}
	for _, source := range sources {
		for i, f := range source.Families() {
			j.parts = append(j.parts, part{f, source, i})
		}
	}
	slices.SortFunc(j.parts, func(a, b part) int { return strings.Compare(a.Name, b.Name) })
	return j
}

// Families implements exposition.Source.
func (j *joined) Families() (families []exposition.Family) {
	for _, p := range j.parts {
		families = append(families, p.Family)
	}
	return families
}

// Each implements exposition.Source.
func (j *joined) Each(family int, shard exposition.Shard, emit func(labels []string, value float64)) {
	p := j.parts[family]
	p.source.Each(p.index, shard, emit)
}
