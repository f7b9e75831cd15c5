package yeastar

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean makes s fit for a terminal, a log and a label, as a Text is.
func Clean(s string) string { return string(clean([]byte(strings.ToValidUTF8(s, "\uFFFD")))) }

// clean replaces each control character by U+FFFD. The result may share memory with b.
func clean(b []byte) []byte {
	const firstOfC1 = 0xc2 // Begins U+0080 to U+00BF.
	suspicious := func(c byte) bool { return c < ' ' || c == 0x7f || c == firstOfC1 }
	for i, c := range b {
		if suspicious(c) {
			return append(b[:i:i], bytes.Map(func(r rune) rune {
				if unicode.IsControl(r) {
					return utf8.RuneError
				}
				return r
			}, b[i:])...)
		}
	}
	return b
}

// Cut returns at most so many bytes of s, and no half of a character.
func Cut[S string | []byte](s S, most int) S {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most]
}

// Line makes hostile text one line without control characters. They are removed, not replaced, so that what they were to
// hide becomes visible.
func Line(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.Join(strings.Fields(s), " "))
}

// IsSerialNumber reports whether a serial number is one of letters and digits, as all real ones are. It comes from YCM, and a path
// made of another one might lead anywhere.
func IsSerialNumber(sn string) bool {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return sn != "" && len(sn) <= 64 && strings.Trim(sn, alphabet) == ""
}
