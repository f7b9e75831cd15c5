package exposition

import "strings"

// needsEscaping reports whether a label value cannot be written as it is in the text formats. Few cannot, so this is found
// out once per snapshot.
func needsEscaping(v string) bool { return strings.ContainsAny(v, "\\\n\"") }

// appendEscaped writes a label value or a help as the text formats require it.
func appendEscaped(dst []byte, s string, quotes bool) []byte {
	for i := range len(s) {
		switch c := s[i]; {
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
