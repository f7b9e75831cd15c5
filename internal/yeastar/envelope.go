package yeastar

import (
	"bytes"
	"cmp"
	"encoding/json"
	"strings"
)

// Envelope is what is around the data of an answer, in every form that the vendor's APIs have for it: YCM's pages do not show a
// failed answer, and its sister products differ ("Response Results"). Field names are matched in any case.
type Envelope struct {
	Status Text `json:"status"` // Success or Failed, of YCM.

	ErrCode   Number `json:"errcode"` // Of a PBX.
	Code      Words  `json:"code"`    // A number or the vendor's name for it.
	ErrNo     Words  `json:"errno"`
	ErrorCode Words  `json:"errorCode"`

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

// Failed reports whether the answer itself says that it failed, whatever its HTTP status.
func (e *Envelope) Failed() bool {
	status := bytes.TrimSpace(e.Status.bytes)
	return e.Status.unreadable || len(status) > 0 && !isAny(status, "success") || e.ErrCode.Unreadable || e.ErrCode.Value != 0
}

// largestCode is beyond all of the vendor's numbers.
const largestCode = 1e9

// Failure makes the error of a failed answer, classified by the vendor's number, else by the vendor's name, else by the HTTP
// status. It still holds what the server wrote.
func (e *Envelope) Failure(status int) *Error {
	heads := []Envelope{*e}
	for _, nested := range []json.RawMessage{e.Errors, e.Error} {
		var inner List[Envelope]
		if json.Unmarshal(nested, &inner) == nil && len(inner.Items) > 0 {
			heads = append(heads, inner.Items[0])
		}
	}
	failure := &Error{HTTPStatus: status, RequestID: string(e.RequestID)}
	var word Words
	_ = word.UnmarshalJSON(e.Error)
	names := []Words{word}
	for _, h := range heads {
		if h.ErrCode.Value > -largestCode && h.ErrCode.Value < largestCode {
			failure.Code = cmp.Or(failure.Code, int(h.ErrCode.Value))
		}
		for _, c := range []Words{h.Code, h.ErrNo, h.ErrorCode} {
			if n, ok := wholeNumber([]byte(c)); !ok {
				names, word = append(names, c), cmp.Or(word, c)
			} else if n > -largestCode && n < largestCode {
				failure.Code = cmp.Or(failure.Code, int(n))
			}
		}
		messages := []Words{h.Msg, h.Message, h.ErrMsg, h.ErrorMsg, h.ErrorMessage, h.Description, h.Detail, h.DetailMsg, h.DetailMessage}
		names = append(names, messages...)
		failure.Message = cmp.Or(failure.Message, string(cmp.Or(messages...)))
	}
	if word != "" {
		failure.Message = strings.TrimSuffix(string(word)+": "+failure.Message, ": ")
	}
	if status := bytes.TrimSpace(e.Status.bytes); len(status) > 0 && !isAny(status, "success", "failed") && failure.Message == "" && failure.Code == 0 {
		failure.Message = "its status is neither Success nor Failed: " + e.Status.String()
	}
	failure.quoted = failure.Message
	if c, ok := findCode(failure.Code, names...); ok {
		failure.Class, failure.documented, failure.token = c.class, true, c.token
	} else if failure.Code >= 400 && failure.Code < 600 { // Some of the vendor's APIs repeat the HTTP status as a code.
		failure.Class = classOfStatus(failure.Code)
	} else {
		failure.Class = classOfStatus(status)
	}
	failure.foreign = failure.Code == 0 && failure.Message == "" && len(e.Status.bytes) == 0
	return failure
}
