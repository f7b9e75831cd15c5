package series

import (
	"slices"
	"strconv"
	"strings"

	"github.com/ycm-exporter/ycm_exporter/internal/exposition"
)

// pbxLabels identify a PBX on each of its series.
func pbxLabels() []string { return []string{"account", "cloud_pbx_id", "name", "region"} }

// PBXFamilies returns the families of columns about PBXs, sorted by name.
func PBXFamilies[R any](columns []Column[R]) []exposition.Family {
	return familiesOf(columns, pbxLabels())
}

// PBX is what identifies a PBX. An ID of 0 is none, because YCM's list does not have the PBX.
type PBX struct {
	ID           int64
	Name, Region string
}

// PerPBX makes a source of records, which have distinct ids, or an id of 0 and names in order. identify returns the PBX of a
// record and what the columns read. The source owns the records from now on, and holds little more than the id of each PBX besides them.
func PerPBX[T, R any](account Account, columns []Column[R], records []T, identify func(*T) (PBX, *R)) *Source {
	s := &Source{}
	type row struct {
		id     string // empty for none
		record *T
	}
	rows := make([]row, len(records))
	for i := range records {
		rows[i].record = &records[i]
		if pbx, _ := identify(&records[i]); pbx.ID != 0 {
			rows[i].id = strconv.FormatInt(pbx.ID, 10)
		}
	}
	slices.SortStableFunc(rows, func(a, b row) int { return strings.Compare(a.id, b.id) })
	for _, c := range layOut(columns, pbxLabels(), account.Excluded...) {
		// There is no allocation per sample.
		s.families = append(s.families, family{c.Family, func(shard exposition.Shard, emit func([]string, float64)) {
			labels := make([]string, len(c.Labels))
			own := make([]string, len(c.own))
			sample := func(value float64) {
				for i, at := range c.own {
					labels[at] = own[i]
				}
				emit(labels, value)
			}
			for _, row := range rows {
				pbx, r := identify(row.record)
				if !shard.Has(account.Name, pbx.ID) {
					continue
				}
				for at, value := range [...]string{account.Name, row.id, pbx.Name, pbx.Region} {
					labels[c.identity[at]] = value
				}
				c.read(r, own, sample)
			}
		}})
	}
	return s
}
