package config

import (
	"fmt"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// document is a file while it is read, with the problems found so far.
type document struct {
	file     string
	dir      string                           // where relative file names begin
	lookup   func(name string) (string, bool) // the environment; nil: nothing is expanded
	problems Problems
	failed   map[string]bool // the fields that have a problem
	left     int             // how many values may still be read
}

// place is one place in a document: what is written there, and how to name it. Nothing may be written there.
type place struct {
	doc  *document
	node *yaml.Node // nil: nothing is written
	path string
	line int
}

// problem reports that something is wrong here. The arguments must not be texts from the file.
func (p place) problem(format string, args ...any) {
	p.doc.failed[p.path] = true
	p.doc.problems = append(p.doc.problems, Problem{
		File: p.doc.file, Line: p.line, Field: p.path, Message: fmt.Sprintf(format, args...),
	})
}

// given reports whether a value is written here. An empty value and null count as none.
func (p place) given() bool {
	n := p.node
	return n != nil && (n.Kind != yaml.ScalarNode || n.Tag != "!!null" || n.Style&yaml.TaggedStyle != 0)
}

// failed reports whether a problem has been found here.
func (p place) failed() bool { return p.doc.failed[p.path] }

// clean reports whether nothing is wrong here or in what is below, so that rules about the whole can be trusted.
func (p place) clean() bool {
	for field := range p.doc.failed {
		if field == p.path || strings.HasPrefix(field, p.path+".") {
			return false
		}
	}
	return true
}

// mapping reports whether keys and values are written here.
func (p place) mapping() bool { return p.node != nil && p.node.Kind == yaml.MappingNode }

// sound reports whether a value is written here and has no problem.
func (p place) sound() bool { return p.given() && !p.failed() }

// must reports a problem unless ok. It says nothing of a default, or of a value that has a problem already.
func (p place) must(ok bool, format string, args ...any) {
	if p.sound() && !ok {
		p.problem(format, args...)
	}
}

// need reports a problem if nothing is written here.
func (p place) need(hint string) {
	if !p.given() {
		p.problem("is missing; %s", hint)
	}
}

// needText reports a problem if nothing is written here, or an empty text.
func (p place) needText(text, hint string) {
	p.need(hint)
	p.must(text != "", "is empty; %s", hint)
}

// spend takes one off the values that may still be read, and reports a problem when none is left.
func (p place) spend() bool {
	p.doc.left--
	if p.doc.left == 0 {
		place{doc: p.doc, line: p.line}.problem(
			"the file unfolds to more than %d values; use fewer aliases (the values that begin with *), or a shorter file", maxValues)
	}
	return p.doc.left > 0
}

// entry is a key of a mapping and the place of its value.
type entry struct {
	name string
	place
}

// plainKey is what a key looks like that can be shown. Any other one with a digit or a sign in it could be a secret that
// slipped to where a key belongs.
var plainKey = regexp.MustCompile(`^([A-Za-z][A-Za-z_-]{0,39}|enable_http2|oauth2)$`)

// entries returns the keys of a mapping in the file's order, each once.
func (p place) entries() []entry {
	if !p.mapping() {
		p.problem("must be lines of key: value, not %s", kind(p.node))
		return nil
	}
	var all []entry
	first := make(map[string]int)
	for i := 0; i+1 < len(p.node.Content) && p.spend(); i += 2 {
		keyNode := follow(p.node.Content[i])
		line := p.node.Content[i].Line
		if keyNode.Kind != yaml.ScalarNode {
			place{p.doc, nil, p.path, line}.problem("has a key that is %s; a key is a plain word", kind(keyNode))
			continue
		}
		if keyNode.Tag == "!!merge" {
			place{p.doc, nil, p.path, line}.problem("merges with <<, which is not understood; repeat the lines, " +
				"or use an alias for a whole value")
			continue
		}
		e := entry{keyNode.Value, p.child(keyNode.Value, follow(p.node.Content[i+1]), line)}
		if before, twice := first[e.name]; twice {
			e.problem("is written twice, first in line %d; keep one of them", before)
			continue
		}
		first[e.name] = line
		all = append(all, e)
	}
	return all
}

// key is the place of a key's value in the mapping that is written here. If there is none, nothing is written at that place.
func (p place) key(name string) place {
	if p.mapping() {
		for i := 0; i+1 < len(p.node.Content); i += 2 {
			if follow(p.node.Content[i]).Value == name {
				return p.child(name, follow(p.node.Content[i+1]), p.node.Content[i].Line)
			}
		}
	}
	return p.child(name, nil, p.line)
}

func (p place) child(key string, node *yaml.Node, line int) place {
	if !plainKey.MatchString(key) {
		key = "?"
	}
	if p.path != "" {
		key = p.path + "." + key
	}
	return place{p.doc, node, key, line}
}

// item is the place of an item of the list that is written here. Nothing is written at that place if the list is a default.
func (p place) item(i int) place {
	path := fmt.Sprintf("%s[%d]", p.path, i)
	if p.node == nil || p.node.Kind != yaml.SequenceNode || i >= len(p.node.Content) {
		return place{p.doc, nil, path, p.line}
	}
	node := p.node.Content[i]
	return place{p.doc, follow(node), path, node.Line}
}

// follow returns what an alias stands for, and any other node itself.
func follow(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode {
		return node.Alias
	}
	return node
}

// kind says what a node is, in words for people.
func kind(node *yaml.Node) string {
	switch node.Kind {
	case yaml.MappingNode:
		return "lines of key: value"
	case yaml.SequenceNode:
		return "a list"
	default:
		return "a single value"
	}
}
