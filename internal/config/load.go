package config

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	promconfig "github.com/prometheus/common/config"

	"github.com/ycm-exporter/ycm_exporter/internal/strictyaml"
)

const (
	// maxBytes bounds the file, so that a wrong path such as /dev/zero ends in a problem.
	maxBytes = 4 << 20
	// patience is how long the file and all that it names may take to be read.
	patience = 5 * time.Second
)

// Options change how a file is read.
type Options struct {
	// ExpandEnv replaces ${NAME} in values by the environment variable NAME, and $$ by $. It is done after the YAML has
	// been parsed, so that a variable can hold anything.
	ExpandEnv bool
	// LookupEnv finds a variable; nil is os.LookupEnv.
	LookupEnv func(name string) (string, bool)
}

// document is the file while it is read.
type document struct {
	*strictyaml.File
	ctx      context.Context // that of Load
	path     string          // its whole path
	patience time.Duration   // how long reading files may still take
}

// Load reads and validates the configuration file at path. A relative file name in it is looked for beside it.
// The error is of type strictyaml.Problems and holds all that is wrong, not only the first of it. Pipes without a writer and
// file systems that hang are waited for until ctx ends, and for 5 seconds at most.
func Load(ctx context.Context, path string, o Options) (*Config, error) {
	if o.LookupEnv == nil {
		o.LookupEnv = os.LookupEnv
	}
	d := &document{
		File: strictyaml.New(path, strictyaml.Options{
			Empty: "write accounts: and at least one account below it", Text: o.text, Scan: scan,
		}),
		ctx: ctx, path: path, patience: patience,
	}
	if whole, err := filepath.Abs(path); err == nil {
		d.path = whole
	}
	cfg := defaults()
	var content []byte
	err := d.within(func() (err error) {
		content, err = readUpTo(d.path, maxBytes+1)
		return err
	})
	switch {
	case err != nil:
		d.Problem("", "the configuration %s cannot be read: %s; name the file with --config.file", d.path, cause(err))
	case len(content) > maxBytes:
		d.Problem("", "the file is larger than %d MiB; is it the configuration?", maxBytes>>20)
	case d.Decode(content, cfg):
		cfg.check(d)
	}
	if err := d.Err(); err != nil {
		return nil, err
	}
	cfg.Warnings = d.Warnings()
	return cfg, nil
}

// within waits for read no longer than the document's patience, which a file that hangs uses up. A system call cannot be
// cancelled, so that read is left behind and ends with the call; no more are begun then.
func (d *document) within(read func() error) error {
	if d.patience <= 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(d.ctx, d.patience)
	defer cancel()
	begin, done := time.Now(), make(chan error, 1)
	go func() { done <- read() }()
	select {
	case err := <-done:
		d.patience -= time.Since(begin)
		return err
	case <-ctx.Done():
		d.patience = 0
		return errors.New("it does not answer; is it a pipe, or on a file system that hangs?")
	}
}

func readUpTo(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // It was only read.
	return io.ReadAll(io.LimitReader(f, most))
}

// join makes a whole path of a file name that may be relative to the configuration's folder.
func (d *document) join(name string) string { return promconfig.JoinDir(filepath.Dir(d.path), name) }

// open reports a file that a field names and that read does not like. A name without a folder is not shown: it may be a
// secret that was written into the wrong field.
func (d *document) open(path, name string, read func(file string) error) {
	if !d.Sound(path) {
		return
	}
	file := d.join(name)
	if err := d.within(func() error { return read(file) }); err != nil {
		if !strings.Contains(name, "/") {
			file = "of this name in " + filepath.Dir(d.path)
		}
		d.Problem(path, "the file %s cannot be used: %s", file, cause(err))
	}
}

// cause is why a file could not be read, without its name.
func cause(err error) error {
	if pathErr := new(fs.PathError); errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}
