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
// record and what the columns read. The source owns the records from now on, and holds but a few bytes per PBX besides them.
func PerPBX[T, R any](account Account, columns []Column[R], records []T, identify func(*T) (PBX, *R)) (s Source) {
	ids := newDecimals(len(records), func(i int) int64 {
		pbx, _ := identify(&records[i])
		return pbx.ID
	})
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
			for _, i := range ids.order {
				pbx, r := identify(&records[i])
				if !shard.Has(account.Name, pbx.ID) {
					continue
				}
				for at, value := range [...]string{account.Name, ids.at(i), pbx.Name, pbx.Region} {
					labels[c.identity[at]] = value
				}
				c.read(r, own, sample)
			}
		}})
	}
	return s
}

// decimals is the ids of records as labels, all in one string, which takes few bytes per id. An id of 0 is an empty label.
type decimals struct {
	digits string
	ends   []uint32 // of each id in digits
	order  []uint32 // of the records, by their ids as text
}

func newDecimals(n int, id func(i int) int64) decimals {
	digits := make([]byte, 0, 8*n)
	d := decimals{ends: make([]uint32, n), order: make([]uint32, n)}
	for i := range n {
		if id := id(i); id != 0 {
			digits = strconv.AppendInt(digits, id, 10)
		}
		d.ends[i], d.order[i] = uint32(len(digits)), uint32(i)
	}
	d.digits = string(digits)
	slices.SortStableFunc(d.order, func(a, b uint32) int { return strings.Compare(d.at(a), d.at(b)) })
	return d
}

// at is the id of record i.
func (d *decimals) at(i uint32) string {
	var start uint32
	if i > 0 {
		start = d.ends[i-1]
	}
	return d.digits[start:d.ends[i]]
}
