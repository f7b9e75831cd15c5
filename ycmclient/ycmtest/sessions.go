package ycmtest

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// sessions are the tokens that YCM, or its PBXs, have granted.
type sessions struct {
	mu      sync.Mutex
	access  map[string]session // By access token; an expired one is kept for an hour, because it gets another answer than an invalid one.
	refresh map[string]session // By refresh token.
}

// session is one pair of tokens.
type session struct {
	owner, access, refresh  string // The owner is a Client ID of YCM, or a PBX.
	accessEnds, refreshEnds time.Time
}

// valid reports whether the access token can be used.
func (s session) valid() bool { return time.Now().Before(s.accessEnds) }

// grant makes a new pair of tokens.
func (s *sessions) grant(owner string, accessLife, refreshLife time.Duration, newToken func(ends time.Time) string) session {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.access == nil {
		s.access, s.refresh = map[string]session{}, map[string]session{}
	}
	now := time.Now()
	maps.DeleteFunc(s.access, func(_ string, old session) bool { return now.Sub(old.accessEnds) > time.Hour })
	maps.DeleteFunc(s.refresh, func(_ string, old session) bool { return now.After(old.refreshEnds) })
	granted := session{owner: owner, accessEnds: now.Add(accessLife), refreshEnds: now.Add(refreshLife)}
	granted.access, granted.refresh = newToken(granted.accessEnds), newToken(granted.refreshEnds)
	s.access[granted.access], s.refresh[granted.refresh] = granted, granted
	return granted
}

// byAccess returns the session of an access token, which may have expired.
func (s *sessions) byAccess(token string) (session, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.access[token]
	return found, ok
}

// byRefresh returns the session of a refresh token that can be used.
func (s *sessions) byRefresh(token string) (session, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.refresh[token]
	return found, ok && time.Now().Before(found.refreshEnds)
}

// of returns the sessions of an owner with a valid access token.
func (s *sessions) of(owner string) []session {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Collect(maps.Values(s.access)), func(s session) bool { return s.owner != owner || !s.valid() })
}

// end ends tokens of some sessions: those of s.access or s.refresh.
func (s *sessions) end(tokens *map[string]session, which func(session) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(*tokens, func(_ string, old session) bool { return which(old) })
}

func all(session) bool { return true }
