package yeastar

import (
	"reflect"
	"strings"
)

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
