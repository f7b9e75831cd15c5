package ycmclient

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"time"

	"github.com/go-kit/log/level"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

const maxTries = 3

// request is one request to YCM: a GET, or the POST of a form that asks for a token.
type request struct {
	endpoint string
	path     string // Below /dm/open_api/, escaped.
	query    url.Values
	form     url.Values
	login    *yeastar.Credentials // Those in the form, if any.
	leftover bool                 // Takes only what walks leave of the budget.
	once     bool                 // Is not tried again, whatever the failure.

	// read takes the body of a 2xx answer, which is good until it returns. It is called anew for each try.
	read func(status int, body []byte) *yeastar.Error
}

// ask asks with the account's token. If YCM does not take that token any more, it asks once again with a new one.
func (c *Client) ask(ctx context.Context, r request) error {
	c.begin()
	token, err := c.tokens.get(ctx, "")
	if err != nil {
		return err
	}
	left := maxTries
	err = c.persist(ctx, r, token, &left)
	if e := (*yeastar.Error)(nil); !errors.As(err, &e) || !tokenRejected(e) {
		return err
	}
	if token, err = c.tokens.get(ctx, token); err != nil {
		return err
	}
	left = max(left, 1)
	return c.persist(ctx, r, token, &left)
}

// persist sends the request until it is answered, or until no tries are left. Where YCM says for how long it is not to be
// asked, that is how long it waits, if ctx has that much time; a request that may be sent but once leaves that to its caller.
func (c *Client) persist(ctx context.Context, r request, token string, left *int) error {
	for wait := 500 * time.Millisecond; ; wait *= 2 {
		*left--
		retryAfter, err := c.send(ctx, r, token)
		class := yeastar.ClassOf(err)
		if !class.Retryable() || r.once || *left <= 0 || ctx.Err() != nil || errors.Is(err, errPaused) || retryAfter > worthWaiting {
			return err
		}
		if class != yeastar.RateLimited { // The budget's pause is wait enough.
			if yeastar.Sleep(ctx, max(retryAfter, rand.N(wait))) != nil {
				return err
			}
		}
		c.observer.Retry(class)
	}
}

// send waits for the budget, sends the request once and reads the answer. With an error comes how long YCM is not to be
// asked again, 0 if it does not say.
func (c *Client) send(ctx context.Context, r request, token string) (retryAfter time.Duration, err error) {
	asked := time.Now()
	done, err := c.budget.take(ctx, r.leftover)
	sent := time.Now()
	if waited := sent.Sub(asked); waited > 0 {
		c.observer.BudgetWait(waited)
	}
	if errors.Is(err, errPaused) {
		return 0, &yeastar.Error{Account: c.account, Endpoint: r.endpoint, Class: yeastar.RateLimited, Message: err.Error(), Err: err}
	}
	if err != nil {
		return 0, c.gone(r.endpoint, err)
	}
	defer done()
	if r.login != nil {
		if err := c.tokens.guard.Begin(ctx, *r.login); err != nil {
			return 0, c.tokens.barred(err)
		}
		defer c.tokens.guard.End()
	}
	failure, retryAfter := c.exchange(ctx, r, token)
	if r.form != nil {
		c.tokens.record(r, failure)
	}
	if failure == nil {
		c.observer.Request(r.endpoint, yeastar.OK, time.Since(sent))
		c.budget.succeeded(sent)
		return 0, nil
	}
	c.observer.Request(r.endpoint, failure.Class, time.Since(sent))
	c.complete(failure, r.endpoint, token)
	if failure.Class == yeastar.RateLimited {
		if until, began, shared := c.budget.limited(sent, retryAfter); began {
			msg := "YCM says that the request budget is overrun, so the account pauses"
			if shared {
				msg += "; this exporter kept the limit, so somebody else uses the Client ID, or the limit is lower than configured: it asks for less now, and for more again as long as YCM does not refuse"
			}
			level.Warn(c.logger).Log("msg", msg, "account", c.account, "endpoint", r.endpoint,
				"until", until.UTC().Format(time.RFC3339), "requests_per_second", c.budget.state().PerSecond, "err", failure)
		}
	}
	return retryAfter, failure
}

