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

// pbxToken is get_token. The fifth refused one in a row blocks the address, for this PBX alone.
func (s *Server) pbxToken(p PBX, r *http.Request) pbxAnswer {
	var login struct{ Username, Password string }
	body, err := io.ReadAll(io.LimitReader(r.Body, 64<<10))
	if err != nil || json.Unmarshal(body, &login) != nil {
		return pbxError(40001)
	}
	valid := login.Username == s.options.PBXClientID && login.Password == s.options.PBXClientSecret
	v := s.pbxLockout.login(ownerOf(p)+" "+addressOf(r), valid)
	switch {
	case v == blocked:
		s.countRefusal(v, true)
		return pbxError(70004)
	case v != accepted:
		s.countRefusal(v, true)
		answer := pbxError(-1)
		answer["invalid_param_list"] = []any{map[string]string{"field": "username or password", "value": "error"}}
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

// PBXTokens returns how many access tokens of a PBX are valid now: none may be left when a client has gone.
func (s *Server) PBXTokens(id int64) int { return len(s.pbxSessions.of(strconv.FormatInt(id, 10))) }

// ExpirePBXTokens expires the access tokens of every PBX: they get 10004.
func (s *Server) ExpirePBXTokens() { s.pbxSessions.end(&s.pbxSessions.access, all) }
