package yeastar

import (
	"context"
	"errors"
	"net"
	"net/http"
)

// Class is the kind of failure that an error is, or OK. The set is closed, so that it can be a label.
type Class string

// The classes.
const (
	OK          Class = "ok"
	Network     Class = "network"      // No complete answer came.
	Timeout     Class = "timeout"      // No complete answer came in time.
	Server      Class = "server"       // The server reports a problem of its own.
	RateLimited Class = "rate_limited" // The server refused one request too many.
	Auth        Class = "auth"         // The credentials or the token are refused.
	Denied      Class = "denied"       // The account may not do this.
	NotFound    Class = "not_found"    // The server does not have it.
	Invalid     Class = "invalid"      // An answer that cannot be understood, or a request that the server does not understand.
)

// Classes returns every class.
func Classes() []Class {
	return []Class{OK, Network, Timeout, Server, RateLimited, Auth, Denied, NotFound, Invalid}
}

// ClassOf returns the class of an [*Error], OK for nil. Other errors are Timeout if they report a time-out, else Network.
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

// classOfStatus returns the class of a failed answer by its HTTP status alone.
func classOfStatus(status int) Class {
	switch {
	case status == http.StatusUnauthorized:
		return Auth
	case status == http.StatusForbidden:
		return Denied
	case status == http.StatusNotFound, status == http.StatusGone:
		return NotFound
	case status == http.StatusRequestTimeout:
		return Timeout
	case status == http.StatusProxyAuthRequired: // From an HTTP proxy on the way, not from the server.
		return Network
	case status == http.StatusTooManyRequests:
		return RateLimited
	case status >= 500, status < 300: // Under 2xx, the answer reports a failure and no reason.
		return Server
	default:
		return Invalid
	}
}

// Retryable reports whether the same request may succeed if it is sent again soon.
func (c Class) Retryable() bool {
	return c == Network || c == Timeout || c == Server || c == RateLimited
}

// Advice returns what an operator can do about a failed request to YCM.
func (c Class) Advice() string { return advices[c].ycm }

// PBXAdvice returns what an operator can do about a failed request to a PBX.
func (c Class) PBXAdvice() string { return advices[c].pbx }

var advices = map[Class]struct{ ycm, pbx string }{
	Network:     {"check base_url, DNS, the proxy and the firewall", "check that the PBX runs and that its URL is right"},
	Timeout:     {"check the firewall; increase timeout if YCM is slow", "check that the PBX runs and that its URL is right"},
	Server:      {"check that YCM works; if it does, look for the request id in its logs", ""},
	RateLimited: {"reduce rate_limit, or stop other clients that use this client_id", ""},
	Auth: {
		"check client_id, the client secret, and in YCM Client IP Restriction and Security > Blocked IP",
		"check client_id and the client secret of this PBX",
	},
	Denied:   {"grant the permission to the account in YCM, or disable the collector", "enable the API on the PBX for this Client ID"},
	NotFound: {"", "the firmware of the PBX may be too old for this request"},
	Invalid:  {"check base_url, and whether a proxy or a login page responds there", ""},
}
