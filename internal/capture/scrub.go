package capture

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// scrubber replaces what must not be shown. It goes through everything twice: to learn which ids and texts there are,
// and then to write.
type scrubber struct {
	offset int64                      // added to times, in seconds
	ids    map[string]map[int64]int64 // what stands for an id, by space
	texts  map[string]*standIn        // by the text in one case
	values map[string]bool            // texts that were values, in one case
	seen   map[string]*objects        // what objects there were, by the field that has them
	kinds  map[string]kind            // of fields that were met
	pages  map[string]bool            // whether the vendor's pages have a field that was met
}

// standIn stands for a text, however it is spelled.
type standIn struct {
	number int
	first  string // its first spelling
}

func newScrubber(offset int64) *scrubber {
	return &scrubber{offset: offset, ids: map[string]map[int64]int64{}, texts: map[string]*standIn{}, values: map[string]bool{}, seen: map[string]*objects{}, kinds: map[string]kind{}, pages: map[string]bool{}}
}

// deepest is how far down an answer is looked at; what is below is left out.
const deepest = 32

// decode reads one JSON value.
func decode(body []byte) (any, bool) {
	numbers := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(body, []byte("\ufeff"))))
	numbers.UseNumber()
	var value any
	if numbers.Decode(&value) != nil {
		return nil, false
	}
	_, err := numbers.Token()
	return value, err == io.EOF
}

// learn notes the ids and texts of a value.
func (s *scrubber) learn(field string, value any, depth int) {
	if depth > deepest {
		return
	}
	switch value := value.(type) {
	case map[string]any:
		s.learnKeys(field, value)
		for key, inner := range value {
			s.learn(key, inner, depth+1)
		}
	case []any:
		for _, inner := range value {
			s.learn(field, inner, depth+1)
		}
	case json.Number:
		s.learnID(field, value.String())
	case string:
		s.learnID(field, value)
		if s.kindOf(field) == replaced {
			s.values[strings.ToLower(value)] = true
		}
	}
}

func (s *scrubber) learnID(field, text string) {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id <= 0 || s.kindOf(field) != identity {
		return
	}
	known := s.ids[space(field)]
	if known == nil {
		known = map[int64]int64{}
		s.ids[space(field)] = known
	}
	known[id] = 0
}

// number numbers the ids in their order. Nothing is to be learned after that.
func (s *scrubber) number() {
	for _, known := range s.ids {
		for place, id := range slices.Sorted(maps.Keys(known)) {
			known[id] = int64(place + 1)
		}
	}
}

// scrub returns what may be shown in the place of a value.
func (s *scrubber) scrub(field string, value any, depth int) any {
	if depth > deepest {
		return nil
	}
	switch value := value.(type) {
	case map[string]any:
		shown := make(map[string]any, len(value))
		for _, key := range slices.Sorted(maps.Keys(value)) {
			shown[s.name(field, key)] = s.scrub(key, value[key], depth+1)
		}
		return shown
	case []any:
		shown := make([]any, len(value))
		for i, inner := range value {
			shown[i] = s.scrub(field, inner, depth+1)
		}
		return shown
	case json.Number:
		return json.Number(s.digits(field, value.String()))
	case string:
		return s.text(field, value)
	default: // true, false and null
		return value
	}
}

// vendorVersion is how the vendor's versions begin, and addresses of private networks do not.
var vendorVersion = regexp.MustCompile(`^[3-9][0-9]\.`)

var whole = regexp.MustCompile(`^-?[0-9]{1,19}$`)

// text is what may be shown of a text.
func (s *scrubber) text(field, text string) string {
	kind := s.kindOf(field)
	switch {
	case text == "",
		kind == closed && KnownWord(text),
		kind == versioned && KnownVersion(text) && vendorVersion.MatchString(text):
		return text
	case kind != replaced && kind != closed && kind != versioned && whole.MatchString(text):
		return s.digits(field, text)
	default:
		return s.standIn(text)
	}
}

// Times are unix seconds, or milliseconds.
const (
	earliest, latest = 900_000_000, 4_000_000_000
	milliseconds     = 1000
)

// digits is what may be shown of a number.
func (s *scrubber) digits(field, text string) string {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return "0.5" // A fraction, or none of the numbers that an honest answer has.
	}
	const countable, codes = 1_000_000_000, 10_000 // A telephone number has more digits.
	kind := s.kindOf(field)
	switch {
	case -10 < n && n < 10 && kind != identity:
		return strconv.FormatInt(n, 10)
	case kind == identity && n > 0:
		return strconv.FormatInt(s.ids[space(field)][n], 10)
	case kind == counted && -countable < n && n < countable, kind == closed && -codes < n && n < codes:
		return strconv.FormatInt(n, 10)
	case kind == dated:
		return shift(n, s.offset)
	default:
		return magnitude(n)
	}
}

// shift moves a time, whatever its unit.
func shift(n, offset int64) string {
	switch {
	case earliest <= n && n < latest:
		return strconv.FormatInt(n+offset, 10)
	case earliest*milliseconds <= n && n < latest*milliseconds:
		return strconv.FormatInt(n+offset*milliseconds, 10)
	default:
		return magnitude(n)
	}
}

// magnitude is a number of as many digits.
func magnitude(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	if digits == "0" {
		return digits
	}
	return sign + "1" + strings.Repeat("0", len(digits)-1)
}

// standIn is what stands for a text. Another spelling of it has another stand-in that is the same but for case, as the
// text is.
func (s *scrubber) standIn(text string) string {
	folded := strings.ToLower(text)
	known := s.texts[folded]
	if known == nil {
		known = &standIn{len(s.texts) + 1, text}
		s.texts[folded] = known
	}
	shown := fmt.Sprintf("name-%04d", known.number)
	if known.first != text {
		shown = fmt.Sprintf("NAME-%04d", known.number)
	}
	for _, special := range []struct {
		sample string
		is     func(rune) bool
	}{
		{" ", func(r rune) bool { return r == ' ' }},
		{`"`, func(r rune) bool { return r == '"' }},
		{"\u0001", unicode.IsControl},
		{"é", func(r rune) bool { return r > unicode.MaxASCII }},
	} {
		if strings.ContainsFunc(text, special.is) {
			shown += special.sample
		}
	}
	length := utf8.RuneCountInString(text)
	padded := 256
	switch {
	case length <= 16:
		padded = 16
	case length <= 64:
		padded = 64
	}
	return shown + strings.Repeat("x", max(0, padded-utf8.RuneCountInString(shown)))
}

// Shift moves every time in a body by so many seconds. What is no JSON stays.
func Shift(body []byte, seconds int64) []byte {
	value, ok := decode(body)
	if !ok {
		return body
	}
	shifted, err := json.Marshal(shiftAll("", value, seconds))
	if err != nil {
		return body
	}
	return shifted
}

func shiftAll(field string, value any, seconds int64) any {
	switch value := value.(type) {
	case map[string]any:
		for key, inner := range value {
			value[key] = shiftAll(key, inner, seconds)
		}
	case []any:
		for i, inner := range value {
			value[i] = shiftAll(field, inner, seconds)
		}
	case json.Number:
		if n, err := value.Int64(); err == nil && n >= earliest && kindOf(field) == dated {
			return json.Number(shift(n, seconds))
		}
	case string:
		if n, err := strconv.ParseInt(value, 10, 64); err == nil && n >= earliest && kindOf(field) == dated {
			return shift(n, seconds)
		}
	}
	return value
}
