package exposition

import (
	"net/http"
	"strconv"
	"strings"
)

// negotiateEncoding chooses by the Accept-Encoding header: what has the highest weight, and gzip among equals, as
// Prometheus asks for that and the fewer variants of a snapshot are in use the better. Who can take none of ours gets
// identity, even against their word, as that is the best answer there is.
func negotiateEncoding(h http.Header) encoding {
	// A negative weight is one that was not given.
	weights, rest := [...]float64{identity: -1, gzipped: -1, zstandard: -1}, -1.0
	for _, line := range h["Accept-Encoding"] {
		for element := range strings.SplitSeq(line, ",") {
			coding, weight, ok := weighted(element)
			if !ok {
				continue
			}
			switch strings.ToLower(coding) {
			case "gzip", "x-gzip":
				weights[gzipped] = weight
			case "zstd":
				weights[zstandard] = weight
			case "identity":
				weights[identity] = weight
			case "*":
				rest = weight
			}
		}
	}
	best := identity
	for _, e := range []encoding{gzipped, zstandard} {
		if weights[e] < 0 {
			weights[e] = rest
		}
		if weights[e] > 0 && (weights[e] > weights[best] || best == identity && weights[e] == weights[best]) {
			best = e
		}
	}
	return best
}

// weighted splits an element like "gzip;q=0.5". Without a weight it is 1; one that cannot be read disqualifies.
func weighted(element string) (coding string, weight float64, ok bool) {
	coding, parameters, found := strings.Cut(element, ";")
	coding = strings.TrimSpace(coding)
	if !found {
		return coding, 1, true
	}
	name, value, _ := strings.Cut(strings.TrimSpace(parameters), "=")
	weight, ok = quality(strings.TrimSpace(value))
	return coding, weight, ok && strings.EqualFold(strings.TrimSpace(name), "q")
}

// quality reads a weight, from 1 for what is liked best to 0 for what is refused.
func quality(q string) (weight float64, ok bool) {
	weight, err := strconv.ParseFloat(q, 64)
	return weight, err == nil && weight >= 0 && weight <= 1
}
