package secret

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/sync/singleflight"
)

const (
	// maxFile bounds a file, so that a wrong path ends in an error.
	maxFile = 1 << 20
	// patience is how long a file system may take to answer.
	patience = 5 * time.Second
)

// File is a source that reads the file at each use, without the white space around its content. It waits for a file system
// that hangs for 5 seconds at most.
func File(path string) Source {
	return bounded(path, func() (Text, error) { return Read(path) })
}

// bounded gives a read that takes too long up. As a system call cannot be cancelled, that read stays under way, and the next
// use waits for it in turn rather than adding another.
func bounded(path string, read func() (Text, error)) Source {
	reads := new(singleflight.Group)
	return func() (Text, error) {
		slow := time.NewTimer(patience)
		defer slow.Stop()
		select {
		case result := <-reads.DoChan(path, func() (any, error) { return read() }):
			text, _ := result.Val.(Text)
			if result.Err != nil {
				return Text{}, fmt.Errorf("reading secret: %w", result.Err)
			}
			return text, nil
		case <-slow.C:
			return Text{}, fmt.Errorf("reading secret %s: the file does not answer within %s; is it on a file system that hangs?", path, patience)
		}
	}
}

// Read reads the secret that a file holds, without the white space around it. A file without a secret is an error, as it is
// one that somebody forgot to write, and so is one with a character that cannot be seen, such as the byte order mark of some
// editors: it would be sent, and be refused. Each error is a *fs.PathError.
func Read(path string) (Text, error) {
	content, written, err := readFile(path)
	if err != nil {
		return Text{}, err
	}
	text := strings.TrimSpace(string(content))
	switch {
	case text == "":
		return Text{}, unusable(path, "it is empty; write the secret into it")
	case !Visible(text):
		return Text{}, unusable(path, "it has a byte order mark, a line break or another character that cannot be seen; "+
			"save the secret alone, as UTF-8 text without a mark")
	}
	return Text{s: &text, written: written}, nil
}

// Visible reports whether a text has only characters that can be seen, and plain spaces. A copied one may have others.
func Visible(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) })
}

// ReadFile reads a small file, such as a secret or a certificate, that can be read again and again: what is not a regular
// file is not opened, because a pipe could wait for ever. Each error is a *fs.PathError.
func ReadFile(path string) ([]byte, error) {
	content, _, err := readFile(path)
	return content, err
}

// readFile tells when the file was written, too.
func readFile(path string) (content []byte, written time.Time, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, time.Time{}, err
	}
	if !info.Mode().IsRegular() {
		return nil, time.Time{}, unusable(path, "it is no regular file; name one that can be read again and again")
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
