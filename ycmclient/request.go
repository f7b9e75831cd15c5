package ycmclient

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http/httptrace"
	"net/url"
	"reflect"
	"sync/atomic"
	"time"

	"github.com/go-kit/log/level"

	"github.com/ycm-exporter/ycm_exporter/internal/secret"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

const maxTries = 3

// maxConnections bounds how often net/http sends a request by itself: again where the server had closed a kept connection, and
// without end where an HTTP/2 server closes each one with GOAWAY. These requests were not processed, so they take no token.
const maxConnections = 3

var errRepeated = errors.New("the server closes connections without an answer")

// request is one request to YCM: a GET, or the POST of a form that requests a token.
type request struct {
	endpoint    string
	path        string // Below /dm/open_api/, escaped.
	query       url.Values
	form        url.Values
	lowPriority bool // Takes only what walks leave of the rate limit.
	once        bool // Is not tried again, whatever the failure.

	// read takes a 2xx answer, once for each try.
	read func(a *yeastar.Answer) *yeastar.Error
	// around, if not nil, is called with the function that sends the request.
	around func(send func() *yeastar.Error) *yeastar.Error
}

// answer is an answer on the wire with its envelope ("Response Results").
type answer[D any] struct {
	yeastar.Envelope
	Data D `json:"data"`
}

// fetch reads the data of one answer, an object, and makes a record of it.
func fetch[W, R any](ctx context.Context, c *Client, fields yeastar.Fields[W, R], endpoint, path string) (record R, err error) {
	wire, err := fetchData[yeastar.Object[W]](ctx, c, request{endpoint: endpoint, path: path})
	if err == nil {
		fields.Copy(&record, &wire.Value, c.observer.Unexpected)
	}
	return record, err
}

// fetchData reads the data of one answer.
func fetchData[D any, P interface {
	*D
	Problem() string
}](ctx context.Context, c *Client, r request) (D, error) {
	var a answer[D]
	r.read = decode(&a, func() string { return P(&a.Data).Problem() })
	err := c.query(ctx, r)
	return a.Data, err
}

// decode returns a function that reads an answer, which failed if it says so, or if its data has a problem.
func decode(into yeastar.Enveloped, problem func() string) func(a *yeastar.Answer) *yeastar.Error {
	return func(a *yeastar.Answer) *yeastar.Error {
		reflect.ValueOf(into).Elem().SetZero() // It may have been read into before.
		if e := yeastar.Decode(a.Body, into); e != nil {
			return e
		}
		return verdict(into.Head(), problem(), a.Status)
	}
}

// verdict returns the error of an answer that says that it failed, or whose data has a problem.
func verdict(e *yeastar.Envelope, problem string, status int) *yeastar.Error {
	if problem == "" && !e.Failed() {
		return nil
	}
	failure := e.Failure(status)
	if failure.Code == 0 && !e.Failed() {
		failure.Class, failure.Message = yeastar.Invalid, problem
	}
	return failure
}

// query sends a request with the account's token.
func (c *Client) query(ctx context.Context, r request) error {
	c.begin()
	failure := c.session.Do(ctx, c.grant, func(access secret.Text) *yeastar.Error { return c.try(ctx, r, access) })
	if failure != nil && failure.Account == "" {
		failure.Account, failure.Endpoint = c.account, r.endpoint // Of a request that was not sent for want of a token.
	}
	return asError(failure)
}

// try sends the request until it is answered, or until no tries are left. Where YCM says when to try again, it waits for that if ctx
// has that much time; with a request that may be sent but once it leaves that to its caller.
func (c *Client) try(ctx context.Context, r request, access secret.Text) *yeastar.Error {
	for left, wait := maxTries, 500*time.Millisecond; ; wait *= 2 {
		retryAfter, failure := c.send(ctx, r, access)
		if left--; failure == nil || !failure.Class.Retryable() || r.once || left <= 0 || ctx.Err() != nil ||
			errors.Is(failure, errPaused) || retryAfter > worthWaiting {
			return failure
		}
		if failure.Class != yeastar.RateLimited { // The rate limiter's pause is wait enough.
			if yeastar.Sleep(ctx, max(retryAfter, rand.N(wait))) != nil {
				return failure
			}
		}
		c.observer.Retry(failure.Class)
	}
}

