package yeastar

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Decode reads an answer, a JSON object. What has another shape than into stays empty there.
func Decode(body []byte, into any) *Error {
	body = bytes.TrimPrefix(body, []byte("\ufeff")) // The byte order mark of some Windows servers.
	err := tolerant(json.Unmarshal(body, into))
	switch start := bytes.TrimSpace(body); {
	case len(start) == 0:
		return &Error{Class: Invalid, Message: "the answer is empty"}
	case start[0] == '<':
		return &Error{Class: Invalid, Message: "the answer is HTML, not JSON"}
	case start[0] == '{' && err != nil && strings.Contains(err.Error(), "unexpected end"):
		return &Error{Class: Network, Message: "the answer ends in the middle"}
	case err != nil:
		return &Error{Class: Invalid, Message: "the answer is not JSON: " + err.Error()}
	case start[0] != '{':
		return &Error{Class: Invalid, Message: "the answer is not a JSON object"}
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

// List is an array on the wire, each item with what could be read of it. Null is none.
type List[T any] struct {
	Items      []T
	Given      bool
	Alone      bool // It is one object, without an array around it.
	More       bool // There are more than MaxItems; the others were not read.
	Unreadable bool // It is something else.
}

// UnmarshalJSON takes any JSON value.
func (l *List[T]) UnmarshalJSON(wire []byte) error {
	*l = List[T]{Given: wire[0] == '[' || wire[0] == '{', Alone: wire[0] == '{'}
	l.Unreadable = !l.Given && wire[0] != 'n'
	if !l.Given {
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

// Each reads a JSON array, or an object as an array of one, and hands over each item with what could be read of it, until
// take returns false.
func Each[T any](wire []byte, take func(item T) bool) error {
	items := json.NewDecoder(bytes.NewReader(wire))
	if wire[0] == '[' {
		if _, err := items.Token(); err != nil {
			return err
		}
	}
	for items.More() {
		var item T
		if err := tolerant(items.Decode(&item)); err != nil {
			return err
		}
		if !take(item) {
			return nil
		}
	}
	return nil
}

// Absent reports whether there is none.
func (l *List[T]) Absent() bool { return !l.Given && !l.Unreadable }

// Problem says why it is not a complete array, empty if it is.
func (l *List[T]) Problem() string {
	switch {
	case l.Absent():
		return noData
	case l.Unreadable || l.Alone:
		return "the answer has no list where one was expected"
	case l.More:
		return fmt.Sprintf("the answer's list has more than %d items", MaxItems)
	default:
		return ""
	}
}

const noData = "the answer has no data"

// Object is a JSON object on the wire, with what could be read of it.
type Object[T any] struct {
	Value T
	start byte // of its JSON
}

// UnmarshalJSON takes any JSON value.
func (o *Object[T]) UnmarshalJSON(wire []byte) error {
	*o = Object[T]{start: wire[0]}
	if o.start != '{' {
		return nil
	}
	return tolerant(json.Unmarshal(wire, &o.Value))
}

// Problem says why it is not an object, empty if it is one.
func (o *Object[T]) Problem() string {
	switch o.start {
	case '{':
		return ""
	case 0, 'n':
		return noData
	default:
		return "the answer's data is not an object"
	}
}

// scalar returns what a JSON scalar says: a string without its quotes and escapes, a number or a boolean as written,
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
