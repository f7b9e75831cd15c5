// Package yeastar holds what the API of Yeastar Central Management (YCM) and that of a P-Series PBX share: the HTTP exchange,
// the token session and the login guard, errors with classes, and values that are written in many ways. It knows no endpoint.
package yeastar

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Error is a failed request to YCM or to a PBX, or an inconsistent answer. It never holds a secret.
type Error struct {
	Account    string
	PBX        string // The serial number or host of the PBX; empty for a request to YCM itself.
	Endpoint   string // As in the metrics: token, cloud_pbx_list, ...; of a PBX the path: system/information, ...
	Class      Class
	Reach      Reach  // How far the request came.
	HTTPStatus int    // 0 if there was no answer.
	Code       int    // The vendor's code ("Error Codes"), 0 if there was none.
	Message    string // Of the server or the network: one line of at most 200 bytes.
	RequestID  string // YCM's own, for its support.
	Advice     string // What an operator can do.
	Err        error  // The cause, if it is not the server's answer.

	// RetryLogin is how long the PBX will refuse every login, whatever the credentials.
	RetryLogin time.Duration

	documented bool   // The class is that of the vendor's number or name.
	coded      bool   // A code, not only a message, is that of a failure.
	token      bool   // The vendor's number or name is that of a token that is no longer accepted.
	foreign    bool   // The answer has nothing that the vendor or OAuth documents: a gateway's page.
	quoted     string // The server's own text.
}

// Error says what failed, where, and what to do.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "account %s: ", e.Account)
	if e.PBX != "" {
		fmt.Fprintf(&b, "PBX %s: ", e.PBX)
	}
	fmt.Fprintf(&b, "%s: %s", e.Endpoint, e.Class)
	if details := e.Details(); len(details) > 0 {
		fmt.Fprintf(&b, " (%s)", strings.Join(details, ", "))
	}
	if e.Message != "" {
		fmt.Fprintf(&b, ": %s", e.Message)
	}
	if hint := e.Hint(); hint != "" && !errors.Is(e.Err, context.Canceled) {
		fmt.Fprintf(&b, "; %s", hint)
	}
	return b.String()
}

// Details returns what the vendor's support identifies a failure by.
func (e *Error) Details() (details []string) {
	if e.HTTPStatus != 0 {
		details = append(details, fmt.Sprintf("HTTP %d", e.HTTPStatus))
	}
	if e.Code != 0 {
		code := fmt.Sprintf("code %d", e.Code)
		if name := CodeName(e.Code); !strings.Contains(e.Message, name) {
			code += " " + name
		}
		details = append(details, code)
	}
	if e.RequestID != "" {
		details = append(details, "request "+e.RequestID)
	}
	return details
}

// Hint returns what an operator can do: the error's own advice, else that of its class.
func (e *Error) Hint() string {
	if e.Advice == "" && e.PBX == "" {
		return e.Class.Advice()
	}
	return e.Advice
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// TokenRejected reports whether the server no longer accepts the token that was sent, so that a new one may help.
func (e *Error) TokenRejected() bool {
	return e != nil && (e.token || !e.documented && e.Code == 0 && e.HTTPStatus == http.StatusUnauthorized)
}

// FromAPI reports whether the answer has a number or a name of the vendor's, so that it is not from a gateway in between.
func (e *Error) FromAPI() bool { return e.documented || e.Code != 0 }

// RefusesLogin reports whether a failed login may count as a refused one at the server, which blocks an address after a few of
// them. Only what is clearly a problem of the server or of the network does not.
func (e *Error) RefusesLogin() bool {
	switch e.Class {
	case Auth, Denied:
		return true
	case NotFound:
		return e.HTTPStatus != http.StatusNotFound && e.HTTPStatus != http.StatusGone
	case Server:
		return e.HTTPStatus >= 200 && e.HTTPStatus < 300 && !e.documented // It reports a failure and no reason.
	case Invalid:
		return e.Code != 0 || e.documented || e.HTTPStatus >= 400
	default:
		return false
	}
}

// Reach is how far a request to a PBX came.
type Reach uint8

// The ways that a request to a PBX can go.
const (
	NotSent  Reach = iota // Nothing was sent to the PBX, or its answer was not awaited: nothing is known of the PBX.
	NoAnswer              // The PBX did not answer, or something else did that is not its Open API.
	Answered              // The PBX itself answered, if only to refuse.
)

// ReachOf returns how far the request came that ended with err: Answered for nil, NotSent for an error of another kind.
func ReachOf(err error) Reach {
	var failed *Error
	switch {
	case err == nil:
		return Answered
	case errors.As(err, &failed):
		return failed.Reach
	default:
		return NotSent
	}
}
