package collector

import (
	"slices"
	"strconv"
	"strings"
)

// version is a firmware version as its numbers from left to right, without zeros at the end: 84.8.0.25 is
// {84, 8, 0, 25}, and 84.8.0 is the same as 84.8.
type version []uint64

// versionNumbers is how many numbers a version may have. The vendor's have four.
const versionNumbers = 8

// parseVersion reads numbers with dots between them. Anything else, say with a letter in it, cannot be compared
// and is not ok.
func parseVersion(s string) (v version, ok bool) {
	parts := strings.SplitN(strings.TrimSpace(s), ".", versionNumbers+1)
	if len(parts) > versionNumbers {
		return nil, false
	}
	for _, part := range parts {
		n, err := strconv.ParseUint(part, 10, 64)
		if err != nil {
			return nil, false
		}
		v = append(v, n)
	}
	for len(v) > 0 && v[len(v)-1] == 0 {
		v = v[:len(v)-1]
	}
	return v, true
}

// compare orders versions number by number, so that 84.10 is newer than 84.9.
func (v version) compare(w version) int { return slices.Compare(v, w) }
