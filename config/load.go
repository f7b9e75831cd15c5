package config

import (
	"cmp"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
)

const (
	// maxBytes bounds the file, so that a wrong path such as /dev/zero ends in a problem.
	maxBytes = 4 << 20
	// maxValues bounds what is read out of the file, so that nested aliases end in a problem.
	maxValues = 200_000
)

// Options change how a file is read.
type Options struct {
	// ExpandEnv replaces ${NAME} in values by the environment variable NAME, and $$ by $. It is done after the YAML has
	// been parsed, so that a variable can hold anything.
	ExpandEnv bool
	// LookupEnv finds a variable; nil is os.LookupEnv.
	LookupEnv func(name string) (string, bool)
}

// Load reads and validates the configuration file at path. A relative file name in it is looked for beside it.
// The error is of type Problems and holds all that is wrong, not only the first of it.
func Load(path string, opts Options) (*Config, error) {
	doc := &document{file: path, dir: filepath.Dir(path), failed: make(map[string]bool), left: maxValues}
	if opts.ExpandEnv {
		doc.lookup = opts.LookupEnv
		if doc.lookup == nil {
			doc.lookup = os.LookupEnv
		}
	}

	var written content
	if root := doc.parse(); root.given() {
		root.decode(reflect.ValueOf(&written).Elem())
		if root.mapping() && doc.left > 0 {
			written.check(root)
		}
	}

	if len(doc.problems) > 0 {
		slices.SortStableFunc(doc.problems, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
		return nil, doc.problems
	}
	collectors, err := written.Collectors.configured()
	return &Config{Accounts: written.Accounts, Collectors: collectors}, err
}

// read returns the content of the file, or tells why it cannot.
func (d *document) read() ([]byte, bool) {
	top := place{doc: d}
	f, err := os.Open(d.file)
	if err != nil {
		top.problem("the configuration cannot be read: %s; name the file with --config.file", cause(err))
		return nil, false
	}
	defer f.Close() //nolint:errcheck // It was only read.

	content, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	if err != nil {
		top.problem("the configuration cannot be read: %s; name the file with --config.file", cause(err))
		return nil, false
	}
	if len(content) > maxBytes {
		top.problem("the file is larger than %d MiB; is it the configuration?", maxBytes>>20)
		return nil, false
	}
	return content, true
}

// cause is why a file could not be read, without its name: somebody may have put a secret where a file name belongs.
func cause(err error) string {
	if pathErr := new(fs.PathError); errors.As(err, &pathErr) {
		return pathErr.Err.Error()
	}
	return "it cannot be opened"
}
