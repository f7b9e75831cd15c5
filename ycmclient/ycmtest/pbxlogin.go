package ycmtest

import (
	"crypto/rand"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// The PBX's own rules for tokens ("Authorization Rule", "Get Access Token").
const (
	pbxTokens      = 8 // valid at once
	pbxAccessLife  = 30 * time.Minute
	pbxRefreshLife = 24 * time.Hour
)

// pbxLogins keeps the tokens of every PBX. They end with a refresh, a revocation or their time.
type pbxLogins struct {
	lockout lockout

	mu      sync.Mutex
	access  map[string]pbxSession
	refresh map[string]pbxSession
}

type pbxSession struct {
	pbx  int64
	ends time.Time
}

// pbxToken is get_token. The fifth refused one in a row blocks the address.
func (s *Server) pbxToken(p PBX, r *http.Request) pbxAnswer {
	var login struct{ Username, Password string }
	if !readJSON(r, &login) {
		return pbxError(40001)
	}
	blocked := s.pbxLogin.lockout.blocked(doorOf(p, r))
	if blocked || login.Username != s.options.PBXClientID || login.Password != s.options.PBXClientSecret {
		return s.refusePBXLogin(p, r, "username or password")
	}
	s.pbxLogin.lockout.accepted(doorOf(p, r))
	return s.pbxLogin.grant(p.ID)
}

// pbxRefresh is refresh_token: a refresh token is good for one new pair.
func (s *Server) pbxRefresh(p PBX, r *http.Request) pbxAnswer {
	var body struct {
		Token string `json:"refresh_token"`
	}
	if !readJSON(r, &body) {
		return pbxError(40001)
	}
	if s.pbxLogin.lockout.blocked(doorOf(p, r)) || !s.pbxLogin.spend(p.ID, body.Token) {
		return s.refusePBXLogin(p, r, "refresh_token")
	}
	return s.pbxLogin.grant(p.ID)
}

func (s *Server) refusePBXLogin(p PBX, r *http.Request, field string) pbxAnswer {
	answer := pbxError(-1)
	answer["invalid_param_list"] = []any{map[string]string{"field": field, "value": "error"}}
	if s.pbxLogin.lockout.blocked(doorOf(p, r)) {
		answer = pbxError(70004)
	}
	locked := s.pbxLogin.lockout.refused(doorOf(p, r))
	s.log.count(func(stats *Stats) {
		stats.PBXLoginsRefused++
		if locked {
			stats.Lockouts++
		}
	})
	return answer
}

// doorOf is what a PBX blocks: an address, for itself alone.
func doorOf(p PBX, r *http.Request) string { return strconv.FormatInt(p.ID, 10) + " " + addressOf(r) }

func readJSON(r *http.Request, v any) bool {
	body, err := io.ReadAll(io.LimitReader(r.Body, 64<<10))
	return err == nil && json.Unmarshal(body, v) == nil
}

func (l *pbxLogins) grant(pbx int64) pbxAnswer {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	ended := func(_ string, s pbxSession) bool { return !now.Before(s.ends) }
	maps.DeleteFunc(l.access, ended)
	maps.DeleteFunc(l.refresh, ended)
	if l.count(pbx) >= pbxTokens {
		return pbxError(60002)
	}
	access, refresh := newPBXToken(), newPBXToken()
	l.access[access] = pbxSession{pbx, now.Add(pbxAccessLife)}
	l.refresh[refresh] = pbxSession{pbx, now.Add(pbxRefreshLife)}
	answer := pbxError(0)
	answer["access_token"], answer["access_token_expire_time"] = access, int(pbxAccessLife.Seconds())
	answer["refresh_token"], answer["refresh_token_expire_time"] = refresh, int(pbxRefreshLife.Seconds())
	return answer
}

// newPBXToken makes a token of 32 characters.
func newPBXToken() string { return (rand.Text() + rand.Text())[:32] }

func (l *pbxLogins) count(pbx int64) int {
	n := 0
	for _, s := range l.access {
		if s.pbx == pbx {
			n++
		}
	}
	return n
}

func (l *pbxLogins) spend(pbx int64, token string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	s, ok := l.refresh[token]
	if !ok || s.pbx != pbx || !time.Now().Before(s.ends) {
		return false
	}
	delete(l.refresh, token)
	return true
}

func (l *pbxLogins) valid(pbx int64, token string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	s, ok := l.access[token]
	return ok && s.pbx == pbx && time.Now().Before(s.ends)
}

func (l *pbxLogins) end(token string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.access, token)
}

// PBXTokens tells how many access tokens of a PBX are valid now: none may be left when a client has gone.
func (s *Server) PBXTokens(id int64) int {
	s.pbxLogin.mu.Lock()
	defer s.pbxLogin.mu.Unlock()
	now := time.Now()
	maps.DeleteFunc(s.pbxLogin.access, func(_ string, s pbxSession) bool { return !now.Before(s.ends) })
	return s.pbxLogin.count(id)
}

// ExpirePBXTokens lets the access tokens of every PBX end now: they answer 10004.
func (s *Server) ExpirePBXTokens() {
	s.pbxLogin.mu.Lock()
	defer s.pbxLogin.mu.Unlock()
	clear(s.pbxLogin.access)
}
