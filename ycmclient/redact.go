package ycmclient

import (
	"errors"
	"net/url"
	"regexp"
	"strings"
	"unicode"

	"github.com/ycm-exporter/ycm_exporter/yeastar"
)

const (
	maxMessage   = 200 // Runes.
	maxRequestID = 64
)

// complete fills in what an error does not know of itself, and takes out what it must not show: YCM may echo
// whatever it was sent.
func (c *Client) complete(e *yeastar.Error, endpoint, token string) {
	e.Account, e.Endpoint = c.account, endpoint
	hide := strings.NewReplacer(c.tokens.secrets(token)...)
	show := func(s string, runes int) string {
		// Twice, as a secret may hold what printable takes out, or come to light when printable took it out.
		return cut(hide.Replace(printable(hide.Replace(s))), runes)
	}
	e.Message, e.RequestID = show(e.Message, maxMessage), show(e.RequestID, maxRequestID)
	if e.Err != nil {
		if shown := hide.Replace(e.Err.Error()); shown != e.Err.Error() {
			e.Err = errors.New(shown)
		}
	}
}

// secrets returns pairs of a secret and what is shown in its place.
func (t *tokens) secrets(inUse string) []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var pairs []string
	hide := func(s string) {
		const shortest = 4 // Shorter ones would blot out half of every message.
		if len(s) >= shortest {
			pairs = append(pairs, s, "<secret>", url.QueryEscape(s), "<secret>")
		}
	}
	hide(inUse)
	hide(t.sent.Reveal())
	for _, token := range t.granted {
		hide(token.Reveal())
	}
	return pairs
}

// quotation is what net/http repeats of an answer that is no HTTP. It may be a part of a secret, which is not found.
var quotation = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

// withoutQuotations makes an error of net/http one that shows nothing of the answer.
func withoutQuotations(err error) error {
	if shown := quotation.ReplaceAllString(err.Error(), "..."); shown != err.Error() {
		return errors.New(shown)
	}
	return err
}

// printable makes hostile text one line without control characters.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.Join(strings.Fields(s), " "))
}

// cut returns at most so many runes of s.
func cut(s string, runes int) string {
	for i := range s {
		if runes--; runes < 0 {
			return s[:i]
		}
	}
	return s
}