// send waits for the rate limit, and sends the request once. With an error comes how long YCM wants no other request, 0 if it does
// not say.
func (c *Client) send(ctx context.Context, r request, access secret.Text) (retryAfter time.Duration, failure *yeastar.Error) {
	began := time.Now()
	done, err := c.limiter.take(ctx, r.lowPriority)
	if waited := time.Since(began); waited > 0 {
		c.observer.RateLimitWait(waited)
	}
	if err != nil {
		failure = &yeastar.Error{Class: yeastar.ClassOf(err), Message: "canceled before it was sent", Err: err}
		if errors.Is(err, errPaused) {
			failure.Class, failure.Message = yeastar.RateLimited, err.Error()
		}
	} else {
		defer done()
		exchange := func() *yeastar.Error { return c.exchange(ctx, r, access, &retryAfter) }
		if r.around == nil {
			failure = exchange()
		} else {
			failure = r.around(exchange)
		}
	}
	if failure != nil {
		failure.Account, failure.Endpoint = c.account, r.endpoint
	}
	return retryAfter, failure
}

// exchange sends the request, and reports the outcome to the observer and the rate limiter.
func (c *Client) exchange(ctx context.Context, r request, access secret.Text, retryAfter *time.Duration) *yeastar.Error {
	address := c.baseURL + r.path
	if len(r.query) > 0 {
		address += "?" + r.query.Encode()
	}
	ending, end := context.WithCancelCause(ctx)
	defer end(nil)
	var connections atomic.Int32
	trace := &httptrace.ClientTrace{GetConn: func(string) {
		if connections.Add(1) > maxConnections {
			end(errRepeated)
		}
	}}
	sent := time.Now()
	failure := c.http.Do(httptrace.WithClientTrace(ending, trace), yeastar.Request{
		URL: address, Bearer: access, ContentType: "application/x-www-form-urlencoded", Body: r.form.Encode(),
	}, func(a *yeastar.Answer) *yeastar.Error {
		*retryAfter = retryAfterOf(a.Header)
		if !a.Succeeded() {
			var e yeastar.Envelope
			_ = yeastar.Decode(a.Body, &e) // What is not JSON has neither code nor message.
			return e.Failure(a.Status)
		}
		return r.read(a)
	})
	if errors.Is(context.Cause(ending), errRepeated) {
		failure = &yeastar.Error{Class: yeastar.Network, Message: errRepeated.Error()}
	}
	if r.form != nil && failure != nil && failure.RefusesLogin() {
		failure.Class = yeastar.Auth
	}
	result := yeastar.OK
	if failure != nil {
		result = failure.Class
		failure.Account, failure.Endpoint = c.account, r.endpoint
	}
	c.observer.Request(r.endpoint, result, time.Since(sent))
	switch result {
	case yeastar.OK:
		c.limiter.succeeded(sent)
	case yeastar.RateLimited:
		c.refused(sent, *retryAfter, failure)
	}
	return failure
}

// refused pauses the account because YCM refused a request.
func (c *Client) refused(sent time.Time, retryAfter time.Duration, failure *yeastar.Error) {
	until, began := c.limiter.refused(sent, retryAfter)
	if !began {
		return
	}
	level.Warn(c.logger).Log("msg", "Rate limited by YCM, pausing requests for this account; another client may use its Client ID", "account", c.account, "endpoint", failure.Endpoint,
		"until", until.UTC().Format(time.RFC3339), "requests_per_second", c.limiter.state().PerSecond, "err", failure)
}

// asError keeps a nil from becoming an error.
func asError(failure *yeastar.Error) error {
	if failure == nil {
		return nil
	}
	return failure
}
