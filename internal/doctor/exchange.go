package doctor

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// exchange is one request that was sent, and what came of it.
type exchange struct {
	path  string // below the API's root
	kind  string // path, with {id} and {sn} in the place of ids and serial numbers
	grant string // of a request for a token
	query url.Values

	err        error // No whole answer came.
	status     int
	header     http.Header
	proto      string
	tls        *tls.ConnectionState
	compressed bool
	body       []byte

	addresses       int // that the host's name resolved to; 0 if nothing was resolved
	resolved        time.Duration
	asked, answered time.Time
}

var (
	errRepeated = errors.New("the connection was lost before an answer came")
	errTooLong  = errors.New("the answer is too long")
)

// send sends the request and reads the answer.
func (e *exchange) send(r *http.Request, transport http.RoundTripper, timeout time.Duration) {
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	defer cancel()
	ctx, repeated := context.WithCancelCause(ctx)
	defer repeated(nil)
	r = r.Clone(httptrace.WithClientTrace(ctx, e.trace(repeated)))
	if r.Method == http.MethodGet {
		r.Header.Set("Accept-Encoding", "gzip")
	}
	e.asked = time.Now()
	defer func() { e.answered = time.Now() }()
	response, err := transport.RoundTrip(r)
	if err != nil {
		if errors.Is(context.Cause(ctx), errRepeated) {
			err = errRepeated
		}
		e.err = err
		return
	}
	defer response.Body.Close()
	e.status, e.header, e.proto, e.tls = response.StatusCode, response.Header, response.Proto, response.TLS
	e.compressed = response.Uncompressed || strings.EqualFold(response.Header.Get("Content-Encoding"), "gzip")
	e.body, e.err = readBody(response, e.compressed && !response.Uncompressed)
}

func readBody(response *http.Response, zipped bool) ([]byte, error) {
	body := io.Reader(response.Body)
	if zipped {
		unzipped, err := gzip.NewReader(body)
		if err != nil {
			return nil, err
		}
		body = unzipped
	}
	content, err := io.ReadAll(io.LimitReader(body, yeastar.MaxBody+1))
	if err == nil && len(content) > yeastar.MaxBody {
		err = errTooLong
	}
	return content, err
}

// trace notes how the name was resolved. net/http sends a GET again by itself when a connection is lost; here it must not,
// because each request counts.
func (e *exchange) trace(repeated context.CancelCauseFunc) *httptrace.ClientTrace {
	written := make(chan struct{}, 1)
	var began time.Time
	return &httptrace.ClientTrace{
		DNSStart: func(httptrace.DNSStartInfo) { began = time.Now() },
		DNSDone: func(i httptrace.DNSDoneInfo) {
			e.addresses, e.resolved = len(i.Addrs), time.Since(began)
		},
		WroteHeaders: func() {
			select {
			case written <- struct{}{}:
			default:
			}
		},
		GetConn: func(string) {
			if len(written) > 0 {
				repeated(errRepeated)
			}
		},
	}
}

// took is how long it took.
func (e *exchange) took() time.Duration { return e.answered.Sub(e.asked) }

// answer makes the client's answer of what came.
func (e *exchange) answer(r *http.Request, body []byte) (*http.Response, error) {
	if e.err != nil {
		return nil, e.err
	}
	return &http.Response{
		Status: http.StatusText(e.status), StatusCode: e.status, Proto: e.proto, Request: r,
		Header: http.Header{"Content-Type": e.header["Content-Type"]}, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
	}, nil
}

// envelope is what is around the data of the answer, and whether it is JSON at all.
func (e *exchange) envelope() (envelope yeastar.Envelope, ok bool) {
	failed := yeastar.Decode(e.body, &envelope)
	return envelope, failed == nil
}

// failure is what went wrong, nil if nothing did.
func (e *exchange) failure() *yeastar.Error {
	if e.err != nil {
		return &yeastar.Error{Class: yeastar.ClassOf(e.err), Err: e.err}
	}
	envelope, ok := e.envelope()
	switch bad := e.status < 200 || e.status > 299; {
	case !ok && bad:
		return &yeastar.Error{Class: yeastar.ClassOfStatus(e.status), HTTPStatus: e.status}
	case !ok || e.status >= 300 && e.status < 400:
		return &yeastar.Error{Class: yeastar.Invalid, HTTPStatus: e.status}
	case !bad && !envelope.Failed() && (e.grant == "" || ycmclient.ReadGrant(e.body).AccessToken != ""):
		return nil
	}
	failure := ycmclient.Classified(envelope.Failure(e.status))
	if strings.Contains(e.kind, pbxOf) && failure.Code != 0 && failure.Code < yeastar.FirstYCMCode {
		failure.Class = pbxclient.ClassOfCode(e.kind, failure.Code)
	}
	return failure
}

// asError is failure as an error, which is nil if nothing went wrong.
func (e *exchange) asError() error {
	if failure := e.failure(); failure != nil {
		return failure
	}
	return nil
}

// page is the answer of a paged endpoint, or of a PBX's list.
type page struct {
	Size  yeastar.Number  `json:"pageSize"`
	Total yeastar.Number  `json:"total"`
	List  json.RawMessage `json:"list"`

	rows []json.RawMessage
}

// page is the page of a list, if the answer is one.
func (e *exchange) page() (page, bool) {
	var a struct {
		Data json.RawMessage `json:"data"`
	}
	var p page
	if e.err != nil || yeastar.Decode(e.body, &a) != nil || yeastar.Decode(a.Data, &p) != nil {
		return page{}, false
	}
	isList := json.Unmarshal(p.List, &p.rows) == nil && p.List != nil
	return p, isList || p.Total.Given || p.Size.Given
}
