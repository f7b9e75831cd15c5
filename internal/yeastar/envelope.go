package yeastar

import (
	"bytes"
	"cmp"
	"encoding/json"
	"strings"
)

// Envelope is what is around the data of an answer, in every form that the vendor's APIs have for it: YCM's pages do
// not show a failed answer, and a PBX's pages other fields than those of other products ("Response Results").
type Envelope struct {
	Status Text `json:"status"` // Success or Failed, of YCM.

	Code      Number `json:"code"`
	ErrCode   Number `json:"errcode"` // Of a PBX.
	ErrNo     Number `json:"errno"`
	ErrorCode Number `json:"errorCode"`

	Msg         Words `json:"msg"`
	Message     Words `json:"message"`
	ErrMsg      Words `json:"errmsg"` // Of a PBX.
	Description Words `json:"error_description"`
	Detail      Words `json:"detail"`

	RequestID Words           `json:"requestId"`
	Errors    json.RawMessage `json:"errors"`
	Error     json.RawMessage `json:"error"` // A word in RFC 6749.

	InvalidParams json.RawMessage `json:"invalid_param_list"` // Of a PBX.
}

// Decoder reads the body of an answer into what its caller wants to know, and returns the envelope of that. It may be
// called again, and then begins anew.
type Decoder func(body []byte) (*Envelope, *Error)

// Words is a text on the wire of any length and any content, because a secret in it is only found whole.
type Words string

// UnmarshalJSON takes any JSON value.
func (w *Words) UnmarshalJSON(wire []byte) error {
	content, _ := scalar(wire)
	*w = Words(content)
	return nil
}

// Failed tells whether the answer says so itself, whatever its HTTP status.
func (e *Envelope) Failed() bool {
	status := bytes.TrimSpace(e.Status.bytes)
	return e.Status.unreadable || len(status) > 0 && !isAny(status, "success") || e.ErrCode.Unreadable || e.ErrCode.Value != 0
}

// OwnStatus tells whether the answer has a status that the vendor's pages do not know.
func (e *Envelope) OwnStatus() bool {
	status := bytes.TrimSpace(e.Status.bytes)
	return len(status) > 0 && !isAny(status, "success", "failed")
}

// Failure makes the error of a failed answer, with the class of its HTTP status. Nothing of it has been redacted.
func (e *Envelope) Failure(status int) *Error {
	failure := &Error{
		Class: ClassOfStatus(status), HTTPStatus: status,
		Code: e.code(), Message: e.message(), RequestID: string(e.RequestID),
	}
	for _, nested := range []json.RawMessage{e.Errors, e.Error} {
		var inner List[Envelope]
		if json.Unmarshal(nested, &inner) != nil || len(inner.Items) == 0 {
			continue
		}
		failure.Code = cmp.Or(failure.Code, inner.Items[0].code())
		failure.Message = cmp.Or(failure.Message, inner.Items[0].message())
	}
	if word, ok := scalar(e.Error); ok && len(word) > 0 {
		failure.Message = strings.TrimSuffix(string(word)+": "+failure.Message, ": ")
	}
	if e.OwnStatus() && failure.Message == "" && failure.Code == 0 {
		failure.Message = "its status is neither Success nor Failed: " + e.Status.String()
	}
	return failure
}

// code returns the vendor's code, 0 if there is none.
func (e *Envelope) code() int {
	const largest = 1e9
	for _, n := range []Number{e.Code, e.ErrCode, e.ErrNo, e.ErrorCode} {
		if n.Value != 0 && n.Value > -largest && n.Value < largest {
			return int(n.Value)
		}
	}
	return 0
}

// message returns the words beside the code.
func (e *Envelope) message() string {
	return string(cmp.Or(e.Msg, e.Message, e.ErrMsg, e.Description, e.Detail))
}
