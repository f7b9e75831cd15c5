package exposition

import (
	"math"
	"strconv"
)

// appendNumber writes a sample's value as expfmt does: like strconv's 'g', with ".0" in OpenMetrics where the number
// would look like an integer.
func appendNumber(dst []byte, v float64, f format) []byte {
	// Nearly every value is a whole number. Below 2^53 its shortest digits are those of the integer.
	if n := int64(v); float64(n) == v && n > -1e15 && n < 1e15 {
		if n <= -1e6 || n >= 1e6 {
			return appendExponent(dst, n)
		}
		if n >= 0 && n < 10 {
			dst = append(dst, byte('0'+n))
		} else {
			dst = strconv.AppendInt(dst, n, 10)
		}
		if f == openMetrics {
			dst = append(dst, '.', '0')
		}
		return dst
	}
	switch {
	case math.IsInf(v, +1):
		return append(dst, "+Inf"...)
	case math.IsInf(v, -1):
		return append(dst, "-Inf"...)
	}
	return strconv.AppendFloat(dst, v, 'g', -1, 64)
}

// appendExponent writes an integer of at least seven digits as 'g' does: 1.7637984e+09.
func appendExponent(dst []byte, n int64) []byte {
	if n < 0 {
		dst, n = append(dst, '-'), -n
	}
	first := len(dst)
	dst = strconv.AppendInt(dst, n, 10)
	exponent := len(dst) - first - 1
	for dst[len(dst)-1] == '0' {
		dst = dst[:len(dst)-1]
	}
	if len(dst) > first+1 {
		dst = append(dst, 0)
		copy(dst[first+2:], dst[first+1:])
		dst[first+1] = '.'
	}
	return append(dst, 'e', '+', byte('0'+exponent/10), byte('0'+exponent%10))
}
