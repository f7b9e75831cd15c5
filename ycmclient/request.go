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
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-kit/log/level"

	"github.com/ycm-exporter/ycm_exporter/yeastar"
)

// The endpoints, as errors and metrics name them.
const (
	endpointToken            = "token"
	endpointList             = "cloud_pbx_list"
	endpointCloudPBX         = "cloud_pbx"
	endpointRegions          = "regions"
	endpointFirmware         = "firmware"
	endpointSubscription     = "subscription"
	endpointPlanStatistics   = "plan_statistics"
	endpointRMConnections    = "rm_connections"
	endpointUsers            = "users"
	endpointUserSubscription = "user_subscription"
	endpointProxy            = "proxy"
)

const (
	maxTries = 3
	maxBody  = 16 << 20 // Bytes of an answer, decompressed.
)

// question is one thing to ask YCM: a GET, or the POST of a form that asks for a token.
type question struct {
	endpoint string
	path     string // Below /dm/open_api/, escaped.
	query    url.Values
	form     url.Values
	leftover bool // Takes only what walks leave of the budget.
	once     bool // Is not tried again, whatever the failure.

	// read takes the body of a 2xx answer, which is good until it returns. It is called anew for each try.
	read func(status int, body []byte) *yeastar.Error
}

// ask asks with the account's token. If YCM does not take that token any more, it asks once again with a new one.
func (c *Client) ask(ctx context.Context, q question) error {
	token, err := c.tokens.get(ctx, "")
	if err != nil {
		return err
	}
	left := maxTries
	err = c.persist(ctx, q, token, &left)
	if e := (*yeastar.Error)(nil); !errors.As(err, &e) || !tokenRejected(e) {
		return err
	}
	if token, err = c.tokens.get(ctx, token); err != nil {
		return err
	}
	left = max(left, 1)
	return c.persist(ctx, q, token, &left)
}

// tokenRejected tells whether the token is no longer good, so that a new one may help.
func tokenRejected(e *yeastar.Error) bool {
	switch e.Code {
	case codeSessionExpired, codeTokenExpired, codeInvalidToken:
		return true
	default:
		return e.Code == 0 && e.HTTPStatus == http.StatusUnauthorized
	}
}

// persist sends the question until it is answered, or until no tries are left.
func (c *Client) persist(ctx context.Context, q question, token string, left *int) error {
	for wait := 500 * time.Millisecond; ; wait *= 2 {
		*left--
		err := c.send(ctx, q, token)
		class := yeastar.ClassOf(err)
		if !class.Retryable() || q.once || *left <= 0 || ctx.Err() != nil {
			return err
		}
		if class != yeastar.RateLimited { // The budget's pause is wait enough.
			if sleep(ctx, rand.N(wait)) != nil {
				return err
			}
		}
		c.observer.Retry(class)
	}
}

// send waits for the budget, sends the question once and reads the answer.
func (c *Client) send(ctx context.Context, q question, token string) error {
	asked := time.Now()
	done, err := c.budget.take(ctx, q.leftover)
	sent := time.Now()
	if waited := sent.Sub(asked); waited > 0 {
		c.observer.BudgetWait(waited)
	}
	if err != nil {
		return c.gone(q.endpoint, err)
	}
	failure, retryAfter := c.exchange(ctx, q, token)
	done()
	if failure == nil {
		c.observer.Request(q.endpoint, yeastar.OK, time.Since(sent))
		c.budget.succeeded(sent)
		return nil
	}
	if q.form != nil && refused(failure) {
		failure.Class = yeastar.Auth
	}
	c.observer.Request(q.endpoint, failure.Class, time.Since(sent))
	c.complete(failure, q.endpoint, token)
	if failure.Class == yeastar.RateLimited {
		if until, began, shared := c.budget.limited(sent, retryAfter); began {
			msg := "YCM says that the request budget is overrun, so the account pauses"
			if shared {
				msg += "; this exporter kept the limit, so somebody else uses the Client ID, or the limit is lower than configured: it asks for less now, and for more again as long as YCM does not refuse"
			}
			level.Warn(c.logger).Log("msg", msg, "account", c.account, "endpoint", q.endpoint,
				"until", until.UTC().Format(time.RFC3339), "requests_per_second", c.budget.state().PerSecond, "err", failure)
		}
	}
	return failure
}

