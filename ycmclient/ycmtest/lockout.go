package ycmtest

import (
	"net"
	"net/http"
	"sync"
	"time"
)

// lockout blocks an address that fails too many logins in a row, as YCM and the PBXs do. The vendor's pages do not say how
// long a block lasts; an administrator can end it.
type lockout struct {
	allowed  int           // failures in a row that do not block yet
	duration time.Duration // of a block; 0 is for ever

	mu    sync.Mutex
	tries map[string]*tries // By address.
}

type tries struct {
	failed  int // in a row
	blocked time.Time
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
	t := l.tries[address]
	if t == nil || l.duration > 0 && !t.blocked.IsZero() && time.Since(t.blocked) >= l.duration {
		t = new(tries)
	}
	if l.tries == nil {
		l.tries = map[string]*tries{}
	}
	l.tries[address] = t
	switch {
	case !t.blocked.IsZero():
		return blocked
	case valid:
		delete(l.tries, address)
		return accepted
	}
	if t.failed++; t.failed <= l.allowed {
		return refused
	}
	t.blocked = time.Now()
	return lockedOut
}

func (l *lockout) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.tries)
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
