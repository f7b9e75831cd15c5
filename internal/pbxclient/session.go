package pbxclient

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/crash"
	"github.com/ycm-exporter/ycm_exporter/internal/secret"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// The calls that deal in tokens. They are the session's alone.
const (
	getToken     = "get_token"
	refreshToken = "refresh_token"
	delToken     = "del_token"
)

func isLogin(endpoint string) bool { return endpoint == getToken || endpoint == refreshToken }

// session keeps the one token of a PBX. Whether a refresh ends the access token before it is not documented, so a
// refresh token is used only once its access token is dead. One that is about to end is revoked, and the
// credentials give the next: so there is never a second one alive.
type session struct {
	direct   *direct
	clientID string
	secret   secret.Source
	hidden   []secret.Text
	guard    *yeastar.Guard

	mu       sync.Mutex
	token    token
	login    *login // under way
	password secret.Text
	closed   bool

	refusal *yeastar.Error // the latest of the credentials; belongs to the login under way
}

// login is one renewal of the token, which everybody who needs a token waits for. It outlives the call that
// started it, because a token that nobody waited for would be lost, and count.
type login struct {
	done   chan struct{} // closed when the three below are set
	cancel context.CancelFunc
	token  token
	err    error
	crash  *crash.Crash // nil if it ended well; else everybody who waited for it crashes
}

// present returns the token, after a renewal if it needs one.
func (s *session) present(ctx context.Context) (token, error) {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return token{}, s.direct.fail(yeastar.NotAsked, yeastar.Error{Endpoint: getToken, Class: yeastar.Network, Err: errClosed})
	}
	if s.token.usable(time.Now()) {
		defer s.mu.Unlock()
		return s.token, nil
	}
	if s.login == nil {
		own, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.direct.timeout)
		s.login = &login{done: make(chan struct{}), cancel: cancel}
		go s.run(own, s.login, s.token)
	}
	l := s.login
	s.mu.Unlock()

	select {
	case <-l.done:
		if l.crash != nil {
			panic(l.crash)
		}
		return l.token, l.err
	case <-ctx.Done():
		return token{}, s.direct.unanswered(getToken, ctx.Err(), yeastar.Redactor{})
	}
}

