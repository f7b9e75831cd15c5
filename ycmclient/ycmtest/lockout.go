package ycmtest

import (
	"net"
	"net/http"
	"sync"
)

// lockout blocks an address that fails too many logins in a row, as YCM and the PBXs do, until an administrator ends it.
type lockout struct {
	allowed int // failures in a row that do not block yet

	mu     sync.Mutex
	failed map[string]int // in a row, by address
}

// verdict is what becomes of a login.
type verdict int

const (
	accepted  verdict = iota
	refused           // The credentials are wrong.
	lockedOut         // They are wrong, and this failure blocks the address.
	blocked           // The address was blocked before.
)

// login decides about a login from an address with valid or wrong credentials.
func (l *lockout) login(address string, valid bool) verdict {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed == nil {
		l.failed = map[string]int{}
	}
	failed := l.failed[address]
	switch {
	case failed > l.allowed:
		return blocked
	case valid:
		delete(l.failed, address)
		return accepted
	}
	l.failed[address]++
	if failed == l.allowed {
		return lockedOut
	}
	return refused
}

func (l *lockout) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.failed)
}

// Unblock ends every lock-out, of YCM and of the PBXs, as an administrator does under Security > Blocked IP.
func (s *Server) Unblock() {
	s.lockout.clear()
	s.pbxLockout.clear()
}

// addressOf returns the address that a lock-out applies to.
func addressOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr // of the in-memory transport
	}
	return host
}

// countRefusal counts a login that was not accepted.
func (s *Server) countRefusal(v verdict, pbx bool) {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	if pbx {
		s.log.stats.PBXLoginsRefused++
	} else {
		s.log.stats.LoginsRefused++
	}
	if v == lockedOut {
		s.log.stats.Lockouts++
	}
}
