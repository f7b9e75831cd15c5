package strictyaml

import (
	"encoding"
	"reflect"
	"regexp"
	"slices"

	"go.yaml.in/yaml/v3"
)

// maxValues bounds what is read out of the file, so that nested aliases end in a problem.
const maxValues = 200_000

var kinds = map[yaml.Kind]string{
	yaml.MappingNode: "lines of key: value", yaml.SequenceNode: "a list", yaml.ScalarNode: "a single value",
}

// plainHeader is what the keys of a map look like, which are the names of HTTP headers.
var plainHeader = regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)

// decode fills out from node, and leaves it as it is where nothing is written.
func (f *File) decode(path string, node *yaml.Node, out reflect.Value) {
	node = follow(node)
	if f.given[path] = !empty(node); empty(node) {
		return
	}
	if out.Kind() == reflect.Pointer && tagged(out.Type().Elem()) {
		out.Set(reflect.New(out.Type().Elem()))
		out = out.Elem()
	}
	keys, want := keysOf(out), yaml.ScalarNode
	switch {
	case keys == nil && tagged(out.Type()): // It is nothing but an inlined map.
		out, want = out.Field(0), yaml.MappingNode
	case keys != nil || out.Kind() == reflect.Map:
		want = yaml.MappingNode
	case out.Kind() == reflect.Slice:
		want = yaml.SequenceNode
	}
	word, worded := out.Addr().Interface().(encoding.TextUnmarshaler)
	switch {
	case worded && want == yaml.SequenceNode && node.Kind == yaml.ScalarNode:
		f.decodeWord(path, node, word)
	case node.Kind != want:
		f.Problem(path, "must be %s, not %s", kinds[want], kinds[node.Kind])
	case want == yaml.MappingNode:
		f.decodeMapping(path, node, out, keys)
	case want == yaml.SequenceNode:
		f.decodeList(path, node, out)
	default:
		f.decodeScalar(path, node, out)
	}
}

func (f *File) decodeList(path string, node *yaml.Node, out reflect.Value) {
	out.SetZero()
	for i, content := range node.Content {
		if !f.spend(content.Line) {
			return
		}
		value, at := reflect.New(out.Type().Elem()), Item(path, i)
		if item, ok := value.Interface().(interface{ SetDefaults() }); ok {
			item.SetDefaults()
		}
		f.lines[at] = content.Line
		f.decode(at, content, value.Elem())
		if !f.given[at] {
			f.Problem(at, "is empty; fill it in or delete it")
		}
		out.Set(reflect.Append(out, value.Elem()))
	}
}

// decodeMapping reads what has the keys that are known, or a map.
func (f *File) decodeMapping(path string, node *yaml.Node, out reflect.Value, keys []key) {
	first := make(map[string]int)
	if keys == nil {
		out.Set(reflect.MakeMap(out.Type()))
	}
	for i := 0; i+1 < len(node.Content) && f.spend(node.Content[i].Line); i += 2 {
		name, value, line := follow(node.Content[i]), node.Content[i+1], node.Content[i].Line
		at, before := Key(path, name.Value), first[name.Value]
		known := slices.IndexFunc(keys, func(k key) bool { return k.name == name.Value })
		if before == 0 {
			first[name.Value], f.lines[at] = line, line
		}
		switch {
		case name.Kind != yaml.ScalarNode:
			f.report(path, line, "has a key that is %s; a key is a plain word", kinds[name.Kind])
		case name.Tag == "!!merge":
			f.report(path, line, "merges with <<, which is not understood; repeat the lines, or use an alias for a whole value")
		case before > 0:
			f.report(at, line, "is written twice, first in line %d; keep one of them", before)
		case known >= 0:
			f.decode(at, value, keys[known].out)
		case keys != nil:
			f.Problem(at, "is not a known key%s", suggestion(name.Value, keys))
		case !plainHeader.MatchString(name.Value):
			f.Problem(at, "is not the name of an HTTP header; it is made of letters, digits, _, . and -")
		default:
			entry := reflect.New(out.Type().Elem()).Elem()
			f.decode(at, value, entry)
			out.SetMapIndex(reflect.ValueOf(name.Value), entry)
		}
	}
}

// spend takes one off the values that may still be read, and reports when none is left.
func (f *File) spend(line int) bool {
	f.left--
	if f.left == 0 {
		f.report("", line, "the file unfolds to more than %d values; use fewer aliases (the values that begin with *), "+
			"or a shorter file", maxValues)
	}
	return f.left > 0
}

// follow returns what an alias stands for, and any other node itself.
func follow(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode {
		return node.Alias
	}
	return node
}

// empty reports whether no value is written: nothing at all, or null.
func empty(node *yaml.Node) bool {
	return node.Kind == yaml.ScalarNode && node.Tag == "!!null" && node.Style&yaml.TaggedStyle == 0
}
