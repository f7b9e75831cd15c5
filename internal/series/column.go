// Package series turns typed records into the samples of a snapshot, by columns. It does not know YCM.
//
// A [Column] is a family with the function that reads its samples. Records of PBXs become samples each time that a
// snapshot is read ([PerPBX]); those of an account as a whole are few, and become samples at once ([PerAccount]). What the
// API did not send has no sample, never a 0.
package series

// Account owns series, of which the excluded families are not made.
type Account struct {
	Name     string
	Excluded []string
}

// Column declares a family with the function that reads its samples from a record.
type Column[R any] struct {
	Name, Help string
	Labels     []string // further ones than those that identify the record; sorted
	// Read calls sample for each sample of the record, after it has put the values of Labels into the slice, in the
	// order of Labels. If it calls sample more than once for a PBX, it does so in the order of those values.
	Read func(r *R, labels []string, sample func(float64))
}

// number is a whole number that the API may not have sent.
type number interface{ Get() (n int64, ok bool) }

// toggle is a switch that the API may not have sent.
type toggle interface{ Get() (on, ok bool) }

// Number is a column for a value in the unit of the API.
func Number[R any, N number](name string, get func(*R) N, help string) Column[R] {
	return scaled(name, get, help, 1)
}

// Minutes is a column in seconds for a value that the API sends in minutes.
func Minutes[R any, N number](name string, get func(*R) N, help string) Column[R] {
	return scaled(name, get, help, 60)
}

func scaled[R any, N number](name string, get func(*R) N, help string, factor float64) Column[R] {
	return Column[R]{Name: name, Help: help, Read: func(r *R, _ []string, sample func(float64)) {
		if n, ok := get(r).Get(); ok {
			sample(factor * float64(n))
		}
	}}
}

// Toggle is a column for a switch: on (1) or off (0).
func Toggle[R any, T toggle](name string, get func(*R) T, help string) Column[R] {
	return Column[R]{Name: name, Help: help, Read: func(r *R, _ []string, sample func(float64)) {
		if on, ok := get(r).Get(); ok {
			sample(Boolean(on))
		}
	}}
}

// PerItem is a column with a sample, and a label, for each item of a record that has the value.
func PerItem[R, T any, N number](name, label string, items func(*R) []T, get func(*T) (string, N), factor float64, help string) Column[R] {
	return Column[R]{Name: name, Help: help, Labels: []string{label}, Read: func(r *R, labels []string, sample func(float64)) {
		all := items(r)
		for i := range all {
			item, value := get(&all[i])
			if n, ok := value.Get(); ok {
				labels[0] = item
				sample(factor * float64(n))
			}
		}
	}}
}

// Flag is a column for what is always known to be true (1) or false (0).
func Flag[R any](name string, get func(*R) bool, help string) Column[R] {
	return Column[R]{Name: name, Help: help, Read: func(r *R, _ []string, sample func(float64)) { sample(Boolean(get(r))) }}
}

// Boolean is the value of a sample that is 1 or 0.
func Boolean(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
