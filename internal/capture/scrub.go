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
	switch value, ok := decode(body); {
	case e.Failed != "":
	case ok:
		e.Body, _ = json.Marshal(s.value("", value)) // What was decoded can be encoded.
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

// value returns what may be shown of a JSON value. The items of an array belong to its field.
func (s scrubber) value(field string, value any) any {
	switch value := value.(type) {
	case map[string]any:
		shown := make(map[string]any, len(value))
		for _, key := range slices.Sorted(maps.Keys(value)) {
			shown[s.name(key)] = s.value(key, value[key])
		}
		return shown
	case []any:
		for i := range value {
			value[i] = s.value(field, value[i])
		}
	case json.Number:
		return json.Number(s.number(field, string(value)))
	case string:
		return s.text(field, value)
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
	timeField       = regexp.MustCompile(`(?i)(time|date|timestamp)$`)
	integer         = regexp.MustCompile(`^-?[0-9]{1,18}$`)
	host            = regexp.MustCompile(`^[a-z0-9_-]+(\.[a-z0-9_-]+)+(:[0-9]{1,5})?$`)
)

// number returns what may be shown of a number: telephone numbers have more digits than counts and ids, and are not in fields
// for times, which are unix seconds or milliseconds.
func (s scrubber) number(field, text string) string {
	const countable, earliest, latest = 1_000_000_000, 900_000_000, 4_000_000_000
	n, err := strconv.ParseInt(text, 10, 64)
	isTime := timeField.MatchString(field) && (earliest <= n && n < latest || earliest*1000 <= n && n < latest*1000)
	switch {
	case err != nil:
		return "0.5" // A fraction, or more than any field holds.
	case -10 < n && n < 10, s.fields[strings.ToLower(field)] && (-countable < n && n < countable || isTime):
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

// headers returns what may be shown of the headers.
func headers(h http.Header) map[string]string {
	shown := map[string]string{}
	media, _, _ := mime.ParseMediaType(h.Get("Content-Type")) // One that is not valid is not shown.
	if slices.Contains([]string{"application/json", "text/html", "text/plain"}, media) {
		shown["Content-Type"] = media
	}
	if after := h.Get("Retry-After"); len(after) < 10 && integer.MatchString(after) {
		shown["Retry-After"] = after
	}
	return shown
}
