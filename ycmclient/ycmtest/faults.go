package ycmtest

import (
	"net/http"
	"slices"
	"sync"
)

// Effect is what a fault does: it wraps the rest of the server, so it can answer in its place, change the request
// before it or the answer after it. This package has many; a test can write its own.
type Effect func(next http.Handler) http.Handler

// Fault makes some requests go wrong. A request that a fault meets has been logged and has paid its token of the
// rate limit, but its access token has not been looked at.
type Fault struct {
	Endpoint Endpoint                 // which requests; "" is every endpoint
	Match    func(*http.Request) bool // which of those; nil is all
	Skip     int                      // how many of those go well first
	Times    int                      // how many go wrong then; 0 is all until Remove
	Effect   Effect
}

// Injected is a fault at work.
type Injected struct {
	fault     Fault
	faults    *faults
	seen, hit int
}

// faults is the list of faults at work.
type faults struct {
	mu   sync.Mutex
	list []*Injected
}

// Inject puts a fault to work. Of several that meet one request, the earlier wraps the later.
func (s *Server) Inject(f Fault) *Injected {
	injected := &Injected{fault: f, faults: &s.faults}
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.list = append(s.faults.list, injected)
	return injected
}

// ClearFaults removes every fault.
func (s *Server) ClearFaults() {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.list = nil
}

// Remove ends the fault.
func (i *Injected) Remove() {
	i.faults.mu.Lock()
	defer i.faults.mu.Unlock()
	i.faults.list = slices.DeleteFunc(i.faults.list, func(other *Injected) bool { return other == i })
}

// Hits tells how many requests the fault has met.
func (i *Injected) Hits() int {
	i.faults.mu.Lock()
	defer i.faults.mu.Unlock()
	return i.hit
}

// meets counts a request and tells whether the fault is for it, with the lock of faults held.
func (i *Injected) meets(name Endpoint, r *http.Request) bool {
	f := i.fault
	if f.Endpoint != "" && f.Endpoint != name || f.Match != nil && !f.Match(r) {
		return false
	}
	i.seen++
	if i.seen <= f.Skip || f.Times > 0 && i.seen > f.Skip+f.Times {
		return false
	}
	i.hit++
	return true
}

// around wraps next in every fault that meets the request.
func (l *faults) around(name Endpoint, r *http.Request, next http.Handler) http.Handler {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, injected := range slices.Backward(l.list) {
		if injected.meets(name, r) {
			next = injected.fault.Effect(next)
		}
	}
	return next
}
