package ycmclient

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/go-kit/log/level"

	"github.com/ycm-exporter/ycm_exporter/internal/secret"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

const maxTries = 3

// request is one request to YCM: a GET, or the POST of a form that requests a token.
type request struct {
	endpoint string
	path     string // Below /dm/open_api/, escaped.
	query    url.Values
	form     url.Values
	sweep    bool // Takes only what walks leave of the rate limit, and is not tried again, whatever the failure.

	// read takes a 2xx answer, once for each try.
	read func(a *yeastar.Answer) *yeastar.Error
	// login, if not nil, is what the request logs in with, if the guard allows it.
	login *yeastar.Credentials
}

// fetch reads the data of one answer, a record.
func fetch[R any](ctx context.Context, c *Client, endpoint, path string) (none R, err error) {
	record, err := fetchData[yeastar.Record[R]](ctx, c, request{endpoint: endpoint, path: path})
	if err != nil {
		return none, err
	}
	report(c, record)
	return record.Value, nil
}

// fetchList reads the data of one answer, a list of records with ids.
func fetchList[R any](ctx context.Context, c *Client, r request) ([]R, error) {
	list, err := fetchData[yeastar.List[yeastar.Record[R]]](ctx, c, r)
	if err != nil {
		return nil, err
	}
	report(c, list.Items...)
	return usable(list.Items), nil
}

// usable returns the records with a usable id.
func usable[R any](list []yeastar.Record[R]) []R {
	records := make([]R, 0, len(list))
	for i := range list {
		if list[i].ID > 0 {
			records = append(records, list[i].Value)
		}
	}
	return records
}

// report reports the fields that could not be read.
func report[R any](c *Client, records ...yeastar.Record[R]) {
	for i := range records {
		for _, field := range records[i].Unexpected {
			c.Observer.Unexpected(field)
		}
	}
}

// fetchData reads the data of one answer, which failed if it says so, or if its data has a problem.
func fetchData[D any, P interface {
	*D
	Problem() string
}](ctx context.Context, c *Client, r request) (data D, err error) {
	r.read = func(a *yeastar.Answer) *yeastar.Error {
		var wire struct {
			yeastar.Envelope
			Data D `json:"data"`
		}
		if e := a.Decode(&wire); e != nil {
			return e
		}
		data = wire.Data
		problem := P(&data).Problem()
		if problem == "" && !wire.Failed() {
			return nil
		}
		failure := wire.Failure(a.Status)
		if !failure.FromAPI() && !wire.Failed() {
			failure.Class, failure.Message = yeastar.Invalid, problem
		}
		return failure
	}
	err = c.query(ctx, r)
	return data, err
}

// query sends a request with the account's token.
func (c *Client) query(ctx context.Context, r request) error {
	c.begin()
	failure := c.session.Do(ctx, c.grant, func(access secret.Text) *yeastar.Error { return c.try(ctx, r, access) })
	if failure == nil {
		return nil
	}
	if failure.Account == "" {
		failure.Account, failure.Endpoint = c.Account, r.endpoint // Of a request that was not sent, because there was no token.
	}
	return failure
}

// try sends the request until it is answered, or until no tries are left. Where YCM says when to try again, it waits for that if ctx
// has that much time; with a request that may be sent but once it leaves that to its caller.
func (c *Client) try(ctx context.Context, r request, access secret.Text) *yeastar.Error {
	for left, wait := maxTries, 500*time.Millisecond; ; wait *= 2 {
		retryAfter, failure := c.send(ctx, r, access)
		if left--; failure == nil || !failure.Class.Retryable() || r.sweep || left <= 0 || ctx.Err() != nil ||
			errors.Is(failure, errPaused) || retryAfter > worthWaiting {
			return failure
		}
		if failure.Class != yeastar.RateLimited { // The rate limiter's pause is wait enough.
			if yeastar.Sleep(ctx, max(retryAfter, rand.N(wait))) != nil {
				return failure
			}
		}
		c.Observer.Retry(failure.Class)
	}
}

// send waits for the rate limit, and sends the request once. With an error comes how long YCM wants no other request, 0 if it does
// not say.
func (c *Client) send(ctx context.Context, r request, access secret.Text) (retryAfter time.Duration, failure *yeastar.Error) {
	began := time.Now()
	done, err := c.limiter.take(ctx, r.sweep)
	if waited := time.Since(began); waited > 0 {
		c.Observer.RateLimitWait(waited)
	}
	exchange := func() *yeastar.Error { return c.exchange(ctx, r, access, &retryAfter) }
	switch {
	case errors.Is(err, errPaused):
		failure = &yeastar.Error{Class: yeastar.RateLimited, Message: err.Error(), Err: err}
	case err != nil:
		failure = &yeastar.Error{Class: yeastar.ClassOf(err), Message: "canceled before it was sent", Err: err}
	case r.login != nil:
		defer done()
		failure = c.guard.Login(ctx, *r.login, exchange)
	default:
		defer done()
		failure = exchange()
	}
	if failure != nil {
		failure.Account, failure.Endpoint = c.Account, r.endpoint
	}
	return retryAfter, failure
}

// exchange sends the request, and reports the outcome to the observer and the rate limiter.
func (c *Client) exchange(ctx context.Context, r request, access secret.Text, retryAfter *time.Duration) *yeastar.Error {
	address := c.baseURL + r.path
	if len(r.query) > 0 {
		address += "?" + r.query.Encode()
	}
	sent := time.Now()
	failure := c.http.Do(ctx, yeastar.Request{
		Endpoint: r.endpoint, URL: address, Bearer: access, ContentType: "application/x-www-form-urlencoded", Body: r.form.Encode(),
	}, func(a *yeastar.Answer) *yeastar.Error {
		*retryAfter = retryAfterOf(a.Header.Get("Retry-After"))
		if !a.Succeeded() {
			var e yeastar.Envelope
			_ = a.Decode(&e) // What is not JSON has neither code nor message.
			return e.Failure(a.Status)
		}
		return r.read(a)
	})
	if r.form != nil && failure != nil && failure.RefusesLogin() {
		failure.Class = yeastar.Auth
	}
	result := yeastar.OK
	if failure != nil {
		result = failure.Class
		failure.Account, failure.Endpoint = c.Account, r.endpoint
	}
	c.Observer.Request(r.endpoint, result, time.Since(sent))
	switch result {
	case yeastar.OK:
		c.limiter.succeeded(sent)
	case yeastar.RateLimited:
		if until, began := c.limiter.refused(sent, *retryAfter); began {
			level.Warn(c.Logger).Log("msg", "Rate limited by YCM, pausing account",
				"account", c.Account, "endpoint", r.endpoint, "until", until.UTC().Format(time.RFC3339),
				"requests_per_second", math.Round(100*c.limiter.state().PerSecond)/100, "err", failure)
		}
	}
	return failure
}

// retryAfterOf reads the seconds or the date of Retry-After, 0 if it is not in the future.
func retryAfterOf(header string) time.Duration {
	if seconds, err := strconv.ParseUint(header, 10, 32); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil {
		return max(0, time.Until(at))
	}
	return 0
}
