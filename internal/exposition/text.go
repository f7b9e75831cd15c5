package exposition

// escapedBytes has a 1 for each byte that the text formats escape.
var escapedBytes = [256]byte{'\n': 1, '"': 1, '\\': 1}

// needsEscaping reports whether a label value cannot be written as it is in the text formats. Few cannot, and checking takes
// as long as all the rest of rendering, so it is done once per snapshot.
func needsEscaping(v string) bool {
	var found byte
	for i := range len(v) {
		found |= escapedBytes[v[i]]
	}
	return found != 0
}

// appendEscaped writes a label value or a help as the text formats require it.
func appendEscaped(dst []byte, s string, quotes bool) []byte {
	if !needsEscaping(s) {
		return append(dst, s...)
	}
	for _, c := range []byte(s) {
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
