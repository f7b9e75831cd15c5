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
// record and what the columns read. The source owns the records from now on, and holds their ids as labels besides them.
func PerPBX[T, R any](account Account, columns []Column[R], records []T, identify func(*T) (PBX, *R)) (s Source) {
	ids, order := make([]string, len(records)), make([]int32, len(records))
	for i := range records {
		if pbx, _ := identify(&records[i]); pbx.ID != 0 {
			ids[i] = strconv.FormatInt(pbx.ID, 10)
		}
		order[i] = int32(i)
	}
	slices.SortStableFunc(order, func(a, b int32) int { return strings.Compare(ids[a], ids[b]) })
	for _, c := range layOut(columns, pbxLabels(), account.Excluded...) {
		// There is no allocation per sample.
		s = append(s, family{c.Family, func(shard exposition.Shard, emit func([]string, float64)) {
			labels := make([]string, len(c.Labels))
			own := make([]string, len(c.own))
			sample := func(value float64) {
				for i, at := range c.own {
					labels[at] = own[i]
				}
				emit(labels, value)
			}
			for _, i := range order {
				pbx, r := identify(&records[i])
				if !shard.Has(account.Name, pbx.ID) {
					continue
				}
				for at, value := range [...]string{account.Name, ids[i], pbx.Name, pbx.Region} {
					labels[c.identity[at]] = value
				}
				c.read(r, own, sample)
			}
		}})
	}
	return s
}
