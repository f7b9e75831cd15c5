package ycmtest

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// oauth gives out YCM's tokens ("Request Access Token", "Refresh Access Token", "Revoke Refresh Token").
type oauth struct {
	options Options
	lockout lockout

	mu      sync.Mutex
	secrets map[string]string  // by Client ID
	access  map[string]session // by access token; an expired one is kept to be told from an invalid one
	refresh map[string]session // by refresh token
}

// session is one pair of tokens.
type session struct {
	client, access, refresh, jti string
	accessEnds, refreshEnds      time.Time
}

func newOAuth(o Options) *oauth {
	return &oauth{
		options: o,
		lockout: lockout{allowed: 5, duration: o.Lockout},
		secrets: map[string]string{o.ClientID: o.ClientSecret},
		access:  make(map[string]session),
		refresh: make(map[string]session),
	}
}

// token serves both grants. Its success is a bare object, not the usual envelope.
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	if r.URL.RawQuery != "" {
		s.violation(r, "credentials in the URL")
	}
	form, err := formOf(r)
	if err != nil {
		s.fail(w, invalidParameter("body"))
		return
	}
	var granted session
	var ok bool
	switch form.Get("grant_type") {
	case "client_credentials":
		granted, ok = s.oauth.login(form.Get("client_id"), form.Get("client_secret"), addressOf(r))
	case "refresh_token":
		granted, ok = s.oauth.renew(form.Get("refresh_token"), addressOf(r))
	default:
		s.fail(w, invalidParameter("grant_type"))
		return
	}
	if !ok {
		s.refuseLogin(w, r)
		return
	}
	s.oauth.lockout.accepted(addressOf(r))
	writeJSON(w, http.StatusOK, map[string]any{
		"access_token":  granted.access,
		"token_type":    "bearer",
		"refresh_token": granted.refresh,
		"expires_in":    int64(time.Until(granted.accessEnds) / time.Second),
		"jti":           granted.jti,
	})
}

// revoke ends every token of a client ("Revoke Refresh Token"). An exporter has no reason to call it.
func (s *Server) revoke(w http.ResponseWriter, r *http.Request) {
	s.violation(r, "revokes the tokens of every program that shares the Client ID")
	form, err := formOf(r)
	client := form.Get("client_id")
	if err != nil || !s.oauth.knows(client, form.Get("client_secret")) {
		s.refuseLogin(w, r)
		return
	}
	s.oauth.end(client)
	writeJSON(w, http.StatusOK, map[string]any{"client_id": client, "effect_time": time.Now().Unix()})
}

func (s *Server) refuseLogin(w http.ResponseWriter, r *http.Request) {
	refusal := failure{http.StatusUnauthorized, 1000033, "INVALID_CLIENT", "invalid_client"}
	if s.oauth.lockout.blocked(addressOf(r)) {
		refusal = failure{http.StatusForbidden, 1000002, "AUTHENTICATION_FAILED: API Authentication Lockout", "access_denied"}
	}
	locked := s.oauth.lockout.refused(addressOf(r))
	s.log.count(func(stats *Stats) {
		stats.LoginsRefused++
		if locked {
			stats.Lockouts++
		}
	})
	refusal.write(w, s.options.LoginShape)
}

// bearer lets a request pass that carries a valid access token.
func (s *Server) bearer(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch granted, ok := s.oauth.of(r); {
		case !ok:
			s.fail(w, failure{http.StatusUnauthorized, 1000036, "INVALID_TOKEN", "invalid_token"})
		case !time.Now().Before(granted.accessEnds):
			s.fail(w, failure{http.StatusUnauthorized, 1000035, "TOKEN_EXPIRED", "invalid_token"})
		default:
			next(w, r)
		}
	}
}

