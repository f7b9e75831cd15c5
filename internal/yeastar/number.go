package yeastar

import (
	"bytes"
	"math"
	"strconv"
)

// Int is a whole number that an answer may leave out.
type Int int64

// Absent is the Int that was not given, or could not be read.
const Absent Int = math.MinInt64

// Get returns the number, and whether there is one.
func (i Int) Get() (int64, bool) { return int64(i), i != Absent }

// Unexpected receives the JSON name of each field that could not be read. It may be nil.
type Unexpected func(field string)

func (u Unexpected) report(field string) {
	if u != nil {
		u(field)
	}
}

// Number is a whole number on the wire: bare or quoted, null or empty for absent. Like all scalars here it takes any
// JSON value, because the vendor writes the same field as a number, as a string or not at all: what cannot be read is
// marked and never fails the answer around it.
type Number struct {
	Value      int64
	Given      bool
	Unreadable bool
}

// UnmarshalJSON takes any JSON value.
func (n *Number) UnmarshalJSON(wire []byte) error {
	*n = Number{}
	content, ok := scalar(wire)
	content = bytes.TrimSpace(content)
	if ok && len(content) == 0 {
		return nil
	}
	if ok {
		n.Value, n.Given = wholeNumber(content)
	}
	n.Unreadable = !n.Given
	return nil
}

// wholeNumber reads 12, -12, 12.0 and 1.2e1; not 12.5, and nothing that an int64 cannot hold exactly.
func wholeNumber(content []byte) (int64, bool) {
	if len(content) > 64 {
		return 0, false
	}
	if i, err := strconv.ParseInt(string(content), 10, 64); err == nil {
		return i, true
	}
	if len(bytes.Trim(content, "0123456789+-.eE")) > 0 { // ParseFloat also reads inf, nan and hexadecimals.
		return 0, false
	}
	const exact = 1 << 53
	f, err := strconv.ParseFloat(string(content), 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) >= exact {
		return 0, false
	}
	return int64(f), true
}

// Count reads the number as an amount, which is never negative.
func (n Number) Count(field string, unexpected Unexpected) Int {
	if n.Unreadable || n.Value < 0 {
		unexpected.report(field)
		return Absent
	}
	if !n.Given {
		return Absent
	}
	return Int(n.Value)
}

// Time reads the number as unix seconds. 0 is absent, as YCM writes it for never, and what is too large for seconds
// is taken as milliseconds.
func (n Number) Time(field string, unexpected Unexpected) Int {
	const milliseconds, beyond = 1e11, 1e14
	switch seconds := n.Count(field, unexpected); {
	case seconds == 0:
		return Absent
	case seconds < milliseconds:
		return seconds
	case seconds < beyond:
		return seconds / 1000
	default:
		unexpected.report(field)
		return Absent
	}
}

// ID reads the number as an id, which is above 0.
func (n Number) ID(field string, unexpected Unexpected) (int64, bool) {
	if !n.Given || n.Value <= 0 {
		unexpected.report(field)
		return 0, false
	}
	return n.Value, true
}
