package config

import (
	"net/url"
	"reflect"
	"strings"
	"time"

	promconfig "github.com/prometheus/common/config"
	"go.yaml.in/yaml/v3"

	"github.com/ycm-exporter/ycm_exporter/secret"
)

// decode fills out from what is written here, and leaves it as it is where nothing is. It is a decoder of our own because
// the library's has no line for an unknown key, stops reading a struct at its first error, and quotes values.
func (p place) decode(out reflect.Value) {
	if !p.given() {
		return
	}
	switch target := out.Addr().Interface().(type) {
	case *secret.Text:
		if text, ok := p.text(); ok {
			*target = secret.New(strings.TrimSpace(text))
		}
	case *time.Duration:
		p.duration(target)
	case **url.URL:
		p.url(target)
	case *promconfig.URL:
		p.url(&target.URL)
	case *promconfig.TLSVersion:
		p.tlsVersion(target)
	default:
		p.decodeKind(out)
	}
}

func (p place) decodeKind(out reflect.Value) {
	switch out.Kind() {
	case reflect.String:
		if text, ok := p.text(); ok {
			out.SetString(text)
		}
	case reflect.Int:
		p.integer(out)
	case reflect.Bool:
		p.boolean(out)
	case reflect.Pointer:
		out.Set(reflect.New(out.Type().Elem()))
		p.decode(out.Elem())
	case reflect.Slice:
		p.decodeList(out)
	case reflect.Map:
		out.Set(reflect.MakeMap(out.Type()))
		for _, e := range p.entries() {
			e.decodeInto(out)
		}
	case reflect.Struct:
		p.decodeStruct(out)
	default:
		p.problem("cannot be set here; leave it out")
	}
}

func (p place) decodeList(out reflect.Value) {
	if p.node.Kind != yaml.SequenceNode {
		p.problem("must be a list, not %s", kind(p.node))
		return
	}
	list := reflect.Zero(out.Type())
	for i := 0; i < len(p.node.Content) && p.spend(); i++ {
		item := reflect.New(out.Type().Elem()).Elem()
		at := p.item(i)
		if !at.given() {
			at.problem("is empty; fill it in or delete it")
		}
		at.decode(item)
		list = reflect.Append(list, item)
	}
	out.Set(list)
}

func (p place) decodeStruct(out reflect.Value) {
	if s, ok := out.Addr().Interface().(interface{ setDefaults() }); ok {
		s.setDefaults()
	}
	known, rest := fields(out)
	for _, e := range p.entries() {
		if at, ok := find(known, e.name); ok {
			e.decode(at)
			continue
		}
		if rest.IsValid() {
			if rest.IsNil() {
				rest.Set(reflect.MakeMap(rest.Type()))
			}
			e.decodeInto(rest)
			continue
		}
		if !plainKey.MatchString(e.name) {
			e.problem("is not a known key (it is not shown, as it could be a secret); known here: %s", keys(known))
			continue
		}
		e.problem("is not a known key; known here: %s", keys(known))
	}
}

// decodeInto puts a value into a map under its key. The maps of a configuration are all of HTTP headers.
func (e entry) decodeInto(m reflect.Value) {
	if !plainHeader.MatchString(e.name) {
		e.problem("is not the name of an HTTP header; it is made of letters, digits, _, . and -")
		return
	}
	value := reflect.New(m.Type().Elem()).Elem()
	e.decode(value)
	m.SetMapIndex(reflect.ValueOf(e.name), value)
}

// field is a field of a struct by its key in the file.
type field struct {
	key   string
	value reflect.Value
}

// fields lists what a struct can hold, inlined structs included; rest is its inlined map, if it has one.
func fields(out reflect.Value) (known []field, rest reflect.Value) {
	for i := range out.NumField() {
		tag, tagged := out.Type().Field(i).Tag.Lookup("yaml")
		key, options, _ := strings.Cut(tag, ",")
		value := out.Field(i)
		switch {
		case !tagged:
		case options == "inline" && value.Kind() == reflect.Map:
			rest = value
		case options == "inline":
			inlined, _ := fields(value)
			known = append(known, inlined...)
		default:
			known = append(known, field{key, value})
		}
	}
	return known, rest
}

func find(known []field, key string) (reflect.Value, bool) {
	for _, f := range known {
		if f.key == key {
			return f.value, true
		}
	}
	return reflect.Value{}, false
}

func keys(known []field) string {
	names := make([]string, len(known))
	for i, f := range known {
		names[i] = f.key
	}
	return strings.Join(names, ", ")
}
