package secret

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/ycm-exporter/ycm_exporter/internal/crash"
)

const (
	// maxFile bounds a file, so that a wrong path ends in an error.
	maxFile = 1 << 20
	// patience is how long a file system may take.
	patience = 5 * time.Second
)

// File is a source that reads the file at each use, without the white space around its content. It waits at most 5 seconds for a file
// system that hangs. That read continues by itself, as a system call cannot be cancelled, and until it has ended there is no other.
func File(path string) Source {
	return bounded(path, func() (Text, error) { return Read(path) })
}

func bounded(path string, read func() (Text, error)) Source {
	var reading atomic.Bool
	hangs := fmt.Errorf("reading secret %s: the file does not respond within %s; check its file system", path, patience)
	return func() (Text, error) {
		if !reading.CompareAndSwap(false, true) {
			return Text{}, hangs
		}
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		text, err := crash.GiveUpAfter(ctx, func() (Text, error) {
			defer reading.Store(false)
			return read()
		}, nil)
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			return Text{}, hangs
		case err != nil:
			return Text{}, fmt.Errorf("reading secret: %w", err)
		}
		return text, nil
	}
}

// Read reads the secret that a file holds, without the white space around it. An empty file is an error, and so is one with a
// invisible character, such as the byte order mark of some editors: it would be sent, and be refused. Each error is a
// *fs.PathError.
func Read(path string) (Text, error) {
	content, written, err := ReadFile(path)
	if err != nil {
		return Text{}, err
	}
	text := strings.TrimSpace(string(content))
	switch {
	case text == "":
		return Text{}, unusable(path, "it is empty; write the secret into it")
	case !Visible(text):
		return Text{}, unusable(path, "it has a byte order mark, a line break or another invisible character; "+
			"save only the secret, as UTF-8 text without a byte order mark")
	}
	return Text{s: &text, written: written}, nil
}

// Visible reports whether a text has only visible characters and plain spaces. A copied one may have others.
func Visible(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) })
}

// ReadFile reads a small file, such as a secret or a certificate, and returns when it was written. What is not a regular file is not
// opened, because a pipe could wait for ever. Each error is a *fs.PathError.
func ReadFile(path string) (content []byte, written time.Time, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, time.Time{}, err
	}
	if !info.Mode().IsRegular() {
		return nil, time.Time{}, unusable(path, "it is not a regular file; pipes and devices are not supported")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, time.Time{}, err
	}
	defer f.Close() //nolint:errcheck // It was only read.
	content, err = io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(content) > maxFile {
		err = unusable(path, fmt.Sprintf("it is larger than %d MiB; is it the right one?", maxFile>>20))
	}
	return content, info.ModTime(), err
}

func unusable(path, why string) error {
	return &fs.PathError{Op: "read", Path: path, Err: errors.New(why)}
}
