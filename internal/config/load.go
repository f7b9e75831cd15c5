package config

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	promconfig "github.com/prometheus/common/config"
	"go.yaml.in/yaml/v3"

	"github.com/ycm-exporter/ycm_exporter/internal/crash"
)

// maxBytes bounds the file, so that a wrong path such as /dev/zero ends in an error.
const maxBytes = 4 << 20

// patience is how long reading the file and all files that it names may take. Tests raise it, for machines that are busy.
var patience = 5 * time.Second

// Load reads and validates the configuration file at path. A relative file name in it is looked for beside it. With
// expandEnv, ${NAME} in a value is replaced by the environment variable NAME, and $$ by $. An error joins the Problems that it found.
// Files that do not respond are waited for until ctx ends, and for 5 seconds at most; a system call cannot be cancelled, so
// that it is left behind.
func Load(ctx context.Context, path string, expandEnv bool) (*Config, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	dir, _ := filepath.Abs(filepath.Dir(path)) // It fails only where the working directory is gone.
	d := &document{
		file: path, dir: dir, expandEnv: expandEnv,
		lines: map[string]int{"": 1}, values: make(map[string]*yaml.Node), failed: make(map[string]bool),
	}
	cfg, err := crash.GiveUpAfter(ctx, d.load, nil)
	if parser := (*crash.Crash)(nil); errors.As(err, &parser) { // A file that the YAML library panics at.
		return nil, Problem{File: path, Message: "cannot be read: the YAML parser failed"}
	}
	if err != nil && ctx.Err() != nil {
		err = Problem{File: path, Message: "cannot be read: the file, or one that it names, does not respond; " +
			"check that it is a regular file and that its file system responds"}
	}
	if err != nil {
		return nil, err
	}
	return cfg, nil
}

func (d *document) load() (*Config, error) {
	cfg := &Config{Collectors: DefaultCollectors()}
	f, err := os.Open(d.file)
	var content []byte
	if err == nil {
		defer f.Close() //nolint:errcheck // It was only read.
		content, err = io.ReadAll(io.LimitReader(f, maxBytes+1))
	}
	switch {
	case err != nil:
		d.problemAt(0, "", "cannot be read: %s; set --config.file to the path of the configuration, or try --demo", cause(err))
	case len(content) > maxBytes:
		d.problemAt(0, "", "is larger than %d MiB; is it the configuration?", maxBytes>>20)
	default:
		if root := d.parse(content); root != nil {
			d.decode("", root, reflect.ValueOf(cfg).Elem())
		}
		cfg.check(d)
	}
	cfg.Warnings = d.warnings
	return cfg, d.err()
}

// byteReader returns one byte per call, so that it shows where the parser stopped.
type byteReader struct{ *bytes.Reader }

func (r byteReader) Read(p []byte) (int, error) { return r.Reader.Read(p[:min(1, len(p))]) }

// parse returns the top of the content's one YAML document, or nil.
func (d *document) parse(content []byte) *yaml.Node {
	input := byteReader{bytes.NewReader(content)}
	decoder := yaml.NewDecoder(input)
	var first, second yaml.Node
	err := decoder.Decode(&first)
	if errors.Is(err, io.EOF) || err == nil && isNull(first.Content[0]) {
		d.problem("", "is empty; write accounts: and at least one account below it")
		return nil
	}
	if err == nil {
		if err = decoder.Decode(&second); err == nil {
			d.problemAt(second.Line, "", "has a second YAML document; keep only one, without --- lines")
		}
	}
	if err != nil && !errors.Is(err, io.EOF) {
		line := 1 + bytes.Count(content[:max(len(content)-input.Len()-1, 0)], []byte("\n"))
		found := parserError.FindStringSubmatch(err.Error())
		reason := found[2]
		// The parser gives the line where the whole list or mapping begins of what does not belong where it is.
		if begin, err := strconv.Atoi(found[1]); err == nil && !strings.HasPrefix(reason, "did not find expected") && !strings.HasPrefix(reason, "found a tab") {
			line = begin
		}
		if strings.HasPrefix(reason, "unknown anchor") { // It is the only error that shows a value.
			reason = "a value that begins with * refers to an anchor that does not exist"
		}
		d.problemAt(line, "", "is not valid YAML: %s; indent with spaces, and put quotes around values with special characters", reason)
	}
	if first.Content == nil {
		return nil
	}
	return first.Content[0]
}

var parserError = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)`)

// join makes a whole path of a file name that may be relative to the configuration's directory.
func (d *document) join(name string) string { return promconfig.JoinDir(d.dir, name) }

// readable reports a file that a field names and that read does not accept. Its name is not shown: it may be a secret that was
// written into the wrong field.
func (d *document) readable(path, name string, read func(file string) error) {
	if name != "" && !d.failed[path] {
		err := read(d.join(name))
		d.must(path, err == nil, "the file cannot be used: %s (its name is relative to %s; it is not shown because it could be a secret)", cause(err), d.dir)
	}
}

// cause is why a file could not be read, without its name.
func cause(err error) error {
	if pathErr := new(fs.PathError); errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}
