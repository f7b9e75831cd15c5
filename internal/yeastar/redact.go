package yeastar

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/secret"
)

// What is kept of what a server says, in bytes.
const (
	MaxMessage   = 200
	maxRequestID = 64
)

// Redactor takes out of what a server says what must not be shown: it may echo whatever it was sent. The zero value
// knows no secrets.
type Redactor struct{ secrets []secret.Text }

// NewRedactor returns a redactor of these secrets, in each form in which they may be sent, whole or in part.
func NewRedactor(secrets ...secret.Text) Redactor { return Redactor{secrets} }

// parts are what a text must not hold.
type parts struct {
	short map[string]bool // Secrets that are hidden only whole, by their lower-case forms.
	long  map[string]bool // Each part of the others that is long enough to be of use, in lower case.
}

// partLength is how many bytes of a secret are a part that is hidden, in either case.
const partLength = 8

func (r Redactor) parts() parts {
	p := parts{map[string]bool{}, map[string]bool{}}
	for _, hidden := range r.secrets {
		plain := hidden.Reveal()
		const shortest = 4 // Shorter ones would blot out half of every message.
		if len(plain) < shortest {
			continue
		}
		quoted, _ := json.Marshal(plain) // A string can always be marshalled.
		for _, form := range []string{
			plain, url.QueryEscape(plain), url.PathEscape(plain), strings.Trim(string(quoted), `"`),
			base64.StdEncoding.EncodeToString([]byte(plain)), base64.URLEncoding.EncodeToString([]byte(plain)),
			// What it looks like behind other bytes, of which the first digits tell.
			base64.RawStdEncoding.EncodeToString([]byte("." + plain))[2:], base64.RawStdEncoding.EncodeToString([]byte(".." + plain))[3:],
			hex.EncodeToString([]byte(plain)),
		} {
			p.add(lower(form))
		}
	}
	return p
}

func (p parts) add(form string) {
	if len(form) < partLength {
		p.short[form] = true
	}
	for i := 0; i+partLength <= len(form); i++ {
		p.long[form[i:i+partLength]] = true
	}
}

// lower writes ASCII letters small and keeps each byte's place.
func lower(s string) string {
	small := []byte(s)
	for i, c := range small {
		if 'A' <= c && c <= 'Z' {
			small[i] = c + 'a' - 'A'
		}
	}
	return string(small)
}

// Redact makes the error's texts fit to be shown: without secrets and links, each one line.
func (r Redactor) Redact(e *Error) {
	e.Message, e.RequestID = r.Quote(e.Message, MaxMessage), r.Quote(e.RequestID, maxRequestID)
}

// Quote makes what a server says one line of at most so many bytes, without secrets and links: a link may be one that
// gives a phone its passwords.
func (r Redactor) Quote(s string, most int) string {
	if s == "" {
		return ""
	}
	hidden := r.parts()
	const enough = 16 << 10 // Of which most bytes are shown.
	s = Cut(s, enough)
	// Hidden twice, as a secret may hold what Line takes out, or come to light when Line took it out.
	words := strings.Fields(hidden.hide(Line(hidden.hide(s))))
	for i, word := range words {
		if strings.Contains(word, "/") {
			words[i] = "<link>"
		}
	}
	return Cut(strings.Join(words, " "), most)
}

// hide puts one mark in place of each stretch of what is secret.
func (p parts) hide(s string) string {
	if len(p.short)+len(p.long) == 0 {
		return s
	}
	var shown strings.Builder
	small := lower(s)
	last, end := 0, 0 // Where the text goes on that is not yet written, and where the stretch at hand ends.
	flush := func(until int) {
		if end > last {
			shown.WriteString(secret.Text{}.String())
			last = end
		}
		shown.WriteString(s[last:until])
		last = until
	}
	for i := range len(small) {
		if n := p.at(small[i:]); n > 0 {
			if i > end || end == 0 {
				flush(i)
			}
			end = max(end, i+n)
		}
	}
	flush(len(s))
	return shown.String()
}

// at returns how many bytes of a secret the text begins with.
func (p parts) at(small string) int {
	if len(small) >= partLength && p.long[small[:partLength]] {
		return partLength
	}
	for form := range p.short {
		if strings.HasPrefix(small, form) {
			return len(form)
		}
	}
	return 0
}

// quotation is what net/http repeats of an answer that is no HTTP. It may be a part of a secret, which is not found.
var quotation = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

// Unanswered makes the error of a request to which no whole answer came within the time-out. Of err it keeps only the
// words, without what they quote: what they wrap may hold the URL, and with that a token.
func Unanswered(err error, timeout time.Duration) *Error {
	if ClassOf(err) == Timeout {
		return &Error{Class: Timeout, Message: fmt.Sprintf("no whole answer within %v", timeout)}
	}
	if errors.Is(err, ErrSwitched) {
		return &Error{Class: Invalid, HTTPStatus: http.StatusSwitchingProtocols, Message: ErrSwitched.Error()}
	}
	if outer := (*url.Error)(nil); errors.As(err, &outer) {
		err = outer.Err
	}
	words := strings.NewReplacer("net/http: ", "", "HTTP/1.x ", "").Replace(err.Error())
	return &Error{Class: ClassOf(err), Message: quotation.ReplaceAllString(words, "...")}
}
