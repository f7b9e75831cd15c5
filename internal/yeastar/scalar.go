package yeastar

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Int is a whole number that an answer may leave out: IntOf a number, or Absent. The zero value is Absent, so that a stored record
// without the field, of an earlier version, has none.
type Int int64

// Absent is the Int that was not given, or could not be read.
const Absent Int = 0

// IntOf returns a number as an Int. The least int64 is Absent.
func IntOf(n int64) Int { return Int(n ^ math.MinInt64) }

// Get returns the number, and whether there is one.
func (i Int) Get() (int64, bool) { return int64(i) ^ math.MinInt64, i != Absent }

// MarshalJSON writes the number, null for Absent.
func (i Int) MarshalJSON() ([]byte, error) {
	n, ok := i.Get()
	if !ok {
		return []byte("null"), nil
	}
	return strconv.AppendInt(nil, n, 10), nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (i *Int) UnmarshalJSON(wire []byte) error {
	if string(wire) == "null" {
		*i = Absent
		return nil
	}
	n, err := strconv.ParseInt(string(wire), 10, 64)
	*i = IntOf(n)
	return err
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
	*n = NumberOf(wire)
	return nil
}

// NumberOf reads a Number.
func NumberOf(wire []byte) (n Number) {
	content, ok := scalar(wire)
	content = bytes.TrimSpace(content)
	if ok && len(content) == 0 {
		return n
	}
	if ok {
		n.Value, n.Given = wholeNumber(content)
	}
	n.Unreadable = !n.Given
	return n
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

// Count reads the number as an amount, which is never negative. It is false for what is none.
func (n Number) Count() (Int, bool) {
	if !n.Given || n.Value < 0 {
		return Absent, !n.Given && !n.Unreadable
	}
	return IntOf(n.Value), true
}

// Time reads the number as unix seconds, or as milliseconds where it is after 2001 as such; as seconds it would be after the year
// 33,000. So 9999-12-31 in any time zone, which stands for never, is read in both units. 0 is absent, as YCM writes it for never too.
func (n Number) Time() (Int, bool) {
	const milliseconds, tooLate = 1e12, 253_402_387_200_000 // 10000-01-02 UTC
	switch {
	case n.Given && n.Value == 0:
		return Absent, true
	case n.Value >= tooLate:
		return Absent, false
	case n.Value >= milliseconds:
		return IntOf(n.Value / 1000), true
	default:
		return n.Count()
	}
}

// id reads the number as an id, 0 if it is none.
func (n Number) id() int64 { return max(n.Value, 0) }

// Switch is a yes-or-no value that an answer may leave out. The zero value is absent.
type Switch uint8

// The states of a Switch.
const (
	SwitchAbsent Switch = iota
	SwitchOff
	SwitchOn
)

// Get returns whether the switch is on, and whether that was given.
func (s Switch) Get() (on, ok bool) { return s == SwitchOn, s != SwitchAbsent }

// Read takes Enabled, enable, yes, true, on, 1, Activated, Subscribed and their opposites, in any case.
func (s *Switch) Read(wire []byte) (ok bool) {
	content, ok := scalar(wire)
	word := string(bytes.TrimSpace(content))
	*s = SwitchAbsent
	switch {
	case !ok, len(word) == 0:
		return ok
	case isAny(word, "enabled", "activated", "yes", "true", "on", "1", "enable", "subscribed"):
		*s = SwitchOn
	case isAny(word, "disabled", "unactivated", "no", "false", "off", "0", "disable", "not subscribed"):
		*s = SwitchOff
	}
	return *s != SwitchAbsent
}

// MaxText is how many bytes of a text are kept. Some services that store metrics accept labels of 1,023 bytes.
const MaxText = 1000

// TextOf reads a string that can be shown, or a number or boolean in place of one: of valid UTF-8, without line ends and tabs
// around it, with U+FFFD in place of what clean replaces, of at most MaxText bytes. It is false for what is none.
func TextOf(wire []byte) (text string, ok bool) {
	content, ok := scalar(wire)
	return string(Cut(clean(Cut(bytes.Trim(content, "\t\n\v\f\r"), MaxText)), MaxText)), ok
}

// scalar returns the content of a JSON scalar: a string without its quotes and escapes, a number or a boolean as written,
// nothing for null. It is false for objects and arrays. The result may share wire's memory.
func scalar(wire []byte) (content []byte, ok bool) {
	switch {
	case len(wire) == 0 || string(wire) == "null":
		return nil, true
	case wire[0] == '{' || wire[0] == '[':
		return nil, false
	case wire[0] != '"':
		return wire, true
	}
	bare, closed := bytes.CutSuffix(wire[1:], []byte{'"'})
	if closed && bytes.IndexByte(bare, '\\') < 0 && utf8.Valid(bare) {
		return bare, true
	}
	var s string
	if err := json.Unmarshal(wire, &s); err != nil {
		return nil, false
	}
	return []byte(s), true
}

// isAny reports whether text is one of the words, in any case.
func isAny(text string, words ...string) bool {
	return slices.ContainsFunc(words, func(word string) bool { return strings.EqualFold(text, word) })
}
