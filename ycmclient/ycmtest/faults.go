package ycmtest

import (
	"net/http"
	"slices"
	"sync"
)

// Effect is what a fault does: it wraps the rest of the server, so it can answer in its place, change the request or the
// answer. A test can write its own.
type Effect func(next http.Handler) http.Handler

// Fault changes what happens to some requests. They have been logged and counted against the rate limit, but their access token
// has not been checked.
type Fault struct {
	Endpoint Endpoint                 // which requests; "": all endpoints
	Match    func(*http.Request) bool // which of those; nil: all
	Skip     int                      // how many of those are not changed at first
	Times    int                      // how many are changed then; 0: all until Remove
	Effect   Effect
}

// Injected is an active fault.
type Injected struct {
	fault        Fault
	faults       *faults
	matched, hit int
}

// faults is the list of active faults.
type faults struct {
	mu   sync.Mutex
	list []*Injected
}

// Inject activates a fault. Of several for one request, the earlier wraps the later.
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

// Hits returns how many requests the fault has changed.
func (i *Injected) Hits() int {
	i.faults.mu.Lock()
	defer i.faults.mu.Unlock()
	return i.hit
}

// matches counts a request and reports whether the fault changes it, with the lock of faults held.
func (i *Injected) matches(name Endpoint, r *http.Request) bool {
	f := i.fault
	if f.Endpoint != "" && f.Endpoint != name || f.Match != nil && !f.Match(r) {
		return false
	}
	i.matched++
	if i.matched <= f.Skip || f.Times > 0 && i.matched > f.Skip+f.Times {
		return false
	}
	i.hit++
	return true
}

// wrap wraps next in every fault for the request.
func (l *faults) wrap(name Endpoint, r *http.Request, next http.Handler) http.Handler {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, injected := range slices.Backward(l.list) {
		if injected.matches(name, r) {
			next = injected.fault.Effect(next)
		}
	}
	return next
}
