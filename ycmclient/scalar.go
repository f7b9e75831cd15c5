package ycmclient

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ycm-exporter/ycm_exporter/yeastar"
)

// The types below are scalars on the wire. YCM writes the same field as a number, as a string or not at all, so
// each takes any JSON value: what cannot be read is marked odd and never fails the answer around it.

// number is a whole number on the wire: bare or quoted, null or empty for absent.
type number struct {
	value int64
	given bool
	odd   bool
}

// UnmarshalJSON takes any JSON value.
func (n *number) UnmarshalJSON(wire []byte) error {
	*n = number{}
	text, ok := scalarText(wire)
	if !ok {
		n.odd = true
		return nil
	}
	text = bytes.TrimSpace(text)
	if len(text) == 0 {
		return nil
	}
	n.value, n.given = wholeNumber(text)
	n.odd = !n.given
	return nil
}

// wholeNumber reads 12, -12, 12.0 and 1.2e1; not 12.5, and nothing that an int64 cannot hold exactly.
func wholeNumber(text []byte) (int64, bool) {
	if len(text) > 64 {
		return 0, false
	}
	if i, err := strconv.ParseInt(string(text), 10, 64); err == nil {
		return i, true
	}
	if len(bytes.Trim(text, "0123456789+-.eE")) > 0 { // ParseFloat also reads inf, nan and hexadecimals.
		return 0, false
	}
	const exact = 1 << 53
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) >= exact {
		return 0, false
	}
	return int64(f), true
}

// oddities is told the JSON name of each field that held rubbish.
type oddities func(field string)

// count reads the number as an amount, which is never negative.
func (n number) count(field string, odd oddities) yeastar.Int {
	if n.odd || n.value < 0 {
		odd(field)
		return yeastar.Absent
	}
	if !n.given {
		return yeastar.Absent
	}
	return yeastar.Int(n.value)
}

// time reads the number as unix seconds. 0 is absent, as YCM writes it for never, and what is too large for seconds
// is taken as milliseconds.
func (n number) time(field string, odd oddities) yeastar.Int {
	const milliseconds, beyond = 1e11, 1e14
	switch seconds := n.count(field, odd); {
	case seconds == 0:
		return yeastar.Absent
	case seconds < milliseconds:
		return seconds
	case seconds < beyond:
		return seconds / 1000
	default:
		odd(field)
		return yeastar.Absent
	}
}

// id reads the number as an id, which is above 0.
func (n number) id(field string, odd oddities) (int64, bool) {
	if !n.given || n.value <= 0 {
		odd(field)
		return 0, false
	}
	return n.value, true
}

// toggle is a Switch on the wire: Enabled, enable, yes, true, on, 1, Activated or their opposites, in any case.
type toggle struct {
	value yeastar.Switch
	odd   bool
}

// UnmarshalJSON takes any JSON value.
func (t *toggle) UnmarshalJSON(wire []byte) error {
	*t = toggle{}
	text, ok := scalarText(wire)
	text = bytes.TrimSpace(text)
	switch {
	case !ok:
		t.odd = true
	case len(text) == 0:
	case isAny(text, "enabled", "activated", "yes", "true", "on", "1", "enable"):
		t.value = yeastar.SwitchOn
	case isAny(text, "disabled", "unactivated", "no", "false", "off", "0", "disable"):
		t.value = yeastar.SwitchOff
	default:
		t.odd = true
	}
	return nil
}

// get returns the switch.
func (t toggle) get(field string, odd oddities) yeastar.Switch {
	if t.odd {
		odd(field)
	}
	return t.value
}

// isAny tells whether text is one of the words, in any case.
func isAny(text []byte, words ...string) bool {
	for _, word := range words {
		if len(text) == len(word) && strings.EqualFold(string(text), word) {
			return true
		}
	}
	return false
}

// maxText is how many bytes of a text are kept: enough for every honest name, and a bound for the others.
const maxText = 1024

// text is a string on the wire, or a number or boolean in place of one. It keeps its room when it is read again.
type text struct {
	bytes []byte
	odd   bool
}

// UnmarshalJSON takes any JSON value.
func (t *text) UnmarshalJSON(wire []byte) error {
	content, ok := scalarText(wire)
	if len(content) > maxText {
		end := maxText
		for !utf8.RuneStart(content[end]) {
			end--
		}
		content = content[:end]
	}
	t.bytes, t.odd = append(t.bytes[:0], content...), !ok
	return nil
}

// get returns the bytes, which are good until the text is read again.
func (t *text) get(field string, odd oddities) []byte {
	if t.odd {
		odd(field)
	}
	return t.bytes
}

// scalarText returns what a JSON scalar says: a string without its quotes and escapes, a number or a boolean as
// written, nothing for null. It is false for objects and arrays. The result may share wire's memory.
func scalarText(wire []byte) (content []byte, ok bool) {
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

// numbers is a list of numbers on the wire. Anything else is no numbers.
type numbers []number

// UnmarshalJSON takes any JSON value.
func (n *numbers) UnmarshalJSON(wire []byte) error {
	const most = 10_000
	list, failure := decodeList[number](wire, most)
	if failure != nil {
		list = nil
		if string(wire) != "null" {
			list = []number{{odd: true}}
		}
	}
	*n = list
	return nil
}
