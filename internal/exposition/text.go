package exposition

import (
	"strings"
	"unicode/utf8"
)

// valid returns v with what is not UTF-8 replaced by U+FFFD. All that this package serves has passed through it.
func valid(v string) string { return strings.ToValidUTF8(v, "\uFFFD") }

// escapedBytes has a 1 for each byte that the text formats escape.
var escapedBytes = [256]byte{'\n': 1, '"': 1, '\\': 1}

// needsEscaping reports whether a label value cannot be written as it is in each of the formats. Few cannot, and checking
// takes as long as all the rest of rendering, so it is done once per snapshot.
func needsEscaping(v string) bool {
	var found, all byte
	for i := range len(v) {
		found |= escapedBytes[v[i]]
		all |= v[i]
	}
	return found != 0 || all >= utf8.RuneSelf && !utf8.ValidString(v)
}

// appendEscaped writes a label value or a help as the text formats require it, made valid.
func appendEscaped(dst []byte, s string, quotes bool) []byte {
	if !needsEscaping(s) {
		return append(dst, s...)
	}
	for _, c := range []byte(valid(s)) {
		switch {
		case c == '\n':
			dst = append(dst, '\\', 'n')
		case c == '\\', c == '"' && quotes:
			dst = append(dst, '\\', c)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}
