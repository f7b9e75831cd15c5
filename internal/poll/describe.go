package poll

import (
	"errors"
	"fmt"
	"regexp"
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

// unset are details that an error does not have.
var unset = regexp.MustCompile(`, (HTTP 0|code 0|request $)`)

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
	details := fmt.Sprintf("%s, %s, HTTP %d, code %d, request %s", e.Class, e.Endpoint, e.HTTPStatus, e.Code, e.RequestID)
	text = f.text + " (" + unset.ReplaceAllString(details, "") + ")"
	if e.PBX != "" {
		text = "PBX " + e.PBX + ": " + text
	}
	if e.Message != "" {
		text += ": " + e.Message
	}
	advice := e.Advice
	if advice == "" && e.PBX == "" {
		advice = e.Class.Advice()
	}
	if f.shared {
		cause = f.text
	}
	return strings.TrimSpace(sentence(text) + " " + sentence(advice)), cause
}

// sentence gives a text a capital and a full stop.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + strings.TrimSuffix(text[1:], ".") + "."
}
