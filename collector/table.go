package collector

import (
	"slices"
	"strconv"
	"strings"

	"github.com/ycm-exporter/ycm_exporter/exposition"
	"github.com/ycm-exporter/ycm_exporter/yeastar"
)

// column declares a family beside the function that reads its samples from a record.
type column[R any] struct {
	name, help string
	labels     []string // besides the ones that identify the record; sorted
	// read calls sample for each sample of the record, after it has put the values of labels into the slice, in the
	// order of labels. Where it calls sample more than once, then in the order of those values.
	read func(r *R, labels []string, sample func(float64))
}

// number is a column for a value that the API gives as it is served.
func number[R any](name, help string, get func(*R) yeastar.Int) column[R] {
	return scaled(name, help, 1, get)
}

// minutes is a column for a value that the API gives in minutes; it is served in seconds.
func minutes[R any](name, help string, get func(*R) yeastar.Int) column[R] {
	return scaled(name, help, 60, get)
}

func scaled[R any](name, help string, factor float64, get func(*R) yeastar.Int) column[R] {
	return column[R]{name: name, help: help, read: func(r *R, _ []string, sample func(float64)) {
		if n, ok := get(r).Get(); ok {
			sample(factor * float64(n))
		}
	}}
}

// toggle is a column for what is on (1) or off (0).
func toggle[R any](name, help string, get func(*R) yeastar.Switch) column[R] {
	return column[R]{name: name, help: help, read: func(r *R, _ []string, sample func(float64)) {
		if on, ok := get(r).Get(); ok {
			sample(boolean(on))
		}
	}}
}

func boolean(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// layout is a column's family, and where among its sorted labels the identity's and the column's own are.
type layout struct {
	family        exposition.Family
	identity, own []int
}

// layOut sorts columns by name and lays out the labels of each.
func layOut[R any](columns []column[R], identity ...string) []layout {
	slices.SortFunc(columns, func(a, b column[R]) int { return strings.Compare(a.name, b.name) })
	layouts := make([]layout, len(columns))
	for i, c := range columns {
		labels := slices.Concat(identity, c.labels)
		slices.Sort(labels)
		layouts[i] = layout{
			family:   exposition.Family{Name: c.name, Help: c.help, Labels: labels},
			identity: places(labels, identity),
			own:      places(labels, c.labels),
		}
	}
	return layouts
}

func places(sorted, labels []string) []int {
	at := make([]int, len(labels))
	for i, label := range labels {
		at[i] = slices.Index(sorted, label)
	}
	return at
}

func familiesOf(layouts []layout) []exposition.Family {
	families := make([]exposition.Family, len(layouts))
	for i, l := range layouts {
		families[i] = l.family
	}
	return families
}

// perPBX is a snapshot of records that belong to one PBX each, as an exposition.Source that makes samples straight
// from the records: besides them it holds a few bytes a PBX.
type perPBX[R any] struct {
	account  string
	columns  []column[R]
	layouts  []layout
	families []exposition.Family
	records  []R
	identify func(*R) (id int64, name, region string)
	ids      decimals
}

// pbxLabels identify a PBX on each of its series.
func pbxLabels() []string { return []string{"account", "cloud_pbx_id", "name", "region"} }

// newPerPBX makes a source of records, which have distinct ids, or an id of 0 and names in order. They and the columns
// are the source's from now on.
func newPerPBX[R any](account string, columns []column[R], records []R, identify func(*R) (int64, string, string)) *perPBX[R] {
	layouts := layOut(columns, pbxLabels()...)
	return &perPBX[R]{
		account: account, columns: columns, layouts: layouts, families: familiesOf(layouts), records: records,
		identify: identify,
		ids: newDecimals(len(records), func(i int) int64 {
			id, _, _ := identify(&records[i])
			return id
		}),
	}
}

// Families describes the columns.
func (s *perPBX[R]) Families() []exposition.Family { return s.families }

// Each calls emit for the samples of a family, without an allocation per sample.
func (s *perPBX[R]) Each(family int, shard exposition.Shard, emit func(labels []string, value float64)) {
	c, l := &s.columns[family], &s.layouts[family]
	labels := make([]string, len(l.family.Labels))
	own := make([]string, len(l.own))
	sample := func(value float64) {
		for i, at := range l.own {
			labels[at] = own[i]
		}
		emit(labels, value)
	}
	for _, i := range s.ids.order {
		r := &s.records[i]
		id, name, region := s.identify(r)
		if !shard.Has(s.account, id) {
			continue
		}
		for at, value := range [...]string{s.account, s.ids.at(i), name, region} {
			labels[l.identity[at]] = value
		}
		c.read(r, own, sample)
	}
}

// decimals is the ids of records in decimal, all in one string, as labels are: it costs few bytes an id. An id of 0 is
// none, which is an empty label.
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
