package ycmclient

import (
	"context"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// answer is an answer on the wire with its envelope ("Response Results").
type answer[D any] struct {
	yeastar.Envelope
	Data D `json:"data"`
}

// fetch asks for the data of one answer, an object.
func fetch[T any](ctx context.Context, c *Client, r request) (T, error) {
	data, err := fetchData[yeastar.Object[T]](ctx, c, r)
	return data.Value, err
}

// fetchList asks for the data of one answer, a list.
func fetchList[T any](ctx context.Context, c *Client, r request) ([]T, error) {
	data, err := fetchData[yeastar.List[T]](ctx, c, r)
	return data.Items, err
}

func fetchData[D any, P interface {
	*D
	Problem() string
}](ctx context.Context, c *Client, r request) (D, error) {
	var a answer[D]
	r.read = func(status int, body []byte) *yeastar.Error {
		a = answer[D]{}
		if e := yeastar.Decode(body, &a); e != nil {
			return e
		}
		return verdict(&a.Envelope, P(&a.Data).Problem(), status)
	}
	err := c.ask(ctx, r)
	return a.Data, err
}

// verdict returns the error of an answer that says that it failed, or whose data has a problem.
func verdict(e *yeastar.Envelope, problem string, status int) *yeastar.Error {
	if problem == "" && !e.Failed() {
		return nil
	}
	failure := Classified(e.Failure(status))
	if failure.Code == 0 && !e.Failed() {
		failure.Class, failure.Message = yeastar.Invalid, problem
	}
	return failure
}
