package ycmclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/ycm-exporter/ycm_exporter/yeastar"
)

// envelope is what YCM wraps around the data of an answer ("Response Results").
type envelope struct {
	Status  text   `json:"status"`
	ErrCode number `json:"errcode"`
}

// failed tells whether the envelope says so itself, whatever the HTTP status.
func (e *envelope) failed() bool {
	status := bytes.TrimSpace(e.Status.bytes)
	return e.Status.odd || len(status) > 0 && !isAny(status, "success") || e.ErrCode.odd || e.ErrCode.value != 0
}

// decode reads the JSON of an answer. What has another shape than into stays empty there.
func decode(body []byte, into any) *yeastar.Error {
	err := json.Unmarshal(body, into)
	var shape *json.UnmarshalTypeError
	switch start := bytes.TrimSpace(body); {
	case err == nil, errors.As(err, &shape):
		return nil
	case len(start) == 0:
		return &yeastar.Error{Class: yeastar.Invalid, Message: "the answer is empty"}
	case start[0] == '<':
		return &yeastar.Error{Class: yeastar.Invalid, Message: "the answer is HTML, not JSON"}
	case start[0] == '{' && strings.Contains(err.Error(), "unexpected end"):
		return &yeastar.Error{Class: yeastar.Network, Message: "the answer ends in the middle"}
	default:
		return &yeastar.Error{Class: yeastar.Invalid, Message: "the answer is not JSON: " + err.Error()}
	}
}

// decodeList reads a JSON array into at most so many items, each with what could be read of it. Longer ones are
// hostile: a few bytes of JSON make a large item.
func decodeList[T any](wire json.RawMessage, most int) ([]T, *yeastar.Error) {
	items := json.NewDecoder(bytes.NewReader(wire))
	if start, err := items.Token(); err != nil || start != json.Delim('[') {
		return nil, &yeastar.Error{Class: yeastar.Invalid, Message: "the answer has no list where one was expected"}
	}
	var list []T
	for items.More() {
		if len(list) == most {
			return nil, &yeastar.Error{Class: yeastar.Invalid, Message: fmt.Sprintf("the answer's list has more than %d items", most)}
		}
		var item T
		var shape *json.UnmarshalTypeError
		if err := items.Decode(&item); err != nil && !errors.As(err, &shape) {
			return nil, &yeastar.Error{Class: yeastar.Invalid, Message: "the answer's list is not JSON: " + err.Error()}
		}
		list = append(list, item)
	}
	return list, nil
}

// unwrap returns the data of an answer that came with a 2xx status.
func unwrap(status int, body []byte) (json.RawMessage, *yeastar.Error) {
	var answer struct {
		envelope
		Data json.RawMessage `json:"data"`
	}
	if e := decode(body, &answer); e != nil {
		return nil, e
	}
	if e := answer.verdict(len(answer.Data) > 0 && string(answer.Data) != "null", status, body); e != nil {
		return nil, e
	}
	return answer.Data, nil
}

// verdict returns the error of an answer that says that it failed, or that has no data.
func (e *envelope) verdict(data bool, status int, body []byte) *yeastar.Error {
	if e.failed() {
		return judge(status, body)
	}
	if data {
		return nil
	}
	failure := judge(status, body)
	if failure.Code == 0 {
		failure.Class, failure.Message = yeastar.Invalid, "the answer has no data"
	}
	return failure
}

// fetch asks for the data of one answer.
func fetch[T any](ctx context.Context, c *Client, q question) (T, error) {
	var data T
	q.read = func(status int, body []byte) *yeastar.Error {
		wire, e := unwrap(status, body)
		if e != nil {
			return e
		}
		if wire[0] != '{' {
			return &yeastar.Error{Class: yeastar.Invalid, Message: "the answer's data is not an object"}
		}
		data = *new(T)
		return decode(wire, &data)
	}
	err := c.ask(ctx, q)
	return data, err
}

// fetchList asks for the data of one answer that is a list.
func fetchList[T any](ctx context.Context, c *Client, q question) (list []T, err error) {
	const most = 10_000
	q.read = func(status int, body []byte) *yeastar.Error {
		wire, e := unwrap(status, body)
		if e == nil {
			list, e = decodeList[T](wire, most)
		}
		return e
	}
	err = c.ask(ctx, q)
	return list, err
}
