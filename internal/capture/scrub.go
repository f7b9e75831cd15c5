package capture

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// scrubber replaces what must not be shown.
type scrubber struct {
	fields   map[string]bool   // Allowed names of fields, in lower case because JSON is read so; true for numbers.
	words    map[string]bool   // Allowed texts, folded.
	standIns map[string]string // By the text in lower case: the vendor's APIs spell regions in two ways.
}

// scrub returns the exchange with what may be shown of its path, query and body.
func (s scrubber) scrub(e Exchange, path string, query url.Values, body []byte) Exchange {
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		if !pathWord.MatchString(segment) || i > 0 && segments[i-1] == "cloud_pbx" && segment != "instances" {
			segments[i] = s.text("id", segment)
		}
	}
	e.Path, e.Query = strings.Join(segments, "/"), map[string]string{}
	for name := range query {
		e.Query[s.name(name)] = s.text(name, query.Get(name))
	}
	value, ok := decode(body)
	switch {
	case e.Failed != "":
	case ok:
		e.Body, _ = json.Marshal(rewrite("", value, s.name, s.text, s.number)) // What was decoded can be encoded.
	default:
		e.Text = len(body)
	}
	return e
}

// pathWord is a word of a documented path, or a version of the API.
var pathWord = regexp.MustCompile(`^(v[0-9](\.[0-9])?|[a-z]+(_[a-z]+)*)$`)

// decode reads one JSON value.
func decode(body []byte) (any, bool) {
	decoder := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(body, []byte("\ufeff"))))
	decoder.UseNumber()
	var value any
	if decoder.Decode(&value) != nil {
		return nil, false
	}
	_, err := decoder.Token()
	return value, err == io.EOF
}

// rewrite returns a JSON value with the names of fields, texts and numbers replaced. The items of an array belong to its field.
func rewrite(field string, value any, name func(string) string, text, number func(field, text string) string) any {
	switch value := value.(type) {
	case map[string]any:
		rewritten := make(map[string]any, len(value))
		for _, key := range slices.Sorted(maps.Keys(value)) {
			rewritten[name(key)] = rewrite(key, value[key], name, text, number)
		}
		return rewritten
	case []any:
		for i := range value {
			value[i] = rewrite(field, value[i], name, text, number)
		}
	case json.Number:
		return json.Number(number(field, string(value)))
	case string:
		return text(field, value)
	}
	return value
}

// name returns what may be shown of the name of a field: the keys of an object may be the names of people.
func (s scrubber) name(field string) string {
	if _, ok := s.fields[strings.ToLower(field)]; ok {
		return field
	}
	return s.standIn(field)
}

// text returns what may be shown of a text.
func (s scrubber) text(field, text string) string {
	_, isField := s.fields[strings.ToLower(strings.TrimPrefix(text, "-"))] // In sort and menu.
	switch {
	case text == "", isField, s.words[folded(text)], versionField.MatchString(field) && firmwareVersion.MatchString(text):
		return text
	case s.fields[strings.ToLower(field)] && integer.MatchString(text):
		return s.number(field, text)
	default:
		return s.standIn(text)
	}
}

var (
	versionField    = regexp.MustCompile(`(?i)^(firmware|firmware_version|version)$`)
	firmwareVersion = regexp.MustCompile(`^[3-9][0-9](\.[0-9]{1,5}){2,4}$`) // Addresses of private networks begin with other numbers.
	integer         = regexp.MustCompile(`^-?[0-9]{1,18}$`)
)

// number returns what may be shown of a number. Telephone numbers have too many digits.
func (s scrubber) number(field, text string) string {
	const countable = 1_000_000_000
	n, err := strconv.ParseInt(text, 10, 64)
	switch {
	case err != nil:
		return "0.5" // A fraction, or more than any field holds.
	case -10 < n && n < 10, s.fields[strings.ToLower(field)] && (-countable < n && n < countable || isTime(field, n)):
		return strconv.FormatInt(n, 10)
	default:
		return s.standIn(strings.TrimPrefix(text, "-"))
	}
}

// standIn returns the stand-in of a text: a number for a number, a host for a host.
func (s scrubber) standIn(text string) string {
	text = strings.ToLower(text)
	shown, ok := s.standIns[text]
	if !ok {
		n := len(s.standIns) + 1
		switch {
		case integer.MatchString(text):
			shown = fmt.Sprintf("1%0*d", len(text)-1, n)
		case host.MatchString(text):
			shown = fmt.Sprintf("host-%04d.invalid", n)
		default:
			shown = fmt.Sprintf("name-%04d", n)
		}
		s.standIns[text] = shown
	}
	return shown
}

var host = regexp.MustCompile(`^[a-z0-9_-]+(\.[a-z0-9_-]+)+(:[0-9]{1,5})?$`)

// headers returns what may be shown of the headers.
func headers(h http.Header) map[string]string {
	shown := map[string]string{}
	media, _, _ := mime.ParseMediaType(h.Get("Content-Type"))
	if slices.Contains([]string{"application/json", "text/html", "text/plain"}, media) {
		shown["Content-Type"] = media
	}
	for name := range h {
		if value := h.Get(name); limitHeader.MatchString(name) && len(value) < 10 && integer.MatchString(value) {
			shown[name] = value
		}
	}
	return shown
}

var limitHeader = regexp.MustCompile(`(?i)^(retry-after|(x-)?rate-?limit(-(limit|remaining|reset|policy|burst-capacity|replenish-rate))?)$`)

// Shift moves every time in a body by so many seconds. A body that is not JSON stays as it is.
func Shift(body []byte, seconds int64) []byte {
	value, ok := decode(body)
	if !ok {
		return body
	}
	shift := func(field, text string) string {
		n, err := strconv.ParseInt(text, 10, 64)
		switch {
		case err != nil || !isTime(field, n):
			return text
		case n < latest:
			return strconv.FormatInt(n+seconds, 10)
		default:
			return strconv.FormatInt(n+seconds*1000, 10)
		}
	}
	shifted, err := json.Marshal(rewrite("", value, strings.Clone, shift, shift))
	if err != nil {
		return body
	}
	return shifted
}

// Times are unix seconds, or milliseconds.
const earliest, latest = 900_000_000, 4_000_000_000

var timeField = regexp.MustCompile(`(?i)(time|date|timestamp)$`)

// isTime reports whether a field holds a time.
func isTime(field string, n int64) bool {
	return (earliest <= n && n < latest || earliest*1000 <= n && n < latest*1000) && timeField.MatchString(field)
}
