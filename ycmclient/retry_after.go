package ycmclient

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// retryAfterOf reads the seconds or the date of Retry-After, 0 if it is not in the future. RFC 9110 has whole seconds; some
// gateways write decimals, or a number for "never", which is read as longestGiven. A date is by the server's clock, which may
// be far from ours and is in Date.
func retryAfterOf(h http.Header) time.Duration {
	header := strings.TrimSpace(h.Get("Retry-After"))
	if digits := strings.Trim(header, "0123456789."); digits == "" && header != "" {
		seconds, err := strconv.ParseFloat(header, 64)
		if err != nil && seconds == 0 { // Not a number at all; one that is out of range is infinite.
			return 0
		}
		if seconds >= longestGiven.Seconds() {
			return longestGiven
		}
		return time.Duration(seconds * float64(time.Second))
	}
	at, err := http.ParseTime(header)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		now = time.Now()
	}
	return min(max(0, at.Sub(now)), longestGiven)
}
