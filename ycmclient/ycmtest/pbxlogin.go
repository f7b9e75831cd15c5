package ycmtest

import (
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"time"
)

// The PBX's own rules for tokens ("Authorization Rule", "Get Access Token").
const (
	pbxTokens      = 8 // valid at once
	pbxAccessLife  = 30 * time.Minute
	pbxRefreshLife = 24 * time.Hour
)

// ownerOf is a PBX as the owner of sessions.
func ownerOf(p PBX) string { return strconv.FormatInt(p.ID, 10) }

// pbxToken is get_token. The fifth refused one in a row blocks the address.
func (s *Server) pbxToken(p PBX, r *http.Request) pbxAnswer {
	var login struct{ Username, Password string }
	if !readJSON(r, &login) {
		return pbxError(40001)
	}
	valid := login.Username == s.options.PBXClientID && login.Password == s.options.PBXClientSecret
	return s.pbxLogin(p, r, valid, "username or password")
}

// pbxRefresh is refresh_token: a refresh token can be used once.
func (s *Server) pbxRefresh(p PBX, r *http.Request) pbxAnswer {
	var body struct {
		Token string `json:"refresh_token"`
	}
	if !readJSON(r, &body) {
		return pbxError(40001)
	}
	old, ok := s.pbxSessions.byRefresh(body.Token)
	valid := ok && old.owner == ownerOf(p)
	if valid {
		s.pbxSessions.end(&s.pbxSessions.refresh, func(other session) bool { return other.refresh == body.Token })
	}
	return s.pbxLogin(p, r, valid, "refresh_token")
}

// pbxLogin answers a login. A PBX blocks an address for itself alone.
func (s *Server) pbxLogin(p PBX, r *http.Request, valid bool, field string) pbxAnswer {
	v := s.pbxLockout.login(ownerOf(p)+" "+addressOf(r), valid)
	switch {
	case v == blocked:
		s.countRefusal(v, true)
		return pbxError(70004)
	case v != accepted:
		s.countRefusal(v, true)
		answer := pbxError(-1)
		answer["invalid_param_list"] = []any{map[string]string{"field": field, "value": "error"}}
		return answer
	case len(s.pbxSessions.of(ownerOf(p))) >= pbxTokens:
		return pbxError(60002)
	}
	granted := s.pbxSessions.grant(ownerOf(p), pbxAccessLife, pbxRefreshLife, func(time.Time) string { return (rand.Text() + rand.Text())[:32] })
	answer := pbxError(0)
	answer["access_token"], answer["access_token_expire_time"] = granted.access, int(pbxAccessLife.Seconds())
	answer["refresh_token"], answer["refresh_token_expire_time"] = granted.refresh, int(pbxRefreshLife.Seconds())
	return answer
}

func readJSON(r *http.Request, v any) bool {
	body, err := io.ReadAll(io.LimitReader(r.Body, 64<<10))
	return err == nil && json.Unmarshal(body, v) == nil
}

// PBXTokens returns how many access tokens of a PBX are valid now: none may be left when a client has gone.
func (s *Server) PBXTokens(id int64) int { return len(s.pbxSessions.of(strconv.FormatInt(id, 10))) }

// ExpirePBXTokens expires the access tokens of every PBX: they get 10004.
func (s *Server) ExpirePBXTokens() { s.pbxSessions.end(&s.pbxSessions.access, all) }
