package capture

import (
	"encoding/json"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// recorded is an exchange as it was.
type recorded struct {
	account int
	pbx     int
	method  string
	path    string
	query   url.Values
	failed  yeastar.Class
	status  int
	header  map[string]string // what may be shown of it
	zipped  []byte            // the body, compressed
}

// learn has the scrubber learn from the exchange.
func (e *recorded) learn(s *scrubber) {
	if value, ok := decode(unzip(e.zipped)); ok {
		s.learn("", value, 0)
	}
	for _, part := range e.parts() {
		s.learnID(part.field, part.text)
	}
	for name, values := range e.query {
		for _, value := range values {
			for id := range strings.SplitSeq(value, ",") {
				s.learnID(name, id)
			}
		}
	}
}

// part is a part of a path: the value of a field, or, if field is empty, a word of the API's own.
type part struct{ field, text string }

// pathWord is a word of a documented path, or a version of the API. Anything else was put into a path.
var pathWord = regexp.MustCompile(`^(v[0-9]+(\.[0-9]+)?|[a-z]+(_[a-z]+)*)$`)

func (e *recorded) parts() (parts []part) {
	before := ""
	for text := range strings.SplitSeq(e.path, "/") {
		field := ""
		switch {
		case before == "instances" && whole.MatchString(text):
			field = "cloudPbxId"
		case before == "users":
			field = "userId"
		case before == "cloud_pbx" && text != "instances":
			field = "sn"
		case !pathWord.MatchString(text):
			field = "unknown"
		}
		parts = append(parts, part{field, text})
		before = text
	}
	return parts
}

// scrub is what may be shown of the exchange.
func (e *recorded) scrub(s *scrubber) Exchange {
	shown := Exchange{Account: e.account, PBX: e.pbx, Method: e.method, Failed: string(e.failed), Status: e.status}
	var path []string
	for _, p := range e.parts() {
		if p.field != "" {
			p.text = s.text(p.field, p.text)
		}
		path = append(path, p.text)
	}
	shown.Path = strings.Join(path, "/")
	for name := range e.query {
		if shown.Query == nil {
			shown.Query = map[string]string{}
		}
		shown.Query[s.name(parameters, name)] = s.parameter(name, e.query.Get(name))
	}
	if e.failed != "" {
		return shown
	}
	shown.Header = e.header
	content := unzip(e.zipped)
	value, ok := decode(content)
	if !ok {
		shown.Text = len(content)
		return shown
	}
	shown.Body, _ = json.Marshal(s.scrub("", value, 0)) // What was decoded can be encoded.
	return shown
}

// parameters is where the names of parameters are, as fields are in objects.
const parameters = "?"

// parameter is what may be shown of a parameter of the request. The exporter itself chose most of them.
func (s *scrubber) parameter(name, value string) string {
	switch {
	case name == "grant_type" && (value == "client_credentials" || value == "refresh_token"),
		(name == "sort" || name == "sort_by") && KnownName(strings.TrimPrefix(value, "-")):
		return value
	case s.kindOf(name) == identity:
		ids := strings.Split(value, ",")
		for i, id := range ids {
			ids[i] = s.text(name, id)
		}
		return strings.Join(ids, ",")
	default:
		return s.text(name, value)
	}
}

// headers are those that may be shown.
func headers(h http.Header) map[string]string {
	shown := map[string]string{}
	if media, _, err := mime.ParseMediaType(h.Get("Content-Type")); err == nil &&
		(media == "application/json" || media == "text/html" || media == "text/plain") {
		shown["Content-Type"] = media
	}
	for name := range h {
		if value := h.Get(name); limitHeader.MatchString(name) && len(value) <= 9 && whole.MatchString(value) {
			shown[name] = value
		}
	}
	return shown
}

var limitHeader = regexp.MustCompile(`(?i)^(retry-after|(x-)?rate-?limit(-(limit|remaining|reset|policy|burst-capacity|replenish-rate))?)$`)
