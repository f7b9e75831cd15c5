package yeastar

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
)

// Value is what a field on the wire holds. Set stores it in the field of a record, and reports the JSON name of one that cannot be
// read.
type Value interface {
	Set(record reflect.Value, name string, unexpected Unexpected)
}

// Fields knows which field of a wire struct W belongs to which of a record R: that of the same name. A nested struct of W fills the
// field of its name, or R itself if that has none. Fields of W that are no Value are left to the caller.
type Fields[W, R any] []field

type field struct {
	name         string // In JSON.
	wire, record []int
}

// FieldsOf finds the fields. It panics if a Value of W belongs nowhere, so call it where the package is initialised.
func FieldsOf[W, R any]() Fields[W, R] {
	return fieldsOf(reflect.TypeFor[W](), reflect.TypeFor[R](), nil, nil)
}

func fieldsOf(wire, record reflect.Type, wirePath, recordPath []int) (all []field) {
	for i := range wire.NumField() {
		w := wire.Field(i)
		path := slices.Concat(wirePath, w.Index)
		r, ok := record.FieldByName(w.Name)
		name, _, _ := strings.Cut(w.Tag.Get("json"), ",")
		switch {
		case reflect.PointerTo(w.Type).Implements(reflect.TypeFor[Value]()):
			if !ok {
				panic("no field of " + record.String() + " for " + w.Name)
			}
			all = append(all, field{name, path, slices.Concat(recordPath, r.Index)})
		case w.Type.Kind() != reflect.Struct || reflect.PointerTo(w.Type).Implements(reflect.TypeFor[json.Unmarshaler]()):
		case ok:
			all = append(all, fieldsOf(w.Type, r.Type, path, slices.Concat(recordPath, r.Index))...)
		default:
			all = append(all, fieldsOf(w.Type, record, path, recordPath)...)
		}
	}
	return all
}

// Copy fills the record from what was read.
func (f Fields[W, R]) Copy(record *R, wire *W, unexpected Unexpected) {
	from, to := reflect.ValueOf(wire).Elem(), reflect.ValueOf(record).Elem()
	for i := range f {
		value, _ := from.FieldByIndex(f[i].wire).Addr().Interface().(Value)
		value.Set(to.FieldByIndex(f[i].record), f[i].name, unexpected)
	}
}

// WireFields returns the JSON names of all fields of some structs and of the structs that they hold. The value is true for a
// field that is a number.
func WireFields(structs ...any) map[string]bool {
	fields := map[string]bool{}
	for _, s := range structs {
		addFields(fields, reflect.TypeOf(s))
	}
	return fields
}

// addFields adds the fields of a type and reports whether it is a number, or a list of them.
func addFields(fields map[string]bool, t reflect.Type) (number bool) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return addFields(fields, t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			isNumber := addFields(fields, t.Field(i).Type)
			if name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ","); name != "" {
				fields[name] = fields[name] || isNumber
			} else { // The content of a List or an Object.
				number = number || isNumber
			}
		}
	}
	return number || t == reflect.TypeFor[Number]()
}
