package strictyaml

import (
	"reflect"
	"strings"

	"github.com/agext/levenshtein"
)

// Entry is a key that a mapping may have, and a pointer to the struct that its value is read into.
type Entry struct {
	Key  string
	Into any
}

type key struct {
	name string
	out  reflect.Value
}

// keysOf lists the keys of what is written as a mapping with known keys, and is nil for all else: those of a struct's fields,
// or those that a method Entries names.
func keysOf(out reflect.Value) (keys []key) {
	if named, ok := out.Interface().(interface{ Entries() []Entry }); ok {
		for _, e := range named.Entries() {
			keys = append(keys, key{e.Key, reflect.ValueOf(e.Into).Elem()})
		}
		return keys
	}
	for out.Kind() == reflect.Pointer || out.Kind() == reflect.Interface {
		out = out.Elem()
	}
	for i := 0; out.Kind() == reflect.Struct && i < out.NumField(); i++ {
		name, options, _ := strings.Cut(out.Type().Field(i).Tag.Get("yaml"), ",")
		if options == "inline" {
			keys = append(keys, keysOf(out.Field(i))...)
		} else if name != "" {
			keys = append(keys, key{name, out.Field(i)})
		}
	}
	return keys
}

// tagged reports whether a type is a struct that is read field by field.
func tagged(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t.NumField() > 0 && t.Field(0).Tag.Get("yaml") != ""
}

// suggestion names the known keys, and the one that was probably meant.
func suggestion(name string, keys []key) string {
	meant, likeness, hidden := "", 0.7, ""
	var known []string
	for _, k := range keys {
		known = append(known, k.name)
		if len(name) > 2*len(k.name) {
			continue // It could be as long as the file.
		}
		if like := levenshtein.Similarity(strings.ToLower(name), k.name, nil); like >= likeness {
			meant, likeness = "did you mean "+k.name+"? ", like
		}
	}
	if !plainKey.MatchString(name) {
		hidden = " (it is not shown, as it could be a secret)"
	}
	return hidden + "; " + meant + "known here: " + strings.Join(known, ", ")
}
