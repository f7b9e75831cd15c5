// Package secret types the strings that must never be shown: client secrets and tokens.
package secret

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

const redacted = "<secret>"

// Text is a secret string. Neither fmt, JSON, YAML nor a logger shows it, not even as an unexported field of
// another struct, because it is held behind a pointer. The zero value is the empty secret.
type Text struct {
	s       *string
	written time.Time
}

// New makes a secret of s.
func New(s string) Text { return Text{s: &s} }

// Reveal returns the secret itself, for the one place that sends it.
func (t Text) Reveal() string {
	if t.s == nil {
		return ""
	}
	return *t.s
}

// Empty reports whether there is no secret.
func (t Text) Empty() bool { return t.Reveal() == "" }

// Written returns when the secret's file was written, the zero time if it is of no file.
func (t Text) Written() time.Time { return t.written }

// String hides the secret.
func (t Text) String() string { return redacted }

// GoString hides the secret from %#v.
func (t Text) GoString() string { return redacted }

// MarshalText hides the secret from JSON, YAML and flags.
func (t Text) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// Source yields a secret's present value. It is asked at each use, so that a rotated file needs no reload.
type Source func() (Text, error)

// Static is a source of one unchanging secret.
func Static(t Text) Source {
	return func() (Text, error) { return t, nil }
}

// File is a source that reads the file at each use, without the white space around its content.
// An empty file is an error, as it is a secret that somebody forgot to write.
func File(path string) Source {
	return func() (Text, error) {
		content, err := os.ReadFile(path)
		if err != nil {
			return Text{}, fmt.Errorf("reading secret: %w", err)
		}
		info, err := os.Stat(path)
		if err != nil {
			return Text{}, fmt.Errorf("reading secret: %w", err)
		}
		s := strings.TrimSpace(string(content))
		if s == "" {
			return Text{}, fmt.Errorf("reading secret %s: %w", path, errors.New("the file is empty"))
		}
		return Text{s: &s, written: info.ModTime()}, nil
	}
}