func (s *session) run(ctx context.Context, l *login, old token) {
	defer l.cancel()
	defer func() {
		if cause := recover(); cause != nil {
			l.crash = crash.Of(cause)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.token, s.login = l.token, nil
		close(l.done)
	}()
	l.token, l.err = s.renew(ctx, old)
}

// renew replaces old. With an error comes what is left of old.
func (s *session) renew(ctx context.Context, old token) (token, error) {
	switch now := time.Now(); {
	case old.alive(now):
		if err := s.revoke(ctx, old); yeastar.ReachOf(err) != yeastar.Answered {
			return old, err
		}
	case old.refreshable(now):
		t, err := s.grant(ctx, refreshToken, map[string]string{"refresh_token": old.refresh.Reveal()})
		if refusal(err) == nil {
			if err != nil {
				return old, err
			}
			return t, nil
		}
		s.guard.RefreshRefused(s.clientID)
	}
	return s.logIn(ctx)
}

// After these the PBX may take a login again without a change of credentials.
const (
	afterTokenCap     = 5 * time.Minute // somebody's token ends within 30 minutes
	afterAddressIsOut = 15 * time.Minute
)

// logIn gets a token for the credentials, if the guard lets it.
func (s *session) logIn(ctx context.Context) (token, error) {
	password, err := s.secret()
	if err != nil {
		return token{}, s.direct.fail(yeastar.NotAsked, yeastar.Error{
			Endpoint: getToken, Class: yeastar.Auth, Message: "no client secret to log in with", Err: err,
		})
	}
	credentials := yeastar.Credentials{ClientID: s.clientID, Secret: password}
	if err := s.guard.Begin(ctx, credentials); err != nil {
		return token{}, s.barred(err)
	}
	defer s.guard.End()
	s.mu.Lock()
	s.password = password
	s.mu.Unlock()
	t, err := s.grant(ctx, getToken, map[string]string{"username": s.clientID, "password": password.Reveal()})
	refused := refusal(err)
	switch {
	case err == nil:
		s.guard.Accepted(credentials)
	case refused == nil:
		return t, err
	case errors.Is(err, TokenCap): // Not the credentials' fault.
		s.guard.Postpone(credentials, afterTokenCap)
	case errors.Is(err, AddressBlocked), errors.Is(err, IPForbidden):
		s.guard.Postpone(credentials, afterAddressIsOut)
	default:
		s.guard.Refused(credentials)
	}
	s.refusal = refused
	return t, err
}

// barred is the error of a login that the guard did not let through.
func (s *session) barred(err error) error {
	bar := (*yeastar.Barred)(nil)
	if !errors.As(err, &bar) {
		return s.direct.unanswered(getToken, err, yeastar.Redactor{})
	}
	e := bar.After(s.refusal)
	e.Endpoint = getToken
	return s.direct.fail(yeastar.NotAsked, e)
}

// grant asks for a token.
func (s *session) grant(ctx context.Context, endpoint string, request map[string]string) (token, error) {
	asked := time.Now()
	var granted grant
	err := s.direct.post(ctx, endpoint, request, s.redactor(), func(body []byte) (*yeastar.Envelope, *yeastar.Error) {
		granted = grant{}
		return &granted.Envelope, yeastar.Decode(body, &granted)
	})
	if err != nil {
		return token{}, err
	}
	if !granted.usable() {
		return token{}, s.direct.fail(yeastar.Answered, yeastar.Error{Endpoint: endpoint, Class: yeastar.Invalid, Err: errNoToken})
	}
	return granted.token(asked), nil
}

// refusal returns the PBX's no to a login, and nil if the login succeeded or ended in some other way. Whatever is
// not plainly trouble of the PBX's own counts, because the PBX may count it.
func refusal(err error) *yeastar.Error {
	var e *yeastar.Error
	if !errors.As(err, &e) {
		return nil
	}
	switch e.Code {
	case codeInternalError, codeOperationFailed, codeOverload:
		return nil
	case 0:
		if e.HTTPStatus != http.StatusUnauthorized && e.HTTPStatus != http.StatusForbidden {
			return nil
		}
	}
	return e
}

func (s *session) revoke(ctx context.Context, t token) error {
	return s.direct.ask(ctx, delToken, t.access, nil, func(body []byte) (*yeastar.Envelope, *yeastar.Error) {
		var e yeastar.Envelope
		return &e, yeastar.Decode(body, &e)
	})
}

// drop notes that the PBX takes that token for dead, unless it has been replaced meanwhile.
func (s *session) drop(t token) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.token.access.Reveal() == t.access.Reveal() {
		s.token = s.token.expired()
	}
}

// redactor knows the secrets that an answer may quote: those of the session, and the token that was sent.
func (s *session) redactor(sent ...secret.Text) yeastar.Redactor {
	s.mu.Lock()
	defer s.mu.Unlock()
	return yeastar.NewRedactor(slices.Concat(sent, []secret.Text{s.token.access, s.token.refresh, s.password}, s.hidden)...)
}

// close waits for the login under way and revokes what it gave.
func (s *session) close(ctx context.Context) error {
	s.mu.Lock()
	s.closed = true
	l := s.login
	s.mu.Unlock()
	if l != nil {
		select {
		case <-l.done:
		case <-ctx.Done():
			l.cancel()
			<-l.done
		}
	}
	s.mu.Lock()
	t := s.token
	s.token = token{}
	s.mu.Unlock()
	if !t.alive(time.Now()) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.direct.timeout)
	defer cancel()
	if err := s.revoke(ctx, t); err != nil && !tokenExpired(err) {
		return err
	}
	return nil
}
