package yeastar

import (
	"reflect"
	"slices"
	"strings"
	"sync"
	"unique"
)

// Record is a JSON object on the wire, read into the fields of R that have a tag: `api:"pbxStatus"`, or `api:"connections.used"`
// for a member of an object in it. The tag of a nested struct is put before those of its fields. A field is a Value, or
//
//   - an int64 or []int64: ids, which are above 0; an int64 is the id of the record, and 0 if that is not usable,
//   - an Int: an amount, or with ",time" a time in unix seconds,
//   - a string: as TextOf reads it; with ",shared" one that many records have, with ",host" the host and port of a URL.
//
// Names are matched in any case. What cannot be read is absent, and never fails the record.
type Record[R any] struct {
	Value      R
	ID         int64
	Unexpected []string // The names of the fields that could not be read.

	start byte // Of its JSON.
}

// Value is a field that reads its JSON itself. It is false for what it cannot read.
type Value interface{ Read(wire []byte) (ok bool) }

// UnmarshalJSON takes any JSON value.
func (r *Record[R]) UnmarshalJSON(wire []byte) error {
	*r = Record[R]{start: wire[0]}
	record, l := reflect.ValueOf(&r.Value).Elem(), layoutOf(reflect.TypeFor[R]())
	if r.start == '{' {
		l.read(wire, record, &r.Unexpected)
	}
	if l.id != nil {
		if r.ID = record.FieldByIndex(l.id.index).Int(); r.ID == 0 {
			r.Unexpected = append(r.Unexpected, l.id.name)
		}
	}
	return nil
}

// Problem says why it is not an object, empty if it is one.
func (r *Record[R]) Problem() string {
	switch r.start {
	case '{':
		return ""
	case 0, 'n':
		return noData
	default:
		return "the data of the response is not an object"
	}
}

// layout is what a type of records reads.
type layout struct {
	member
	id *member
}

// member is a value that is read, or an object that has such.
type member struct {
	name    string
	members map[string]*member // Of an object, by their names and by these in lower case.
	index   []int              // Of the record's field for a value,
	kind    string             // and what its tag has behind a comma.
}

var layouts sync.Map // By the type of the records.

func layoutOf(record reflect.Type) *layout {
	known, ok := layouts.Load(record)
	if !ok {
		l := &layout{member: member{members: map[string]*member{}}}
		l.add(record, "", nil)
		known, _ = layouts.LoadOrStore(record, l)
	}
	l, _ := known.(*layout)
	return l
}

// add adds the fields of a struct, which is at an index of the record.
func (l *layout) add(s reflect.Type, prefix string, index []int) {
	for i := range s.NumField() {
		field := s.Field(i)
		tag, tagged := field.Tag.Lookup("api")
		path, kind, _ := strings.Cut(prefix+tag, ",")
		at := slices.Concat(index, field.Index)
		switch {
		case !tagged:
		case field.Type.Kind() == reflect.Struct:
			l.add(field.Type, path, at)
		default:
			m := &l.member
			for name := range strings.SplitSeq(path, ".") {
				m = m.member(name)
			}
			if !field.IsExported() || !readable(field.Type) {
				panic("yeastar: no record can have the field " + s.String() + "." + field.Name)
			}
			m.index, m.kind = at, kind
			if field.Type == reflect.TypeFor[int64]() {
				l.id = m
			}
		}
	}
}

// member returns the member of that name, which it adds if there is none.
func (m *member) member(name string) *member {
	known := m.members[name]
	if known == nil {
		known = &member{name: name, members: map[string]*member{}}
		m.members[name], m.members[strings.ToLower(name)] = known, known
	}
	return known
}

// read reads the members of an object into a record.
func (m *member) read(object []byte, record reflect.Value, unexpected *[]string) {
	for rest := object[1:]; ; {
		var name, value []byte
		name, rest = cutJSON(rest)
		value, rest = cutJSON(rest)
		if len(value) == 0 {
			return
		}
		name, _ = scalar(name)
		known := m.members[string(name)]
		if known == nil {
			known = m.members[strings.ToLower(string(name))]
		}
		switch {
		case known == nil:
		case known.index == nil && value[0] == '{':
			known.read(value, record, unexpected)
		case known.index != nil && !read(value, record.FieldByIndex(known.index).Addr().Interface(), known.kind):
			if !slices.Contains(*unexpected, known.name) {
				*unexpected = append(*unexpected, known.name)
			}
		}
	}
}

// readable reports whether read has a case for fields of a type.
func readable(field reflect.Type) bool {
	switch reflect.New(field).Interface().(type) {
	case Value, *Int, *int64, *[]int64, *string:
		return true
	}
	return false
}

// read reads a value into a field.
func read(wire []byte, field any, kind string) (ok bool) {
	switch field := field.(type) {
	case Value:
		return field.Read(wire)
	case *Int:
		n := NumberOf(wire)
		if kind == "time" {
			*field, ok = n.Time()
		} else {
			*field, ok = n.Count()
		}
	case *int64:
		*field = NumberOf(wire).id()
		return true // Record reports a missing one as well.
	case *[]int64:
		var l List[Number]
		ok = l.UnmarshalJSON(wire) == nil && (l.Absent() || l.Problem() == "")
		*field = nil
		for _, n := range l.Items {
			if id := n.id(); id > 0 {
				*field = append(*field, id)
			} else {
				ok = false
			}
		}
	case *string:
		*field, ok = TextOf(wire)
		switch kind {
		case "shared":
			*field = unique.Make(*field).Value()
		case "host":
			text := strings.TrimSpace(*field)
			*field = hostOf(text)
			ok = ok && (*field != "" || text == "")
		}
	}
	return ok
}

// RecordFields returns the JSON names of all fields that records have, and of the objects that these are in. The value is true for
// a field that may be a number.
func RecordFields(records ...any) map[string]bool {
	fields := map[string]bool{}
	for _, r := range records {
		layoutOf(reflect.TypeOf(r)).addNames(fields, reflect.TypeOf(r))
	}
	return fields
}

func (m *member) addNames(fields map[string]bool, record reflect.Type) {
	for _, known := range m.members {
		isNumber := known.index != nil && record.FieldByIndex(known.index).Type.Kind() != reflect.String
		fields[known.name] = fields[known.name] || isNumber
		known.addNames(fields, record)
	}
}
