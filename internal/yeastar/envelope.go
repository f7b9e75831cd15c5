package yeastar

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
)

// Envelope is what is around the data of an answer, in every form that the vendor's APIs have for it: YCM's pages do not show a
// failed answer, and its sister products differ ("Response Results"). Field names are matched in any case.
type Envelope struct {
	Status Code `json:"status"` // Success or Failed, of YCM.

	ErrCode   Code `json:"errcode"` // Of a PBX.
	Code      Code `json:"code"`
	ErrNo     Code `json:"errno"`
	ErrorCode Code `json:"errorCode"`

	Msg           Words `json:"msg"`
	Message       Words `json:"message"`
	ErrMsg        Words `json:"errmsg"`
	ErrorMsg      Words `json:"errorMsg"`
	ErrorMessage  Words `json:"errorMessage"`
	Description   Words `json:"error_description"`
	Detail        Words `json:"detail"`
	DetailMsg     Words `json:"detailMsg"`
	DetailMessage Words `json:"detailMessage"`

	RequestID Words           `json:"requestId"`
	Errors    json.RawMessage `json:"errors"`
	Error     json.RawMessage `json:"error"` // A word in RFC 6749.
}

// Enveloped is an answer on the wire: a pointer to a struct that embeds Envelope.
type Enveloped interface{ Head() *Envelope }

// Head returns the envelope of an answer.
func (e *Envelope) Head() *Envelope { return e }

// Words is a text on the wire of any length and any content, because a secret in it can only be found whole.
type Words string

// UnmarshalJSON takes any JSON value.
func (w *Words) UnmarshalJSON(wire []byte) error {
	content, _ := scalar(wire)
	*w = Words(content)
	return nil
}

// Code is the vendor's number for a failure on the wire, or its name in place of that. The name is whatever scalar there is.
type Code struct {
	Number
	Name Words
}

// UnmarshalJSON takes any JSON value.
func (c *Code) UnmarshalJSON(wire []byte) error {
	return errors.Join(c.Number.UnmarshalJSON(wire), c.Name.UnmarshalJSON(wire))
}

// Failed reports whether the answer itself says that it failed, whatever its HTTP status and its data.
func (e *Envelope) Failed() bool {
	status := e.status()
	return e.Status.Unreadable && status == "" || status != "" && !isAny(status, "success") || e.ErrCode.Unreadable || e.ErrCode.Value != 0 ||
		e.Failure(http.StatusOK).coded
}

func (e *Envelope) status() string { return strings.TrimSpace(string(e.Status.Name)) }

// oauthErrors are those of a request for a token in RFC 6749.
var oauthErrors = []string{"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_scope"}

// largestCode is beyond all of the vendor's numbers.
const largestCode = 1e9

// Failure makes the error of a failed answer, classified by the vendor's number, else by the vendor's name, else by the HTTP
// status, which some write in place of a code. It still holds what the server wrote.
func (e *Envelope) Failure(status int) *Error {
	heads := []Envelope{*e}
	var words [2]Words // Of errors and error.
	for i, nested := range []json.RawMessage{e.Errors, e.Error} {
		_ = Each(nested, func(first Envelope) bool { heads = append(heads, first); return false })
		_ = Each(nested, func(first Words) bool { words[i] = first; return false })
	}
	failure := &Error{HTTPStatus: status, RequestID: string(e.RequestID)}
	own := e.status()
	word := cmp.Or(words[1], words[0])
	var names, texts []Words
	for _, h := range heads {
		for _, c := range []Code{h.ErrCode, h.Code, h.ErrNo, h.ErrorCode} {
			switch {
			case c.Unreadable:
				names, word = append(names, c.Name), cmp.Or(word, c.Name)
			case c.Value >= http.StatusContinue && c.Value < 600:
				if status < http.StatusMultipleChoices {
					status = int(c.Value)
				}
				failure.coded = status >= http.StatusBadRequest
			case c.Value > -largestCode && c.Value < largestCode:
				failure.Code = cmp.Or(failure.Code, int(c.Value))
			}
		}
		messages := []Words{h.Msg, h.Message, h.ErrMsg, h.ErrorMsg, h.ErrorMessage, h.Description, h.Detail, h.DetailMsg, h.DetailMessage}
		texts = append(texts, messages...)
		failure.Message = cmp.Or(failure.Message, string(cmp.Or(messages...)))
	}
	if word != "" {
		failure.Message = strings.TrimSuffix(string(word)+": "+failure.Message, ": ")
	}
	if own != "" && !isAny(own, "success", "failed") && failure.Message == "" && failure.Code == 0 {
		failure.Message = "its status is neither Success nor Failed: " + own
	}
	failure.quoted = failure.Message
	c, ok := findCode(failure.Code, append(names, Words(own), words[1], words[0])...)
	failure.coded = failure.coded || ok
	if !ok {
		c, ok = findCode(0, texts...)
	}
	if ok {
		failure.Class, failure.documented, failure.token = c.class, true, c.token
	} else {
		failure.Class = classOfStatus(status)
		failure.token = failure.Code == 0 && status == http.StatusUnauthorized
	}
	isOAuth := e.Description != "" || slices.Contains(oauthErrors, string(words[1]))
	isAPI := failure.FromAPI() || failure.RequestID != "" && failure.Message != "" || isAny(own, "success", "failed")
	failure.foreign = !isAPI && !isOAuth
	return failure
}
