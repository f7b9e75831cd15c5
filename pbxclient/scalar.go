package pbxclient

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ycm-exporter/ycm_exporter/yeastar"
)

var errNoList = errors.New("not a list")

// maxText bounds what is kept of any string of an answer, in bytes.
const maxText = 1024

// raw is a string as it was sent. A number is taken for its digits, anything else for nothing.
type raw string

func (r *raw) UnmarshalJSON(b []byte) error {
	*r = ""
	switch c := b[0]; {
	case c == '"':
		return json.Unmarshal(b, (*string)(r))
	case c == '-' || c >= '0' && c <= '9':
		*r = raw(b)
	}
	return nil
}

// text is a string that can be shown: without control characters, of valid UTF-8, of at most maxText bytes.
type text string

func (t *text) UnmarshalJSON(b []byte) error {
	var r raw
	if err := r.UnmarshalJSON(b); err != nil {
		return err
	}
	*t = text(shorten(clean(string(r)), maxText))
	return nil
}

// clean makes s fit for a terminal, a log and a label: a control character becomes U+FFFD.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return utf8.RuneError
		}
		return r
	}, strings.TrimSpace(s))
}

// shorten cuts s to at most limit bytes, between two characters.
func shorten(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}

// number is a whole number that came as a number or a string. Anything else is no number, never an error.
type number struct {
	v  int64
	ok bool
}

func (n *number) UnmarshalJSON(b []byte) error {
	*n = number{}
	var r raw
	if err := r.UnmarshalJSON(b); err != nil {
		return err
	}
	s := strings.TrimSpace(string(r))
	if v, err := strconv.ParseInt(s, 10, 64); err == nil {
		*n = number{v, true}
	} else if f, err := strconv.ParseFloat(s, 64); err == nil && f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		*n = number{int64(f), true}
	}
	return nil
}

// between returns n if it is in that range, else yeastar.Absent.
func (n number) between(low, high int64) yeastar.Int {
	if !n.ok || n.v < low || n.v > high {
		return yeastar.Absent
	}
	return yeastar.Int(n.v)
}

// maxItems bounds a list: a few bytes of JSON make a large item. No menu or page of an honest PBX comes near it.
const maxItems = 5000

// list is an array of objects. One object alone counts as an array of one, null as an empty one. An element that
// is no object is dropped and counted.
type list[T any] struct {
	items   []T
	dropped int
	more    bool // there were more than maxItems; the others were not read
}

func (l *list[T]) UnmarshalJSON(b []byte) error {
	*l = list[T]{}
	switch b[0] {
	case 'n':
		return nil
	case '{':
		l.add(b)
		return nil
	}
	elements := json.NewDecoder(bytes.NewReader(b))
	if start, err := elements.Token(); err != nil || start != json.Delim('[') {
		return errNoList
	}
	for element := json.RawMessage(nil); elements.More(); l.add(element) {
		if len(l.items)+l.dropped == maxItems {
			l.more = true
			return nil
		}
		if err := elements.Decode(&element); err != nil {
			return err
		}
	}
	return nil
}

func (l *list[T]) add(element json.RawMessage) {
	var item T
	if element[0] != '{' || json.Unmarshal(element, &item) != nil {
		l.dropped++
		return
	}
	l.items = append(l.items, item)
}
