package poll

import (
	"errors"
	"strings"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// failures are the classes of errors, as the status page names them. Those that are shared concern the account: the server,
// the connection, the login and often the permissions are the same for all collectors.
var failures = map[yeastar.Class]struct {
	text   string
	shared bool
}{
	yeastar.Network:     {"Connection failed", true},
	yeastar.Timeout:     {"Request timed out", true},
	yeastar.Server:      {"Server error", true},
	yeastar.RateLimited: {"Rate limited by YCM", true},
	yeastar.Auth:        {"Login refused", true},
	yeastar.Denied:      {"Permission denied", true},
	yeastar.NotFound:    {"Not found", false},
	yeastar.Invalid:     {"Invalid response", false},
}

// describe returns an error of an account as sentences with the advice, and the cause that other collectors may share.
func describe(account string, err error) (text, cause string) {
	var e *yeastar.Error
	switch {
	case err == nil:
		return "", ""
	case !errors.As(err, &e):
		return sentence(strings.TrimPrefix(err.Error(), "account "+account+": ")), ""
	}
	f := failures[e.Class]
	text = f.text + " (" + strings.Join(append([]string{string(e.Class), e.Endpoint}, e.Details()...), ", ") + ")"
	if e.PBX != "" {
		text = "PBX " + e.PBX + ": " + text
	}
	if e.Message != "" {
		text += ": " + e.Message
	}
	if f.shared {
		cause = f.text
	}
	return strings.TrimSpace(sentence(text) + " " + sentence(e.Hint())), cause
}

// sentence gives a text a capital and a full stop.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + strings.TrimSuffix(text[1:], ".") + "."
}
