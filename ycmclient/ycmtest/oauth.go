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
	"time"
)

// token is the endpoint of YCM's tokens ("Request Access Token", "Refresh Access Token"). Its success is a bare object, not
// the usual envelope.
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	if r.URL.RawQuery != "" {
		s.violation(r, "credentials in the URL")
	}
	form, err := formOf(r)
	if err != nil {
		s.fail(w, invalidParameter("body"))
		return
	}
	client, valid := form.Get("client_id"), false
	var old session
	switch form.Get("grant_type") {
	case "client_credentials":
		valid = s.secretIs(client, form.Get("client_secret"))
	case "refresh_token":
		old, valid = s.sessions.byRefresh(form.Get("refresh_token"))
		client = old.owner
	default:
		s.fail(w, invalidParameter("grant_type"))
		return
	}
	if v := s.lockout.login(addressOf(r), valid); v != accepted {
		s.countRefusal(v, false)
		refusal := failureOf(1000033)
		if v == blocked {
			refusal = &failure{http.StatusForbidden, 1000002, "AUTHENTICATION_FAILED: API Authentication Lockout", "access_denied"}
		}
		refusal.write(w, s.options.LoginShape)
		return
	}
	const refreshLife = 15 * 24 * time.Hour // A refresh token can be used once.
	s.sessions.end(&s.sessions.refresh, func(other session) bool { return other.refresh == old.refresh })
	var granted session
	if same := s.sessions.of(client); s.options.SameToken && old.refresh == "" && len(same) > 0 {
		granted = same[0]
	} else {
		granted = s.sessions.grant(client, s.options.TokenLife, refreshLife, func(ends time.Time) string { return jwt(client, ends) })
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"access_token":  granted.access,
		"token_type":    "bearer",
		"refresh_token": granted.refresh,
		"expires_in":    int64(time.Until(granted.accessEnds) / time.Second),
		"jti":           requestID(),
	})
}

// jwt makes a token that looks like the vendor's. It is opaque to server and client.
func jwt(client string, ends time.Time) string {
	payload, _ := json.Marshal(map[string]any{ // Strings and numbers always marshal.
		"scope": []string{"all"}, "exp": ends.Unix(), "authorities": []string{"ROLE_CLIENT"}, "jti": requestID(), "client_id": client,
	})
	return "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9." + base64.RawURLEncoding.EncodeToString(payload) + "." + rand.Text()
}

// bearer requires a valid access token.
func (s *Server) bearer(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch granted, ok := s.sessions.byAccess(bearerOf(r)); {
		case !ok:
			s.fail(w, failureOf(1000036))
		case !granted.valid():
			s.fail(w, failureOf(1000035))
		default:
			next(w, r)
		}
	}
}

func bearerOf(r *http.Request) string {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return token
}

func (s *Server) secretIs(client, secret string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	want, ok := s.secrets[client]
	return ok && want == secret
}

// clientOf returns the Client ID whose rate limit a request counts against: the one that logs in with it, or its token's.
func (s *Server) clientOf(r *http.Request) string {
	form, err := formOf(r)
	if err != nil {
		granted, _ := s.sessions.byAccess(bearerOf(r))
		return granted.owner
	}
	s.mu.Lock()
	_, known := s.secrets[form.Get("client_id")]
	s.mu.Unlock()
	if known {
		return form.Get("client_id")
	}
	granted, _ := s.sessions.byRefresh(form.Get("refresh_token"))
	return granted.owner
}

// formOf reads a form body, which can be read again afterwards.
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

// SetSecret gives a client a new secret, as "regenerate" on YCM's API page does, or adds a client. Refresh tokens of the
// client end at once, its access tokens stay valid.
func (s *Server) SetSecret(client, secret string) {
	s.mu.Lock()
	s.secrets[client] = secret
	s.mu.Unlock()
	s.sessions.end(&s.sessions.refresh, func(old session) bool { return old.owner == client })
}

// ExpireTokens expires every access token of YCM: they get 1000035. Refresh tokens stay valid.
func (s *Server) ExpireTokens() {
	s.sessions.mu.Lock()
	defer s.sessions.mu.Unlock()
	for token, granted := range s.sessions.access {
		granted.accessEnds = time.Now()
		s.sessions.access[token] = granted
	}
}

// RevokeTokens ends every token of YCM, refresh tokens included: access tokens get 1000036.
func (s *Server) RevokeTokens() {
	s.sessions.end(&s.sessions.access, all)
	s.sessions.end(&s.sessions.refresh, all)
}

// Tokens returns every token that YCM knows now, sorted, for tests that search logs and pages for them.
func (s *Server) Tokens() []string {
	s.sessions.mu.Lock()
	defer s.sessions.mu.Unlock()
	tokens := slices.AppendSeq(slices.Collect(maps.Keys(s.sessions.access)), maps.Keys(s.sessions.refresh))
	slices.Sort(tokens)
	return tokens
}
