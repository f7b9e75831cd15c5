package yeastar

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Decode reads an answer, a JSON object. What has another shape than into stays empty there.
func Decode(body []byte, into any) *Error {
	body = bytes.TrimPrefix(body, []byte("\ufeff")) // The byte order mark of some Windows servers.
	err := tolerant(json.Unmarshal(body, into))
	switch start := bytes.TrimSpace(body); {
	case len(start) == 0:
		return &Error{Class: Invalid, Message: "the response is empty"}
	case start[0] == '<':
		return &Error{Class: Invalid, Message: "the response is HTML, not JSON"}
	case start[0] == '{' && err != nil && strings.Contains(err.Error(), "unexpected end"):
		return &Error{Class: Network, Message: "the response is incomplete"}
	case err != nil:
		return &Error{Class: Invalid, Message: "response is not JSON: " + err.Error()}
	case start[0] != '{':
		return &Error{Class: Invalid, Message: "the response is not a JSON object"}
	default:
		return nil
	}
}

// tolerant is err, but nil if it only says that a part of the JSON has another shape than what it was read into.
func tolerant(err error) error {
	if shape := (*json.UnmarshalTypeError)(nil); errors.As(err, &shape) {
		return nil
	}
	return err
}

// MaxItems bounds a list: a few bytes of JSON make a large item. No real answer comes near it.
const MaxItems = 5000

// List is an array on the wire, or one item without an array around it, each item with what could be read of it. Null and "" are none.
type List[T any] struct {
	Items []T
	More  bool // There are more than MaxItems; the others were not read.
	start byte // Of its JSON.
	empty bool // Its JSON has no content.
}

// UnmarshalJSON takes any JSON value.
func (l *List[T]) UnmarshalJSON(wire []byte) error {
	*l = List[T]{start: wire[0], empty: len(bytes.Trim(wire, "[]{}\" \t\r\n")) == 0}
	if l.Absent() || l.Unreadable() {
		return nil
	}
	return Each(wire, func(item T) bool {
		l.More = len(l.Items) == MaxItems
		if !l.More {
			l.Items = append(l.Items, item)
		}
		return !l.More
	})
}

// Absent reports whether there is none.
func (l *List[T]) Absent() bool { return l.start == 0 || l.start == 'n' || l.start == '"' && l.empty }

// Empty reports whether there is none, or an array or object without content.
func (l *List[T]) Empty() bool { return l.Absent() || l.empty }

// Unreadable reports whether it is something else.
func (l *List[T]) Unreadable() bool { return !l.Absent() && l.start != '[' && l.start != '{' }

// Problem says why it is not a complete array, empty if it is.
func (l *List[T]) Problem() string {
	switch {
	case l.Absent():
		return noData
	case l.start != '[':
		return "the response has no list where one was expected"
	case l.More:
		return fmt.Sprintf("the list of the response has more than %d items", MaxItems)
	default:
		return ""
	}
}

const noData = "the response has no data"

// Each reads a JSON array, or an object as an array of one, and hands over each item with what could be read of it, until
// take returns false.
func Each[T any](wire []byte, take func(item T) bool) error {
	wire = bytes.TrimPrefix(wire, []byte("["))
	var item T // In one place for all, which is allocated once.
	read := func(value []byte) error { return tolerant(json.Unmarshal(value, &item)) }
	if u, ok := any(&item).(json.Unmarshaler); ok {
		read = u.UnmarshalJSON // Without checking the JSON once more.
	}
	for value, rest := cutJSON(wire); len(value) > 0; value, rest = cutJSON(rest) {
		item = *new(T)
		if err := read(value); err != nil {
			return err
		}
		if !take(item) {
			return nil
		}
	}
	return nil
}

// cutJSON cuts the next value off the members of an array or object, which is valid. It is empty at their end.
func cutJSON(wire []byte) (value, rest []byte) {
	const between = ",: \t\r\n"
	wire = bytes.TrimLeft(wire, between)
	depth, quoted := 0, false
	for i := 0; i < len(wire); i++ {
		c := wire[i]
		switch {
		case quoted && c == '\\':
			i++
			continue
		case c == '"':
			quoted = !quoted
		case quoted:
			continue
		case c == '{' || c == '[':
			depth++
			continue
		case depth == 0 && (c == '}' || c == ']' || strings.IndexByte(between, c) >= 0): // Behind a number or a word.
			return wire[:i], wire[i:]
		case c == '}' || c == ']':
			depth--
		default:
			continue
		}
		if !quoted && depth == 0 {
			return wire[:i+1], wire[i+1:]
		}
	}
	return wire, nil
}
