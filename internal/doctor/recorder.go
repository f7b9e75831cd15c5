package doctor

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// MaxRequests is how many requests an account is checked with at most.
const MaxRequests = 25

// maxUnanswered is how many requests in a row may have no response before no more are sent: a server that does not
// respond must not cost 25 time-outs.
const maxUnanswered = 3

var (
	errSpent       = errors.New("no more requests are allowed here")
	errRateLimited = errors.New("YCM refused a request because of its rate limit")
	errUnreachable = errors.New("several requests in a row had no response")
)

// recorder bounds the requests to YCM and to PBXs, and keeps what came of them: the responses, and what the client makes of
// them, which is what it reports to the exporter's metrics. It implements ycmclient.Observer.
type recorder struct {
	progress func(done, total int)
	stopAll  context.CancelCauseFunc

	mu         sync.Mutex
	requests   int                     // that were sent
	allowed    int                     // that the running check may still send
	spent      bool                    // it wanted to send more
	stop       context.CancelCauseFunc // ends the running check
	exchanges  []*exchange             // those that ended
	outcomes   []outcome               // of requests to YCM
	unanswered int                     // in a row
	unexpected []string                // fields
	lifetime   time.Duration           // of the last token
}

// outcome is how the client classified the response to a request.
type outcome struct {
	endpoint string
	class    yeastar.Class
}

// exchange is a request and the response.
type exchange struct {
	path    string // below the root of YCM's API; empty if it was sent to a PBX with direct access
	query   url.Values
	began   time.Time
	ended   time.Time // when the last of the body was read
	err     error     // why there is no complete response
	status  int
	header  http.Header
	version int // of HTTP
	tls     *tls.ConnectionState
	content bytes.Buffer // what the client read of the body, up to a bound
}

func (e *exchange) took() time.Duration { return e.ended.Sub(e.began) }

// allow makes room for the requests of a check. stop is called when it wants to send more.
func (r *recorder) allow(requests int, stop context.CancelCauseFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.allowed, r.stop, r.spent = min(requests, MaxRequests-r.requests), stop, false
}

// recorded returns what was recorded so far.
func (r *recorder) recorded() (requests int, exchanges []*exchange, outcomes []outcome) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.requests, slices.Clone(r.exchanges), slices.Clone(r.outcomes)
}

// limitedTransport sends the requests that the recorder allows.
type limitedTransport struct {
	http.RoundTripper
	recorder *recorder
}

// RoundTrip implements http.RoundTripper.
func (t limitedTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	r := t.recorder
	if !r.take() {
		if request.Body != nil {
			request.Body.Close()
		}
		return nil, errSpent
	}
	_, path, _ := strings.Cut(request.URL.Path, "/dm/open_api/")
	e := &exchange{path: path, query: request.URL.Query(), began: time.Now()}
	response, err := t.RoundTripper.RoundTrip(request)
	if e.err = err; err == nil {
		e.status, e.header, e.version, e.tls = response.StatusCode, response.Header, response.ProtoMajor, response.TLS
		response.Body = &recordedBody{response.Body, e}
	}
	e.ended = time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.exchanges = append(r.exchanges, e)
	return response, err
}

// CloseIdleConnections closes the connections that nothing uses.
func (t limitedTransport) CloseIdleConnections() {
	(&http.Client{Transport: t.RoundTripper}).CloseIdleConnections()
}

// take counts a request, unless it is one too many.
func (r *recorder) take() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.allowed <= 0 {
		r.spent = true
		r.stop(errSpent)
		return false
	}
	r.allowed--
	r.requests++
	r.progress(r.requests, MaxRequests)
	return true
}

// recordedBody is a body that is recorded while the client reads it.
type recordedBody struct {
	io.ReadCloser
	exchange *exchange
}

// Read implements io.Reader.
func (b *recordedBody) Read(p []byte) (int, error) {
	const maxRecorded = 1 << 20 // a page of 50 PBXs has about 50 KiB
	n, err := b.ReadCloser.Read(p)
	e := b.exchange
	if e.content.Len()+n <= maxRecorded {
		e.content.Write(p[:n])
	}
	if err != nil && !errors.Is(err, io.EOF) {
		e.err = err
	}
	e.ended = time.Now()
	return n, err
}

// Request implements ycmclient.Observer.
func (r *recorder) Request(endpoint string, class yeastar.Class, _ time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.spent { // It may be a request that was not allowed.
		return
	}
	r.outcomes = append(r.outcomes, outcome{endpoint, class})
	if class == yeastar.RateLimited {
		r.stopAll(errRateLimited)
	}
	if class != yeastar.Network && class != yeastar.Timeout {
		r.unanswered = 0
	} else if r.unanswered++; r.unanswered == maxUnanswered {
		r.stopAll(errUnreachable)
	}
}

// Unexpected implements ycmclient.Observer.
func (r *recorder) Unexpected(field string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Contains(r.unexpected, field) {
		r.unexpected = append(r.unexpected, field)
	}
}

// TokenExpires implements ycmclient.Observer.
func (r *recorder) TokenExpires(at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lifetime = time.Until(at)
}

// The rest of ycmclient.Observer is of no use to the checks.

func (*recorder) Retry(yeastar.Class)         {}
func (*recorder) RateLimitWait(time.Duration) {}
func (*recorder) Login(string, yeastar.Class) {}
func (*recorder) Repair()                     {}
func (*recorder) Mismatch()                   {}
func (*recorder) Unconfirmed(bool)            {}
