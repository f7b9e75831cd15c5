package ycmclient

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
)

// Class is what kind of failure an error is, or OK. The set is closed, so that it can be a label.
type Class string

// The classes.
const (
	OK          Class = "ok"
	Network     Class = "network"      // No whole answer came.
	Timeout     Class = "timeout"      // No whole answer came in time.
	Server      Class = "server"       // YCM says that it has a problem of its own.
	RateLimited Class = "rate_limited" // More requests were sent than YCM allows.
	Auth        Class = "auth"         // The credentials or the token are refused.
	Denied      Class = "denied"       // The account may not do this.
	NotFound    Class = "not_found"    // YCM does not have it.
	Invalid     Class = "invalid"      // An answer that cannot be understood, or a request that YCM does not understand.
)

// Classes returns every class.
func Classes() []Class {
	return []Class{OK, Network, Timeout, Server, RateLimited, Auth, Denied, NotFound, Invalid}
}

// advice tells what an operator can do about a failure of the class.
func (c Class) advice() string {
	switch c {
	case Network:
		return "check base_url, DNS, the proxy and the firewall"
	case Timeout:
		return "raise timeout if YCM is slow"
	case Server:
		return "look for the request id in YCM's logs if it lasts"
	case RateLimited:
		return "lower rate_limit, or find what else uses this client_id"
	case Auth:
		return "check client_id, the client secret, YCM's client IP restriction and its blocked IP list"
	case Denied:
		return "grant it to the account, or switch the collector off"
	case Invalid:
		return "check base_url, and what it is that answers there"
	default:
		return ""
	}
}

// retryable tells whether the same request may succeed if it is sent again soon.
func (c Class) retryable() bool {
	return c == Network || c == Timeout || c == Server || c == RateLimited
}

// Error is a failed request, or a list that cannot be true.
type Error struct {
	Account    string
	Endpoint   string // As in the metrics: token, cloud_pbx_list, ...
	Class      Class
	HTTPStatus int    // 0 if there was no answer.
	Code       int    // The vendor's code ("Error Codes"), 0 if there was none.
	Message    string // What YCM or the network said: one line of at most 200 runes without any secret.
	RequestID  string // YCM's own, for its support.
	Err        error  // The cause, if it is not YCM's answer.
}

// Error tells what failed, where, and what can be done.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "account %s: %s: %s", e.Account, e.Endpoint, e.Class)
	var details []string
	if e.HTTPStatus != 0 {
		details = append(details, fmt.Sprintf("HTTP %d", e.HTTPStatus))
	}
	if e.Code != 0 {
		details = append(details, fmt.Sprintf("code %d", e.Code))
	}
	if e.RequestID != "" {
		details = append(details, "request "+e.RequestID)
	}
	if len(details) > 0 {
		fmt.Fprintf(&b, " (%s)", strings.Join(details, ", "))
	}
	if e.Message != "" {
		fmt.Fprintf(&b, ": %s", e.Message)
	}
	if advice := e.Class.advice(); advice != "" && !errors.Is(e.Err, context.Canceled) {
		fmt.Fprintf(&b, "; %s", advice)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// ClassOf returns the class of an error of this package, OK for nil. Other errors are Timeout if that is what they
// say they are, else Network.
func ClassOf(err error) Class {
	var ours *Error
	var theirs net.Error
	switch {
	case err == nil:
		return OK
	case errors.As(err, &ours):
		return ours.Class
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &theirs) && theirs.Timeout():
		return Timeout
	default:
		return Network
	}
}

// classOfCode returns the class of a code of the vendor's table ("Error Codes"), "" for one that tells no class.
func classOfCode(code int) Class {
	switch code {
	case 1000001, 1000012, 1000024, 1000027, 1000030, 1000031, 3000009:
		return Server
	case 1000002, 1000033, codeSessionExpired, codeTokenExpired, codeInvalidToken:
		return Auth
	case 1000004:
		return Invalid
	case 1000005, 1000015:
		return NotFound
	case 1000040:
		return RateLimited
	case 1000042, 1000043, 2000016, 2000024: // The last two are of PBXs that are not activated or too old.
		return Denied
	default:
		return ""
	}
}

// Codes of an access token that is not good any more.
const (
	codeSessionExpired = 1000011
	codeTokenExpired   = 1000035
	codeInvalidToken   = 1000036
)

// classOfStatus returns the class of a failed answer by its HTTP status alone.
func classOfStatus(status int) Class {
	switch status {
	case http.StatusUnauthorized:
		return Auth
	case http.StatusForbidden:
		return Denied
	case http.StatusNotFound, http.StatusGone:
		return NotFound
	case http.StatusRequestTimeout:
		return Timeout
	case http.StatusTooManyRequests:
		return RateLimited
	}
	if status >= 500 || status < 300 { // Under 2xx, YCM says Failed and not why.
		return Server
	}
	return Invalid
}
