package ycmtest

import (
	"net"
	"net/http"
	"sync"
	"time"
)

// lockout blocks an address that is refused too often in a row, as YCM and the PBXs do for logins. The time of a
// block is not in the vendor's pages; an administrator can end it.
type lockout struct {
	allowed  int           // refusals in a row that do not block yet
	duration time.Duration // of a block; 0 is for ever

	mu    sync.Mutex
	tries map[string]*tries
}

type tries struct {
	refused int // in a row
	blocked time.Time
}

// blocked tells whether the address is locked out.
func (l *lockout) blocked(address string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.tries[address]
	if t == nil || t.blocked.IsZero() {
		return false
	}
	if l.duration > 0 && time.Since(t.blocked) >= l.duration {
		delete(l.tries, address)
		return false
	}
	return true
}

// refused counts a refusal and tells whether it is the one that locks the address out.
func (l *lockout) refused(address string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.tries == nil {
		l.tries = make(map[string]*tries)
	}
	t := l.tries[address]
	if t == nil {
		t = new(tries)
		l.tries[address] = t
	}
	t.refused++
	if t.refused <= l.allowed || !t.blocked.IsZero() {
		return false
	}
	t.blocked = time.Now()
	return true
}

// accepted ends a row of refusals.
func (l *lockout) accepted(address string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.tries, address)
}

func (l *lockout) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.tries)
}

// Unblock ends every lock-out, of YCM and of the PBXs, as an administrator does under Security > Blocked IP.
func (s *Server) Unblock() {
	s.oauth.lockout.clear()
	s.pbxLogin.lockout.clear()
}

// addressOf is the address that a lock-out holds for.
func addressOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr // of the in-memory transport
	}
	return host
}
