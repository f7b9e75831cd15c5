package yeastar

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ycm-exporter/ycm_exporter/internal/secret"
)

// clean makes b fit for a terminal, a log and a label: U+FFFD stands for each control character, and for each that changes the
// direction of what follows. The result may share memory with b.
func clean(b []byte) []byte {
	const firstOfC1, firstOfBidi = 0xc2, 0xe2 // Begin U+0080 to U+00BF, and U+2000 to U+2FFF.
	suspicious := func(c byte) bool { return c < ' ' || c == 0x7f || c == firstOfC1 || c == firstOfBidi }
	for i, c := range b {
		if suspicious(c) {
			return append(b[:i:i], bytes.Map(func(r rune) rune {
				if unicode.IsControl(r) || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' {
					return utf8.RuneError
				}
				return r
			}, b[i:])...)
		}
	}
	return b
}

// Cut returns at most so many bytes of s, and no half of a character.
func Cut[S string | []byte](s S, most int) S {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most]
}

// Line makes hostile text one line without control characters. They are removed, not replaced, so that what they were to
// hide becomes visible.
func Line(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.Join(strings.Fields(s), " "))
}

// hostOf returns the host and port of a URL with or without a scheme, empty if it has none that is valid.
func hostOf(text string) string {
	if ip, err := netip.ParseAddr(text); err == nil {
		return ip.String()
	}
	if scheme, rest, found := strings.Cut(text, "://"); found && !strings.ContainsAny(scheme, "/?#@") {
		text = rest
	}
	u, err := url.Parse("//" + strings.TrimPrefix(text, "//"))
	if err != nil || u.Hostname() == "" || strings.HasSuffix(u.Host, ":") || strings.ContainsFunc(u.Host, func(r rune) bool {
		return !unicode.In(r, unicode.L, unicode.M, unicode.N) && !strings.ContainsRune("-._:[]%", r)
	}) {
		return ""
	}
	return u.Host
}

// IsSerialNumber reports whether a serial number is one of letters and digits, as all real ones are. It comes from YCM, and a path
// made of another one might lead anywhere.
func IsSerialNumber(sn string) bool {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return sn != "" && len(sn) <= 64 && strings.Trim(sn, alphabet) == ""
}

// What is kept of a server's texts, in bytes.
const (
	maxMessage   = 200
	maxRequestID = 64
)

// redact makes the texts of an error fit to be shown, without these secrets. It does nothing to nil.
func (e *Error) redact(secrets []secret.Text) {
	if e != nil {
		e.Message, e.RequestID, e.quoted = redact(e.Message, maxMessage, secrets), redact(e.RequestID, maxRequestID, secrets), ""
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
		} else if strings.Contains(word, "@") || strings.Contains(word, "%40") {
			words[i] = "<e-mail>"
		}
	}
	return Cut(strings.Join(words, " "), most)
}
