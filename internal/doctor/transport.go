package doctor

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// MaxRequests is how many requests an account is checked with at most.
const MaxRequests = 25

var (
	errSpent       = errors.New("request limit of this check reached")
	errRateLimited = errors.New("YCM refused a request because of its rate limit")
)

// result is the result of one check.
type result struct {
	requests int                      // that it sent
	outcomes map[string]yeastar.Class // of YCM's endpoints, as the client classified the responses; OK if any request succeeded
	failure  error                    // why the last request had no complete response; nil if it had one
	html     bool                     // the last response was an HTML page
	refused  bool                     // it wanted to send more requests than it may
	err      error
	ended    bool // it was ended early
}

// recorder limits the requests to YCM and to PBXs, and records their results. It implements ycmclient.Observer.
type recorder struct {
	ycmclient.Observer // ignores what the recorder does not implement

	progress func(done, total int)
	stopAll  context.CancelCauseFunc

	mu        sync.Mutex
	sent      int
	responded bool                    // YCM did once
	failure   error                   // why YCM's response to a request was not complete, the first time
	check     result                  // the running one
	allowed   int                     // requests that it may still send
	stop      context.CancelCauseFunc // ends it
}

// expect starts a result that allows that many requests, and returns the previous one. stop is called when the check wants to send more.
func (r *recorder) expect(requests int, stop context.CancelCauseFunc) result {
	r.mu.Lock()
	defer r.mu.Unlock()
	before := r.check
	r.check = result{outcomes: map[string]yeastar.Class{}}
	r.allowed, r.stop = min(requests, MaxRequests-r.sent), stop
	return before
}

// limitedTransport sends the requests that the recorder allows, and reads the responses.
type limitedTransport struct {
	http.RoundTripper
	recorder *recorder
}

// RoundTrip implements http.RoundTripper.
func (t limitedTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	if !t.recorder.take() {
		if request.Body != nil {
			request.Body.Close()
		}
		return nil, errSpent
	}
	response, err := t.RoundTripper.RoundTrip(request)
	var body []byte
	if err == nil && response.StatusCode != http.StatusSwitchingProtocols { // Its body would be the bare connection.
		body, err = io.ReadAll(io.LimitReader(response.Body, yeastar.MaxBody+1))
		response.Body.Close()
		response.Body = io.NopCloser(bytes.NewReader(body))
	}
	t.recorder.record(request.URL.Path, response, err)
	if err != nil {
		return nil, err
	}
	return response, nil
}

// CloseIdleConnections closes the connections that nothing uses.
func (t limitedTransport) CloseIdleConnections() {
	(&http.Client{Transport: t.RoundTripper}).CloseIdleConnections()
}

// take counts a request, unless the limit is reached.
func (r *recorder) take() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.allowed <= 0 {
		r.check.refused = true
		r.stop(errSpent)
		return false
	}
	r.allowed--
	r.sent++
	r.check.requests++
	r.progress(r.sent, MaxRequests)
	return true
}

// record keeps what the checks need of a response.
func (r *recorder) record(path string, response *http.Response, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	isYCM := strings.Contains(path, "/dm/open_api/")
	if r.check.failure = err; err != nil {
		if isYCM && r.failure == nil {
			r.failure = err
		}
		return
	}
	media, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type")) // One that is not valid is not HTML.
	r.check.html = media == "text/html"
	r.responded = r.responded || isYCM
}

// Request implements ycmclient.Observer.
func (r *recorder) Request(endpoint string, class yeastar.Class, _ time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.check.refused { // It may be a request that was not sent.
		return
	}
	if r.check.outcomes[endpoint] != yeastar.OK {
		r.check.outcomes[endpoint] = class
	}
	if class == yeastar.RateLimited {
		r.stopAll(errRateLimited)
	}
}