// exchange sends the request and has its answer read, within the time-out of one request.
func (c *Client) exchange(ctx context.Context, r request, token string) (failure *yeastar.Error, retryAfter time.Duration) {
	ending, end := context.WithCancelCause(ctx)
	defer end(nil)
	limited, cancel := context.WithTimeout(ending, c.timeout)
	defer cancel()
	repeats := &repeats{budget: c.budget, cancel: end, idle: c.Close, count: func() {
		c.observer.Request(r.endpoint, yeastar.Network, 0)
		c.observer.Retry(yeastar.Network)
	}}
	defer repeats.done()
	sent, err := c.newRequest(httptrace.WithClientTrace(limited, repeats.trace()), r, token)
	if err != nil {
		return &yeastar.Error{Class: yeastar.Invalid, Message: err.Error()}, 0
	}
	response, err := c.transport.RoundTrip(sent)
	if err != nil {
		if errors.Is(context.Cause(ending), errRepeated) {
			err = errRepeated
		}
		return unanswered(ctx, err, c.timeout), 0
	}
	defer response.Body.Close()
	body := c.buffer()
	defer c.release(body)
	_, err = body.ReadFrom(io.LimitReader(response.Body, yeastar.MaxBody+1))
	status := response.StatusCode
	switch {
	case status >= 300 && status < 400:
		return &yeastar.Error{Class: yeastar.Invalid, HTTPStatus: status, Message: redirected(response.Header.Get("Location"))}, 0
	case status < 200 || status > 299:
		return failed(status, body.Bytes()), retryAfterOf(response.Header)
	case err != nil:
		return unanswered(ctx, err, c.timeout), 0
	case body.Len() > yeastar.MaxBody:
		return &yeastar.Error{Class: yeastar.Invalid, HTTPStatus: status, Message: fmt.Sprintf("the answer is over %d MiB", yeastar.MaxBody>>20)}, 0
	}
	if failure = r.read(status, body.Bytes()); failure != nil {
		failure.HTTPStatus = status
	}
	return failure, retryAfterOf(response.Header)
}

// buffer returns an empty buffer for a body.
func (c *Client) buffer() *bytes.Buffer {
	if kept, ok := c.buffers.Get().(*bytes.Buffer); ok {
		return kept
	}
	return new(bytes.Buffer)
}

// release keeps the buffer for another body, unless a giant made it large.
func (c *Client) release(b *bytes.Buffer) {
	const usual = 1 << 20
	if b.Cap() <= usual {
		b.Reset()
		c.buffers.Put(b)
	}
}

// newRequest makes the HTTP request.
func (c *Client) newRequest(ctx context.Context, r request, token string) (*http.Request, error) {
	method, address, body := http.MethodGet, c.baseURL+r.path, io.Reader(nil)
	if len(r.query) > 0 {
		address += "?" + r.query.Encode()
	}
	if r.form != nil {
		method, body = http.MethodPost, strings.NewReader(r.form.Encode())
	}
	made, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return nil, errors.New("base_url cannot be asked") // The cause would show the query.
	}
	made.Header.Set("User-Agent", c.userAgent)
	made.Header.Set("Accept", "application/json")
	if r.form != nil {
		made.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	} else {
		made.Header.Set("Authorization", "Bearer "+token)
	}
	return made, nil
}

// complete fills in what an error does not know of itself, and takes out what it must not show.
func (c *Client) complete(e *yeastar.Error, endpoint, token string) {
	e.Account, e.Endpoint = c.account, endpoint
	c.tokens.redactor(token).Redact(e)
}

// failed makes the error of an answer that is not 2xx. What is no JSON has neither code nor message.
func failed(status int, body []byte) *yeastar.Error {
	var e yeastar.Envelope
	_ = yeastar.Decode(body, &e)
	return Classified(e.Failure(status))
}

// unanswered makes the error of a request to which no whole answer came; ctx is the caller's.
func unanswered(ctx context.Context, err error, timeout time.Duration) *yeastar.Error {
	if ctx.Err() != nil {
		return &yeastar.Error{Class: yeastar.ClassOf(ctx.Err()), Message: "given up while YCM was to answer", Err: ctx.Err()}
	}
	return yeastar.Unanswered(err, timeout)
}

// gone makes the error of a request whose asker gave up before it was sent.
func (c *Client) gone(endpoint string, err error) *yeastar.Error {
	return &yeastar.Error{Account: c.account, Endpoint: endpoint, Class: yeastar.ClassOf(err), Message: "given up before it was sent", Err: err}
}

func redirected(location string) string {
	target, err := url.Parse(location)
	if err != nil || target.Host == "" {
		return "the answer is a redirect, which is not followed"
	}
	return "the answer is a redirect to " + target.Host + ", which is not followed"
}
