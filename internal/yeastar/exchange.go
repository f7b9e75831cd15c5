package yeastar

import (
	"bytes"
	"cmp"
	"compress/flate"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"

	"github.com/ycm-exporter/ycm_exporter/internal/crash"
	"github.com/ycm-exporter/ycm_exporter/internal/secret"
)

// MaxBody bounds what is read of an answer, in bytes, decompressed.
const MaxBody = 16 << 20

// HTTP sends requests to one server. It is safe for concurrent use.
type HTTP struct {
	Transport http.RoundTripper    // http.DefaultTransport if nil.
	Timeout   time.Duration        // Of one request, its answer included; 30 s if zero.
	UserAgent string               // The APIs require one; "ycm_exporter" if empty.
	Secrets   func() []secret.Text // What answers may repeat and errors must not show.
	HideTexts bool                 // The transport sends other secrets as well: errors show no text of the server.
	Logger    log.Logger           // Of each request, at debug; may be nil.
}

// Request is a GET, or a POST if it has a body.
type Request struct {
	Endpoint    string // Its name in the log.
	URL         string // With the query.
	Bearer      secret.Text
	ContentType string
	Body        string
}

// Answer is a complete answer that is no redirect.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte // Good until it has been read.

	requestID Words // Once it is decoded.
}

// Decode reads the answer as the function Decode does.
func (a *Answer) Decode(into Enveloped) *Error {
	failure := Decode(a.Body, into)
	a.requestID = into.Head().RequestID
	return failure
}

// bodies are buffers for the next answers.
var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// Succeeded reports whether the HTTP status is one of success.
func (a *Answer) Succeeded() bool { return a.Status >= 200 && a.Status < 300 }

// Do sends the request and has its answer read. It ends within the time-out and when ctx ends, even if the transport waits for a
// file system that hangs. Redirects are not followed.
func (h *HTTP) Do(ctx context.Context, r Request, read func(a *Answer) *Error) *Error {
	timeout := cmp.Or(h.Timeout, 30*time.Second)
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	began, result := time.Now(), &Error{Class: OK}
	failure := h.do(limited, r, func(a *Answer) *Error {
		failure := read(a)
		result.HTTPStatus, result.RequestID = a.Status, string(a.requestID)
		return failure
	})
	if errors.Is(limited.Err(), context.DeadlineExceeded) {
		h.CloseIdleConnections() // The connection may be dead, and a transport of HTTP/2 would use it again.
	}
	switch {
	case failure == nil:
	case failure.HTTPStatus == 0 && ctx.Err() != nil:
		failure = &Error{Class: ClassOf(ctx.Err()), Reach: NoAnswer, Message: "canceled while waiting for the response", Err: ctx.Err()}
	case failure.HTTPStatus == 0 && failure.Class == Timeout:
		failure.Message = fmt.Sprintf("no complete response within %v", timeout)
	}
	result = cmp.Or(failure, result)
	h.Redact(result)
	if h.Logger != nil {
		fields := []any{"msg", "API request", "endpoint", r.Endpoint, "result", result.Class, "duration", time.Since(began)}
		if result.HTTPStatus != 0 {
			fields = append(fields, "status", result.HTTPStatus)
		}
		if result.RequestID != "" {
			fields = append(fields, "request_id", result.RequestID)
		}
		level.Debug(h.Logger).Log(fields...)
	}
	return failure
}

// Redact makes the texts of an error fit to be shown. It does nothing to nil.
func (h *HTTP) Redact(e *Error) {
	var secrets []secret.Text
	if h.Secrets != nil {
		secrets = h.Secrets()
	}
	if e != nil && (h.HideTexts || e.HTTPStatus == http.StatusProxyAuthRequired) {
		e.RequestID = ""
		if e.Message == e.quoted {
			e.Message = ""
		}
	}
	e.redact(secrets)
}