func (o *oauth) login(client, secret, address string) (session, bool) {
	if o.lockout.blocked(address) || !o.knows(client, secret) {
		return session{}, false
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.options.SameToken {
		for _, old := range o.access {
			if old.client == client && time.Now().Before(old.accessEnds) {
				return old, true
			}
		}
	}
	return o.grant(client), true
}

// renew spends a refresh token: it is good for one refresh.
func (o *oauth) renew(token, address string) (session, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	old, ok := o.refresh[token]
	if !ok || o.lockout.blocked(address) || !time.Now().Before(old.refreshEnds) {
		return session{}, false
	}
	delete(o.refresh, token)
	if o.options.RefreshRevokes {
		delete(o.access, old.access)
	}
	return o.grant(old.client), true
}

// grant makes a new pair, with o.mu held.
func (o *oauth) grant(client string) session {
	now := time.Now()
	const remembered = time.Hour // how long an expired access token is told from an invalid one
	maps.DeleteFunc(o.access, func(_ string, s session) bool { return now.Sub(s.accessEnds) > remembered })
	maps.DeleteFunc(o.refresh, func(_ string, s session) bool { return now.After(s.refreshEnds) })
	granted := session{
		client: client, jti: requestID(),
		accessEnds: now.Add(o.options.TokenLife), refreshEnds: now.Add(o.options.RefreshLife),
	}
	granted.access = jwt(granted, granted.accessEnds)
	granted.refresh = jwt(granted, granted.refreshEnds)
	o.access[granted.access], o.refresh[granted.refresh] = granted, granted
	return granted
}

// jwt makes a token that looks like the vendor's. Nothing reads it: it is opaque to server and client.
func jwt(s session, ends time.Time) string {
	payload, _ := json.Marshal(map[string]any{ // Strings and numbers always marshal.
		"scope": []string{"all"}, "exp": ends.Unix(), "authorities": []string{"ROLE_CLIENT"}, "jti": s.jti, "client_id": s.client,
	})
	return "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9." + base64.RawURLEncoding.EncodeToString(payload) + "." + rand.Text()
}

func (o *oauth) knows(client, secret string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	want, ok := o.secrets[client]
	return ok && want == secret
}

func (o *oauth) end(client string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	ofClient := func(_ string, s session) bool { return s.client == client }
	maps.DeleteFunc(o.access, ofClient)
	maps.DeleteFunc(o.refresh, ofClient)
}

// of finds the session of a request's access token.
func (o *oauth) of(r *http.Request) (session, bool) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return session{}, false
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	granted, ok := o.access[token]
	return granted, ok
}

// clientOf tells which Client ID a request is paid by: the one that logs in with it, or its token's.
func (o *oauth) clientOf(r *http.Request) string {
	if form, err := formOf(r); err == nil {
		o.mu.Lock()
		defer o.mu.Unlock()
		if client := form.Get("client_id"); o.secrets[client] != "" {
			return client
		}
		return o.refresh[form.Get("refresh_token")].client
	}
	granted, _ := o.of(r)
	return granted.client
}

// formOf reads a form body, of a DELETE as well, and leaves it to be read again.
func formOf(r *http.Request) (url.Values, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, http.ErrNotSupported
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, 64<<10))
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return url.ParseQuery(string(body))
}

// SetSecret gives a client a new secret, as "regenerate" on YCM's API page does, or lets another client in. Refresh
// tokens of the client end at once, its access tokens live on.
func (s *Server) SetSecret(client, secret string) {
	s.oauth.mu.Lock()
	defer s.oauth.mu.Unlock()
	s.oauth.secrets[client] = secret
	maps.DeleteFunc(s.oauth.refresh, func(_ string, old session) bool { return old.client == client })
}

// ExpireTokens lets every access token of YCM end now: they answer 1000035. Refresh tokens stay good.
func (s *Server) ExpireTokens() {
	s.oauth.mu.Lock()
	defer s.oauth.mu.Unlock()
	for token, granted := range s.oauth.access {
		granted.accessEnds = time.Now()
		s.oauth.access[token] = granted
	}
}

// RevokeTokens ends every token of YCM, refresh tokens included: access tokens answer 1000036.
func (s *Server) RevokeTokens() {
	s.oauth.mu.Lock()
	defer s.oauth.mu.Unlock()
	clear(s.oauth.access)
	clear(s.oauth.refresh)
}

// Tokens returns every token that YCM knows now, sorted, for tests that search logs and pages for them.
func (s *Server) Tokens() []string {
	s.oauth.mu.Lock()
	defer s.oauth.mu.Unlock()
	tokens := slices.AppendSeq(slices.Collect(maps.Keys(s.oauth.access)), maps.Keys(s.oauth.refresh))
	slices.Sort(tokens)
	return tokens
}
