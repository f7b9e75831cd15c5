package ycmclient

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// parseRetryAfter reads the header's seconds or date, 0 if it tells nothing of the future. RFC 9110 has whole seconds; some
// gateways write decimals, or a number for "never", which is taken to be longestTold.
func parseRetryAfter(header string) time.Duration {
	header = strings.TrimSpace(header)
	if digits := strings.Trim(header, "0123456789."); digits == "" && header != "" {
		seconds, err := strconv.ParseFloat(header, 64)
		if err != nil && seconds == 0 { // Not a number at all; one that is out of range is infinite.
			return 0
		}
		if seconds >= longestTold.Seconds() {
			return longestTold
		}
		return time.Duration(seconds * float64(time.Second))
	}
	at, err := http.ParseTime(header)
	if err != nil {
		return 0
	}
	return min(max(0, time.Until(at)), longestTold)
}
