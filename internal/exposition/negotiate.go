package exposition

import (
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/prometheus/common/expfmt"
)

// negotiateFormat chooses by the Accept header. A client that accepts none of the formats gets text.
func negotiateFormat(h http.Header) (expfmt.Format, format) {
	content := expfmt.NegotiateAccept(h, expfmt.FmtOpenMetrics_1_0_0, expfmt.FmtOpenMetrics_0_0_1, expfmt.FmtProtoDelim, expfmt.FmtText)
	switch content.FormatType() {
	case expfmt.TypeOpenMetrics:
		return content, openMetrics
	case expfmt.TypeProtoDelim:
		return content, protobuf
	default:
		return content, text
	}
}

// acceptsGzip reports whether the Accept-Encoding header names gzip and does not refuse it with a weight of 0.
func acceptsGzip(h http.Header) bool {
	for element := range strings.SplitSeq(strings.Join(h["Accept-Encoding"], ","), ",") {
		coding, parameters, err := mime.ParseMediaType(element)
		if err != nil || coding != "gzip" {
			continue
		}
		weight, given := parameters["q"]
		q, err := strconv.ParseFloat(weight, 64)
		return !given || err == nil && q > 0
	}
	return false
}
