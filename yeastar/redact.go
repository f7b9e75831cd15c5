package yeastar

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/ycm-exporter/ycm_exporter/secret"
)

// What is kept of what a server says, in bytes.
const (
	MaxMessage   = 200
	maxRequestID = 64
)

// Redactor takes out of what a server says what must not be shown: it may echo whatever it was sent. The zero value
// knows no secrets.
type Redactor struct{ forms []string }

// NewRedactor returns a redactor of these secrets, in each form in which they may be sent.
func NewRedactor(secrets ...secret.Text) Redactor {
	var forms []string
	for _, hidden := range secrets {
		plain := hidden.Reveal()
		const shortest = 4 // Shorter ones would blot out half of every message.
		if len(plain) < shortest {
			continue
		}
		quoted, _ := json.Marshal(plain) // A string can always be marshalled.
		forms = append(forms, plain, url.QueryEscape(plain), url.PathEscape(plain), strings.Trim(string(quoted), `"`))
	}
	slices.SortFunc(forms, func(a, b string) int { return cmp.Compare(len(b), len(a)) }) // One may begin with another.
	return Redactor{forms}
}

// Redact makes the error's texts fit to be shown: without secrets and links, each one line.
func (r Redactor) Redact(e *Error) {
	e.Message, e.RequestID = r.Quote(e.Message, MaxMessage), r.Quote(e.RequestID, maxRequestID)
}

// Quote makes what a server says one line of at most so many bytes, without secrets and links: a link may be one that
// gives a phone its passwords.
func (r Redactor) Quote(s string, most int) string {
	// Hidden twice, as a secret may hold what Line takes out, or come to light when Line took it out.
	words := strings.Fields(r.hide(Line(r.hide(s))))
	for i, word := range words {
		if strings.Contains(word, "/") {
			words[i] = "<link>"
		}
	}
	return Cut(strings.Join(words, " "), most)
}

func (r Redactor) hide(s string) string {
	for _, form := range r.forms {
		s = strings.ReplaceAll(s, form, secret.Text{}.String())
	}
	return s
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
