package ycmclient

import (
	"bytes"
	"cmp"
	"encoding/json"
	"strings"

	"github.com/ycm-exporter/ycm_exporter/yeastar"
)

// complaint is the body of a failed answer. The vendor's pages do not show one and the vendor's products differ, so
// every place is looked at where one of them holds the code or the message.
type complaint struct {
	Code      number `json:"code"`
	ErrCode   number `json:"errcode"`
	ErrNo     number `json:"errno"`
	ErrorCode number `json:"errorCode"`

	Msg         words `json:"msg"`
	Message     words `json:"message"`
	ErrMsg      words `json:"errmsg"`
	Description words `json:"error_description"`
	Detail      words `json:"detail"`

	RequestID words           `json:"requestId"`
	Errors    json.RawMessage `json:"errors"`
	Error     json.RawMessage `json:"error"` // A word in RFC 6749.
}

// words is a text of any length, as a secret in it is only found whole.
type words string

// UnmarshalJSON takes any JSON value.
func (w *words) UnmarshalJSON(wire []byte) error {
	content, _ := scalarText(wire)
	*w = words(content)
	return nil
}

// judge makes the error of a failed answer: by its vendor code if there is one that tells a class, else by its HTTP
// status.
func judge(status int, body []byte) *yeastar.Error {
	var c complaint
	_ = json.Unmarshal(body, &c) // What is no JSON has neither code nor message.
	e := &yeastar.Error{HTTPStatus: status, Code: c.code(), Message: c.message(), RequestID: string(c.RequestID)}
	for _, nested := range []json.RawMessage{c.Errors, c.Error} {
		var inner complaint
		_ = json.Unmarshal(firstObject(nested), &inner)
		if e.Code == 0 {
			e.Code = inner.code()
		}
		if e.Message == "" {
			e.Message = inner.message()
		}
	}
	if word, ok := scalarText(c.Error); ok && len(word) > 0 {
		e.Message = strings.TrimSuffix(string(word)+": "+e.Message, ": ")
	}
	if e.Class = classOfCode(e.Code); e.Class == "" {
		e.Class = yeastar.ClassOfStatus(status)
	}
	return e
}

// code returns the vendor's code, 0 if there is none.
func (c *complaint) code() int {
	const largest = 1e9
	for _, n := range []number{c.Code, c.ErrCode, c.ErrNo, c.ErrorCode} {
		if n.value != 0 && n.value > -largest && n.value < largest {
			return int(n.value)
		}
	}
	return 0
}

// message returns the words beside the code.
func (c *complaint) message() string {
	return string(cmp.Or(c.Msg, c.Message, c.ErrMsg, c.Description, c.Detail))
}

// firstObject returns the object itself, or the first item of an array.
func firstObject(value json.RawMessage) json.RawMessage {
	items := json.NewDecoder(bytes.NewReader(value))
	var first json.RawMessage
	if start, err := items.Token(); err != nil || start != json.Delim('[') || items.Decode(&first) != nil {
		return value
	}
	return first
}
