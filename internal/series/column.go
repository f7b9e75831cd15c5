// Package series writes down what a collector learned: columns turn typed records into the samples of a snapshot.
//
// A [Column] is a family beside the function that reads its samples. Records of PBXs make samples each time that a
// snapshot is walked ([PerPBX]); what is known of an account as a whole is little, and made into samples at once
// ([PerAccount]). What the API did not give has no sample, never a 0.
package series

import (
	"slices"
	"strings"

	"github.com/ycm-exporter/ycm_exporter/internal/exposition"
)

// Account is whose the series are, and which families are not made of what is known of it.
type Account struct {
	Name     string
	Excluded []string
}

// Column declares a family beside the function that reads its samples from a record.
type Column[R any] struct {
	Name, Help string
	Labels     []string // besides the ones that identify the record; sorted
	// Read calls sample for each sample of the record, after it has put the values of Labels into the slice, in the
	// order of Labels. Where it calls sample more than once for a PBX, then in the order of those values.
	Read func(r *R, labels []string, sample func(float64))
}

// number is a whole number that the API may not have given.
type number interface{ Get() (n int64, ok bool) }

// toggle is a switch that the API may not have given.
type toggle interface{ Get() (on, ok bool) }

// Number is a column for a value that the API gives as it is served.
func Number[R any, N number](name, help string, get func(*R) N) Column[R] {
	return scaled(name, help, 1, get)
}

// Minutes is a column for a value that the API gives in minutes; it is served in seconds.
func Minutes[R any, N number](name, help string, get func(*R) N) Column[R] {
	return scaled(name, help, 60, get)
}

func scaled[R any, N number](name, help string, factor float64, get func(*R) N) Column[R] {
	return Column[R]{Name: name, Help: help, Read: func(r *R, _ []string, sample func(float64)) {
		if n, ok := get(r).Get(); ok {
			sample(factor * float64(n))
		}
	}}
}

// Toggle is a column for what is on (1) or off (0).
func Toggle[R any, T toggle](name, help string, get func(*R) T) Column[R] {
	return Column[R]{Name: name, Help: help, Read: func(r *R, _ []string, sample func(float64)) {
		if on, ok := get(r).Get(); ok {
			sample(Boolean(on))
		}
	}}
}

// Boolean is the value of a sample that is 1 or 0.
func Boolean(b bool) float64 {
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

// without is the columns but for those of excluded families.
func without[R any](columns []Column[R], excluded []string) (left []Column[R]) {
	for _, c := range columns {
		if !slices.Contains(excluded, c.Name) {
			left = append(left, c)
		}
	}
	return left
}

// layOut lays out the labels of each column, and returns the columns sorted by name with it.
func layOut[R any](columns []Column[R], identity []string) ([]Column[R], []layout) {
	sorted := slices.SortedFunc(slices.Values(columns), func(a, b Column[R]) int { return strings.Compare(a.Name, b.Name) })
	layouts := make([]layout, len(sorted))
	for i, c := range sorted {
		labels := slices.Concat(identity, c.Labels)
		slices.Sort(labels)
		layouts[i] = layout{
			family:   exposition.Family{Name: c.Name, Help: c.Help, Labels: labels},
			identity: places(labels, identity),
			own:      places(labels, c.Labels),
		}
	}
	return sorted, layouts
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
