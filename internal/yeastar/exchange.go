package yeastar

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/crash"
)

// ErrSwitched is the error of an answer "101 Switching Protocols". Its body is the bare connection, which no time-out ends.
var ErrSwitched = errors.New("the server switches protocols (HTTP 101) and was not asked to")

// Exchange makes a transport keep two promises that every request here relies on: that it ends when the request's context
// does, even if the transport waits for a file system that hangs, and that an answer's body can be read within that time.
func Exchange(t http.RoundTripper) http.RoundTripper { return exchange{t} }

type exchange struct{ http.RoundTripper }

// late is how long a transport may take to notice that the context has ended.
const late = time.Second

// answered is what a transport returned.
type answered struct {
	response *http.Response
	err      error
}

// RoundTrip sends the request.
func (e exchange) RoundTrip(r *http.Request) (*http.Response, error) {
	came, given := make(chan answered), make(chan struct{})
	defer close(given)
	go func() {
		var a answered
		a.err = crash.Catch(func() (err error) {
			a.response, err = e.RoundTripper.RoundTrip(r) //nolint:bodyclose // Whoever asked closes it.
			return err
		})
		select {
		case came <- a:
		case <-given: // Nobody waits any more.
			if a.response != nil {
				a.response.Body.Close()
			}
		}
	}()
	a, err := wait(r.Context(), came)
	if err == nil {
		err = a.err
	}
	if c := (*crash.Crash)(nil); errors.As(err, &c) {
		panic(c)
	}
	if err == nil && a.response.StatusCode == http.StatusSwitchingProtocols {
		a.response.Body.Close()
		err = ErrSwitched
	}
	if err != nil {
		return nil, err
	}
	return a.response, nil
}

// wait waits for an answer until the context has ended, and a little longer.
func wait(ctx context.Context, came <-chan answered) (answered, error) {
	select {
	case a := <-came:
		return a, nil
	case <-ctx.Done():
	}
	patience := time.NewTimer(late)
	defer patience.Stop()
	select {
	case a := <-came:
		return a, nil
	case <-patience.C:
		return answered{}, ctx.Err()
	}
}

// CloseIdleConnections closes the connections that nothing uses.
func (e exchange) CloseIdleConnections() {
	(&http.Client{Transport: e.RoundTripper}).CloseIdleConnections()
}
