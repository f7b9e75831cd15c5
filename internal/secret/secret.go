// Package secret types the strings that must never be shown: client secrets and tokens.
package secret

import "time"

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

// Source yields a secret's present value. It is called at each use, so that a rotated file needs no reload.
type Source func() (Text, error)

// Static is a source of one unchanging secret.
func Static(t Text) Source {
	return func() (Text, error) { return t, nil }
}