func (h *HTTP) do(ctx context.Context, r Request, read func(a *Answer) *Error) *Error {
	method, form := http.MethodGet, io.Reader(nil)
	if r.Body != "" {
		method, form = http.MethodPost, strings.NewReader(r.Body)
	}
	request, err := http.NewRequestWithContext(ctx, method, r.URL, form)
	if err != nil {
		return &Error{Class: Invalid, Message: "the configured URL cannot be requested; correct it"} // The cause would show the query.
	}
	request.Header.Set("User-Agent", cmp.Or(h.UserAgent, "ycm_exporter"))
	request.Header.Set("Accept", "application/json")
	request.Header.Set("Accept-Encoding", "identity") // Without it a server may choose any.
	if r.Body != "" {
		request.Header.Set("Content-Type", r.ContentType)
	}
	if !r.Bearer.Empty() {
		request.Header.Set("Authorization", "Bearer "+r.Bearer.Reveal())
	}
	response, err := h.roundTrip(request)
	if err != nil {
		return unanswered(err)
	}
	defer response.Body.Close()
	invalid := &Error{Class: Invalid, Reach: NoAnswer, HTTPStatus: response.StatusCode}
	switch status := response.StatusCode; {
	case status < 200: // After "101 Switching Protocols" the body is the bare connection, which no time-out ends.
		invalid.Message = "the server switches protocols without a request to"
		return invalid
	case status >= 300 && status < 400:
		invalid.Message = "the response is a redirect, which is not followed"
		if target, err := url.Parse(response.Header.Get("Location")); err == nil && target.Host != "" && !h.HideTexts {
			invalid.Message = "the response is a redirect to " + target.Host + ", which is not followed"
		}
		return invalid
	}
	Decompress(response)
	if coding := response.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		invalid.Message = fmt.Sprintf("the response is encoded as %s, although no encoding was requested; check the proxy or gateway in front of the server", Cut(Line(coding), 20))
		invalid.quoted = invalid.Message
		return invalid
	}
	body, _ := bodies.Get().(*bytes.Buffer)
	defer bodies.Put(body)
	body.Reset()
	_, err = body.ReadFrom(io.LimitReader(response.Body, MaxBody+1))
	answer := &Answer{Status: response.StatusCode, Header: response.Header, Body: body.Bytes()}
	switch {
	case err != nil && answer.Succeeded():
		return unanswered(err)
	case body.Len() > MaxBody:
		invalid.Message = fmt.Sprintf("the response is larger than %d MiB", MaxBody>>20)
		return invalid
	}
	failure := read(answer)
	if failure != nil {
		failure.HTTPStatus = answer.Status
	}
	return failure
}

// CloseIdleConnections closes the connections that no request uses.
func (h *HTTP) CloseIdleConnections() {
	(&http.Client{Transport: h.Transport}).CloseIdleConnections() // Of the default one if nil.
}

// roundTrip gives up when the request's context ends, whatever the transport waits for.
func (h *HTTP) roundTrip(r *http.Request) (*http.Response, error) {
	const grace = time.Second // For a transport to notice that the context has ended.
	patience, giveUp := context.WithCancel(context.WithoutCancel(r.Context()))
	defer giveUp()
	defer context.AfterFunc(r.Context(), func() { time.AfterFunc(grace, giveUp) })()
	send := func() (*http.Response, error) { return cmp.Or(h.Transport, http.DefaultTransport).RoundTrip(r) }
	response, err := crash.GiveUpAfter(patience, send, func(late *http.Response, _ error) {
		if late != nil {
			late.Body.Close()
		}
	})
	if patience.Err() != nil {
		return nil, r.Context().Err()
	}
	if c := (*crash.Crash)(nil); errors.As(err, &c) {
		panic(c)
	}
	return response, err
}

// unanswered makes the error of a request that had no complete answer. It shows only texts that this process made: other errors may hold
// what a proxy or the server wrote, or the URL, and with that a token.
func unanswered(err error) *Error {
	if outer := (*url.Error)(nil); errors.As(err, &outer) {
		err = outer.Err
	}
	text := strings.ReplaceAll(err.Error(), "i/o ", "") // It would be taken for a link.
	failure := &Error{Class: ClassOf(err), Reach: NoAnswer, Message: "the connection was closed, a proxy refused it, or the response is not HTTP"}
	var (
		lookup  *net.DNSError
		network *net.OpError
		number  syscall.Errno
		record  tls.RecordHeaderError
		alert   tls.AlertError
		trust   *tls.CertificateVerificationError
		corrupt flate.CorruptInputError
	)
	switch {
	case errors.As(err, &lookup):
		failure.Class, failure.Message = Network, text // A time-out of DNS as well: the time-out of requests has no part in it.
	case errors.As(err, &network), errors.As(err, &number), errors.As(err, &record), errors.As(err, &alert), errors.As(err, &trust), errors.As(err, &corrupt),
		errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, http.ErrSchemeMismatch), errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum):
		failure.Message = text
	}
	return failure
}
