package ycmclient

import (
	"context"
	"fmt"

	"github.com/ycm-exporter/ycm_exporter/yeastar"
)

// answer is an answer on the wire with its envelope ("Response Results").
type answer[D any] struct {
	yeastar.Envelope
	Data D `json:"data"`
}

// fetch asks for the data of one answer, an object.
func fetch[T any](ctx context.Context, c *Client, r request) (T, error) {
	var a answer[yeastar.Object[T]]
	r.read = func(status int, body []byte) *yeastar.Error {
		a = answer[yeastar.Object[T]]{}
		if e := yeastar.Decode(body, &a); e != nil {
			return e
		}
		if e := verdict(&a.Envelope, a.Data.Given || a.Data.Unreadable, status); e != nil {
			return e
		}
		if a.Data.Unreadable {
			return &yeastar.Error{Class: yeastar.Invalid, Message: "the answer's data is not an object"}
		}
		return nil
	}
	err := c.ask(ctx, r)
	return a.Data.Value, err
}

// fetchList asks for the data of one answer, a list.
func fetchList[T any](ctx context.Context, c *Client, r request) ([]T, error) {
	var a answer[yeastar.List[T]]
	r.read = func(status int, body []byte) *yeastar.Error {
		a = answer[yeastar.List[T]]{}
		if e := yeastar.Decode(body, &a); e != nil {
			return e
		}
		if e := verdict(&a.Envelope, a.Data.Given || a.Data.Unreadable, status); e != nil {
			return e
		}
		return checkList(&a.Data)
	}
	err := c.ask(ctx, r)
	return a.Data.Items, err
}

// checkList returns the error of a list that is none, or a hostile one.
func checkList[T any](list *yeastar.List[T]) *yeastar.Error {
	switch {
	case list.Unreadable || list.Alone:
		return &yeastar.Error{Class: yeastar.Invalid, Message: "the answer has no list where one was expected"}
	case list.More:
		return &yeastar.Error{Class: yeastar.Invalid, Message: fmt.Sprintf("the answer's list has more than %d items", yeastar.MaxItems)}
	default:
		return nil
	}
}

// verdict returns the error of an answer that says that it failed, or that has no data.
func verdict(e *yeastar.Envelope, data bool, status int) *yeastar.Error {
	if data && !e.Failed() {
		return nil
	}
	failure := classified(e.Failure(status))
	if failure.Code == 0 && !e.Failed() {
		failure.Class, failure.Message = yeastar.Invalid, "the answer has no data"
	}
	return failure
}
