// Package yeastar holds what the API of Yeastar Central Management (YCM) and that of a P-Series PBX share: errors
// with classes, scalars that are written in many ways, texts that cannot be trusted, and the rules of logging in.
package yeastar

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// FirstYCMCode is the smallest of YCM's codes ("Error Codes"); those of a PBX are far below.
const FirstYCMCode = 1_000_000

// Error is a failed request to YCM or to a PBX, or an answer that cannot be true. It never holds a secret.
type Error struct {
	Account    string
	PBX        string // The PBX that was asked, by its serial number or host; empty if YCM itself was.
	Endpoint   string // As in the metrics: token, cloud_pbx_list, ...; of a PBX the path: system/information, ...
	Class      Class
	Reach      Reach  // How far a request to a PBX came.
	HTTPStatus int    // 0 if there was no answer.
	Code       int    // The vendor's code ("Error Codes"), 0 if there was none.
	Message    string // What the server or the network said: one line of at most 200 bytes.
	RequestID  string // YCM's own, for its support.
	Advice     string // What an operator can do.
	Err        error  // The cause, if it is not the server's answer.
}

// Error tells what failed, where, and what can be done.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "account %s: ", e.Account)
	if e.PBX != "" {
		fmt.Fprintf(&b, "PBX %s: ", e.PBX)
	}
	fmt.Fprintf(&b, "%s: %s", e.Endpoint, e.Class)
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
	if advice := e.advice(); advice != "" && !errors.Is(e.Err, context.Canceled) {
		fmt.Fprintf(&b, "; %s", advice)
	}
	return b.String()
}

func (e *Error) advice() string {
	if e.Advice == "" && e.PBX == "" {
		return e.Class.Advice()
	}
	return e.Advice
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Reach tells how far a request to a PBX came.
type Reach uint8

// The ways that a request to a PBX can go.
const (
	NotAsked Reach = iota // Nothing was sent to the PBX, or nobody waited for its answer: nothing is known of it.
	NoAnswer              // The PBX did not answer, or something else did that is not its Open API.
	Answered              // The PBX itself answered, be it to refuse.
)

// ReachOf tells how far the request came that ended with err: Answered for nil, NotAsked for an error of another kind.
func ReachOf(err error) Reach {
	var failed *Error
	switch {
	case err == nil:
		return Answered
	case errors.As(err, &failed):
		return failed.Reach
	default:
		return NotAsked
	}
}
