package config

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Problem is one mistake in a file.
type Problem struct {
	File    string // as it was given to Load
	Line    int    // counted from 1; 0 when the file could not be read
	Field   string // such as accounts[0].rate_limit.rate; empty when the problem is the file's
	Message string // what is wrong, and what would be right
}

func (p Problem) Error() string {
	text := p.File
	if p.Line > 0 {
		text += fmt.Sprintf(":%d", p.Line)
	}
	if p.Field != "" {
		text += ": " + p.Field
	}
	return text + ": " + p.Message
}

// document is a file that is being read. A field is named by its path, whether or not it is written.
type document struct {
	file, dir string
	expandEnv bool
	lines     map[string]int        // of the fields that are written
	values    map[string]*yaml.Node // of the fields that are written and not null
	failed    map[string]bool       // the fields with a problem
	problems  []Problem
	warnings  []Problem
}

// plainKey is what a key looks like that can be shown. Another one could be a secret in the wrong place.
var plainKey = regexp.MustCompile(`^([A-Za-z][A-Za-z_-]{0,39}|enable_http2|oauth2)$`)

// keyAt is the path of a key of the mapping at a path.
func keyAt(path, key string) string {
	if !plainKey.MatchString(key) {
		key = "?"
	}
	return strings.TrimPrefix(path+"."+key, ".")
}

// itemAt is the path of an item of the list at a path.
func itemAt(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }

// above is the path of what the field at a path is part of.
func above(path string) string { return path[:max(strings.LastIndexAny(path, ".["), 0)] }

func (d *document) given(path string) bool { return d.values[path] != nil }

// must reports a problem unless ok.
func (d *document) must(path string, ok bool, format string, args ...any) {
	if !ok {
		d.problem(path, format, args...)
	}
}

// problem records what is wrong with a field, unless it, or what it is part of, has a problem already. The arguments must not
// be texts from the file.
func (d *document) problem(path, format string, args ...any) {
	if !d.failed[path] && !d.failed[above(path)] {
		d.problemAt(d.line(path), path, format, args...)
	}
}

func (d *document) problemAt(line int, path, format string, args ...any) {
	d.failed[path] = true
	d.problems = append(d.problems, Problem{d.file, line, path, fmt.Sprintf(format, args...)})
}

// warn records that a field can be used, but is probably not what was meant.
func (d *document) warn(path, message string) {
	d.warnings = append(d.warnings, Problem{d.file, d.line(path), path, message})
}

// line is where a field stands, or what it would be part of.
func (d *document) line(path string) int {
	for d.lines[path] == 0 && path != "" {
		path = above(path)
	}
	return d.lines[path]
}

// err has a line for each Problem, sorted by the lines of the file.
func (d *document) err() error {
	slices.SortStableFunc(d.problems, func(a, b Problem) int { return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Field, b.Field)) })
	errs := make([]error, len(d.problems))
	for i, p := range d.problems {
		errs[i] = p
	}
	return errors.Join(errs...)
}
