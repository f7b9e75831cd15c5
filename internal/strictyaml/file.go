// Package strictyaml reads a YAML file into a struct and says all that is wrong with it at once, each problem with line,
// field and what would be right, and never with a value, which could be a secret. The parser is yaml.v3; its decoder is not
// used, because it stops at the first mistakes, does not say which field they are in, and quotes values.
package strictyaml

import (
	"cmp"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Options are what the reader of a file knows of it.
type Options struct {
	// Empty says what to write into an empty file.
	Empty string
	// Text returns a single value as it is meant, such as with its variables expanded, and what is wrong with it.
	Text func(text string) (string, []string)
	// Scan reads a single value into what out points to, and else says what would be right. See the function Scan.
	Scan func(text string, out any) (want string, ok bool)
}

// File is a file that was decoded: where its fields stand, and what is wrong with them. A field is named by its path, such as
// accounts[0].rate_limit.rate, whether or not it is written.
type File struct {
	name     string
	options  Options
	lines    map[string]int  // of the fields that are written
	given    map[string]bool // those of them that have a value
	failed   map[string]bool // the fields that have a problem
	problems Problems
	warnings Problems
	left     int // how many values may still be read
}

// New returns the file of that name, before it is decoded.
func New(name string, o Options) *File {
	return &File{
		name: name, options: o, left: maxValues,
		lines: make(map[string]int), given: make(map[string]bool), failed: make(map[string]bool),
	}
}

// Decode fills in what into points to, by the yaml tags of its fields, and leaves what is not written as it is; the items of a
// list begin with what their method SetDefaults makes of them, and where a list is an encoding.TextUnmarshaler, a single value
// may stand for it. It reports whether the fields were read, so that rules about them can be checked, although some may have
// problems.
func (f *File) Decode(content []byte, into any) bool {
	root := f.parse(content)
	if root == nil {
		return false
	}
	f.decode("", root, reflect.ValueOf(into).Elem())
	return root.Kind == yaml.MappingNode && f.left > 0
}

// Err is all that is wrong, as Problems, or nil.
func (f *File) Err() error {
	if len(f.problems) == 0 {
		return nil
	}
	slices.SortStableFunc(f.problems, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
	return f.problems
}

// plainKey is what a key looks like that can be shown. Any other one with a digit or a sign in it could be a secret that
// slipped to where a key belongs.
var plainKey = regexp.MustCompile(`^([A-Za-z][A-Za-z_-]{0,39}|enable_http2|oauth2)$`)

// Key is the path of a key of the mapping at a path.
func Key(path, key string) string {
	if !plainKey.MatchString(key) {
		key = "?"
	}
	return strings.TrimPrefix(path+"."+key, ".")
}

// Below is the path of what stands at a path below another one; that may be empty.
func Below(path, further string) string {
	if further != "" && further[0] != '[' {
		further = "." + further
	}
	return path + further
}

// Item is the path of an item of the list at a path.
func Item(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }

// Above is the path of what the field at a path is part of.
func Above(path string) string { return path[:max(strings.LastIndexAny(path, ".["), 0)] }

// Given reports whether a field has a value that was written.
func (f *File) Given(path string) bool { return f.given[path] }

// Problem records that something is wrong with a field. The arguments must not be texts from the file.
func (f *File) Problem(path, format string, args ...any) {
	f.report(path, f.line(path), format, args...)
}

// Warn records that a field can be used, but is probably not what was meant. The arguments must not be texts from the file.
func (f *File) Warn(path, format string, args ...any) {
	f.warnings = append(f.warnings, Problem{f.name, f.line(path), path, fmt.Sprintf(format, args...)})
}

// Warnings are all that Warn was told.
func (f *File) Warnings() Problems { return f.warnings }

// line is where a field stands, or where what it would be part of does.
func (f *File) line(path string) int {
	for f.lines[path] == 0 && path != "" {
		path = Above(path)
	}
	return f.lines[path]
}

func (f *File) report(path string, line int, format string, args ...any) {
	f.failed[path] = true
	f.problems = append(f.problems, Problem{f.name, line, path, fmt.Sprintf(format, args...)})
}

// Wrong reports whether a field has a problem, or what it is part of, so that more would only be noise.
func (f *File) Wrong(path string) bool { return f.failed[path] || path != "" && f.failed[Above(path)] }

// Sound reports whether a field has a value and no problem.
func (f *File) Sound(path string) bool { return f.given[path] && !f.Wrong(path) }

// Clean reports whether a field has a value, and neither it nor anything below it has a problem.
func (f *File) Clean(path string) bool {
	return f.given[path] && !slices.ContainsFunc(f.problems, func(p Problem) bool {
		return strings.HasPrefix(p.Field+".", path+".")
	})
}

// Must reports a problem unless ok. It says nothing of a default, or of a value that has a problem already.
func (f *File) Must(path string, ok bool, format string, args ...any) {
	if f.Sound(path) && !ok {
		f.Problem(path, format, args...)
	}
}

// Need reports a field that is not written, or whose value is empty.
func (f *File) Need(path string, empty bool, hint string) {
	if !f.given[path] && !f.Wrong(path) {
		f.Problem(path, "is missing; %s", hint)
	}
	f.Must(path, !empty, "is empty; %s", hint)
}
