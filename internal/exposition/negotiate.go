package exposition

import (
	"mime"
	"net/http"
	"strings"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// A contentType is one that a scrape can have.
type contentType struct {
	content expfmt.Format
	format  format
	media   string
	asked   map[string]string // parameters that a client who names the media type must ask for
	version string            // of who names the media type without one
}

// contentTypes begins with what a client gets who takes anything, like a browser or curl.
func contentTypes() []contentType {
	return []contentType{
		{content: expfmt.FmtText, format: text, media: "text/plain", asked: map[string]string{"version": "0.0.4"}, version: "0.0.4"},
		{content: expfmt.FmtOpenMetrics_1_0_0, format: openMetrics, media: expfmt.OpenMetricsType, asked: map[string]string{"version": "1.0.0"}, version: "0.0.1"},
		{content: expfmt.FmtOpenMetrics_0_0_1, format: openMetrics, media: expfmt.OpenMetricsType, asked: map[string]string{"version": "0.0.1"}, version: "0.0.1"},
		{
			content: expfmt.FmtProtoDelim, format: protobuf, media: expfmt.ProtoType,
			asked: map[string]string{"proto": expfmt.ProtoProtocol, "encoding": "delimited"},
		},
	}
}

// A match is how well a content type suits a client.
type match struct {
	quality     float64
	specificity int // 0: the client takes anything, 1: any of the type, 2: names the media type
	position    int // of the element in the header
	escaping    string
}

// betterThan tells what to serve of two content types.
func (m match) betterThan(other match) bool {
	switch {
	case m.quality != other.quality:
		return m.quality > other.quality
	case m.specificity != other.specificity:
		return m.specificity > other.specificity
	default:
		return m.position < other.position
	}
}

// negotiateFormat chooses by the Accept header: of what the client does not refuse, what it prefers. Who takes none of
// ours gets text, even against their word, as that is the best answer there is.
func negotiateFormat(h http.Header) (expfmt.Format, format) {
	elements := strings.Split(strings.Join(h["Accept"], ","), ",")
	available := contentTypes()
	chosen, best := available[0], match{escaping: model.EscapeUnderscores}
	for _, c := range available {
		if m := c.match(elements); m.quality > 0 && (best.quality == 0 || m.betterThan(best)) {
			chosen, best = c, m
		}
	}
	return chosen.content + expfmt.Format("; escaping="+best.escaping), chosen.format
}

// match judges a content type by the most specific of the elements that it meets, as HTTP wants it.
func (c contentType) match(elements []string) match {
	best := match{specificity: -1}
	for position, element := range elements {
		media, parameters, err := mime.ParseMediaType(element)
		weight, ok := 1.0, true
		if q, given := parameters["q"]; given {
			weight, ok = quality(q)
		}
		if err != nil || !ok {
			continue
		}
		m := match{quality: weight, specificity: c.specificity(media, parameters), position: position, escaping: model.EscapeUnderscores}
		switch escaping := parameters[model.EscapingKey]; escaping {
		case model.AllowUTF8, model.EscapeDots, model.EscapeValues:
			m.escaping = escaping
		}
		if m.specificity > best.specificity || m.specificity >= 0 && m.specificity == best.specificity && m.betterThan(best) {
			best = m
		}
	}
	return best
}

// specificity is how precisely an element names the content type, negative if it does not.
func (c contentType) specificity(media string, parameters map[string]string) int {
	kind, _, _ := strings.Cut(c.media, "/")
	switch media {
	case "*/*", "*":
		return 0
	case kind + "/*":
		return 1
	case c.media:
		for name, value := range c.asked {
			got := parameters[name]
			if name == "version" && got == "" {
				got = c.version
			}
			if got != value {
				return -1
			}
		}
		return 2
	}
	return -1
}