// exchange sends the question and has its answer read, within the time-out of one request.
func (c *Client) exchange(ctx context.Context, q question, token string) (failure *yeastar.Error, retryAfter time.Duration) {
	limited, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	// net/http itself repeats a GET on a kept connection that the server has closed. The budget pays for that too.
	var written atomic.Int32
	limited = httptrace.WithClientTrace(limited, &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) {
		if written.Add(1) > 1 {
			c.budget.charge()
		}
	}})
	request, err := c.request(limited, q, token)
	if err != nil {
		return &yeastar.Error{Class: yeastar.Invalid, Message: err.Error()}, 0
	}
	response, err := c.transport.RoundTrip(request)
	if err != nil {
		return c.unanswered(ctx, err), 0
	}
	defer response.Body.Close()
	body := c.buffer()
	defer c.release(body)
	_, err = body.ReadFrom(io.LimitReader(response.Body, maxBody+1))
	status := response.StatusCode
	switch {
	case status >= 300 && status < 400:
		return &yeastar.Error{Class: yeastar.Invalid, HTTPStatus: status, Message: redirected(response.Header.Get("Location"))}, 0
	case status < 200 || status > 299:
		return judge(status, body.Bytes()), parseRetryAfter(response.Header.Get("Retry-After"))
	case err != nil:
		return c.unanswered(ctx, err), 0
	case body.Len() > maxBody:
		return &yeastar.Error{Class: yeastar.Invalid, HTTPStatus: status, Message: fmt.Sprintf("the answer is over %d MiB", maxBody>>20)}, 0
	}
	if failure = q.read(status, body.Bytes()); failure != nil {
		failure.HTTPStatus = status
	}
	return failure, parseRetryAfter(response.Header.Get("Retry-After"))
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

// request makes the HTTP request.
func (c *Client) request(ctx context.Context, q question, token string) (*http.Request, error) {
	method, address, body := http.MethodGet, c.baseURL+q.path, io.Reader(nil)
	if len(q.query) > 0 {
		address += "?" + q.query.Encode()
	}
	if q.form != nil {
		method, body = http.MethodPost, strings.NewReader(q.form.Encode())
	}
	request, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return nil, errors.New("base_url cannot be asked") // The cause would show the query.
	}
	request.Header.Set("User-Agent", c.userAgent)
	request.Header.Set("Accept", "application/json")
	if q.form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	} else {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	return request, nil
}

// unanswered makes the error of a request to which no whole answer came; ctx is the caller's.
func (c *Client) unanswered(ctx context.Context, err error) *yeastar.Error {
	if ctx.Err() != nil {
		return &yeastar.Error{Class: yeastar.ClassOf(ctx.Err()), Message: "given up while YCM was to answer", Err: ctx.Err()}
	}
	class := yeastar.ClassOf(err)
	err = withoutQuotations(err)
	e := &yeastar.Error{Class: class, Message: err.Error(), Err: err}
	if class == yeastar.Timeout {
		e.Message = fmt.Sprintf("no whole answer within %v", c.timeout)
	}
	return e
}

// gone makes the error of a question whose asker gave up before it was sent.
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

// parseRetryAfter reads the header's seconds or date, 0 if it tells nothing of the future.
func parseRetryAfter(header string) time.Duration {
	header = strings.TrimSpace(header)
	if seconds, err := strconv.ParseInt(header, 10, 32); err == nil {
		return time.Duration(max(seconds, 0)) * time.Second
	}
	at, err := http.ParseTime(header)
	if err != nil {
		return 0
	}
	return max(0, time.Until(at))
}
