package ycmclient

import (
	"context"
	"errors"
	"net/http/httptrace"
	"sync"
	"time"
)

// errRepeated ends an exchange whose request the HTTP library was about to send again without leave.
var errRepeated = errors.New("the connection was lost before an answer came")

// closingIdle is how long a repeat waits for idle connections to be closed. It takes no time where no lock is held.
const closingIdle = 50 * time.Millisecond

// repeats watches over one exchange. net/http sends a GET again by itself when a connection is lost: once where the server
// had closed a kept one, and without end where an HTTP/2 server goes away each time. The budget pays for one repeat before
// it is written, if there is a token; otherwise the exchange ends, and the client tries again when there is one.
type repeats struct {
	budget *budget
	cancel context.CancelCauseFunc
	idle   func() // Closes idle connections, so that none is at hand for a repeat that is not paid.
	count  func() // Counts a repeat.

	mu      sync.Mutex
	written bool // What was paid for is written.
	paid    []func()
	ended   bool
}

// trace tells of each connection before it is used and of each request that is written.
func (r *repeats) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn:      func(string) { r.connecting() },
		GotConn:      func(httptrace.GotConnInfo) { r.connecting() },
		WroteHeaders: r.wrote,
	}
}

// connecting is called before a request is written, perhaps twice.
func (r *repeats) connecting() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.written || r.ended {
		return
	}
	if len(r.paid) == 0 {
		if done, ok := r.budget.takeFree(); ok {
			r.paid, r.written = append(r.paid, done), false
			r.count()
			return
		}
	}
	r.ended = true
	r.cancel(errRepeated)
	closed := make(chan struct{})
	go func() {
		r.idle()
		close(closed)
	}()
	select { // HTTP/2 holds the lock of its connections while it calls this, so closing them waits until this returns.
	case <-closed:
	case <-time.After(closingIdle):
	}
}

// wrote is called when a request has been written.
func (r *repeats) wrote() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.written { // It could not be stopped any more.
		r.budget.charge()
		r.count()
	}
	r.written = true
}

// done gives back the tokens of the repeats.
func (r *repeats) done() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = true
	for _, done := range r.paid {
		done()
	}
}
