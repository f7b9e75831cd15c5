package series

import (
	"slices"
	"strings"

	"github.com/ycm-exporter/ycm_exporter/internal/exposition"
)

// joined is several sources of different families as one.
type joined struct {
	families []exposition.Family
	parts    []part
}

// part is where one family is found.
type part struct {
	source exposition.Source
	family int
}

// Join makes one source of several that have no family in common.
func Join(sources ...exposition.Source) exposition.Source {
	j := &joined{}
	for _, source := range sources {
		for i := range source.Families() {
			j.parts = append(j.parts, part{source, i})
		}
	}
	slices.SortFunc(j.parts, func(a, b part) int { return strings.Compare(a.describe().Name, b.describe().Name) })
	for _, p := range j.parts {
		j.families = append(j.families, p.describe())
	}
	return j
}

func (p part) describe() exposition.Family { return p.source.Families()[p.family] }

// Families describes those of all sources.
func (j *joined) Families() []exposition.Family { return j.families }

// Each calls emit for the samples of a family.
func (j *joined) Each(family int, shard exposition.Shard, emit func(labels []string, value float64)) {
	j.parts[family].source.Each(j.parts[family].family, shard, emit)
}
