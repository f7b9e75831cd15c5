package yeastar

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"github.com/ycm-exporter/ycm_exporter/internal/secret"
)

// What is kept of a server's texts, in bytes.
const (
	maxMessage   = 200
	maxRequestID = 64
)

// Redact makes the texts of an error fit to be shown, without these secrets. It does nothing to nil.
func (e *Error) Redact(secrets []secret.Text) {
	if e != nil {
		e.Message, e.RequestID = redact(e.Message, maxMessage, secrets), redact(e.RequestID, maxRequestID, secrets)
	}
}

// redact makes a server's text fit to be shown: one line of at most so many bytes, with the secrets replaced, plain,
// URL-encoded, JSON-encoded and in base64, and without e-mail addresses and links: one of them may give a phone its passwords.
func redact(text string, most int, secrets []secret.Text) string {
	if text == "" {
		return ""
	}
	const shortest = 4 // Shorter secrets would replace half of every message.
	var forms []string
	for _, s := range secrets {
		if plain := s.Reveal(); len(plain) >= shortest {
			quoted, _ := json.Marshal(plain) // A string can always be encoded.
			forms = append(forms, plain, url.QueryEscape(plain), url.PathEscape(plain),
				strings.Trim(string(quoted), `"`), base64.StdEncoding.EncodeToString([]byte(plain)))
		}
	}
	slices.SortFunc(forms, func(a, b string) int { return len(b) - len(a) }) // One secret may be a part of another.
	var pairs []string
	for _, form := range forms {
		pairs = append(pairs, form, secret.Text{}.String())
	}
	replace := strings.NewReplacer(pairs...)
	words := strings.Fields(replace.Replace(Line(replace.Replace(text)))) // Twice, because control characters may have split one.
	for i, word := range words {
		if strings.Contains(word, "/") {
			words[i] = "<link>"
		} else if strings.Contains(word, "@") {
			words[i] = "<e-mail>"
		}
	}
	return Cut(strings.Join(words, " "), most)
}
