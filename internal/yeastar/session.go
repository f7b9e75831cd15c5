package yeastar

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/secret"
)

// betweenGrants is the least time between two of them: an answer with a token that has all but expired, or a server that accepts no
// token, must not become a loop.
const betweenGrants = 10 * time.Second

// Session holds the one access token of a Client ID at a server, and renews it ahead of its end, once for all that need it. It is
// safe for concurrent use.
type Session struct {
	renewing chan struct{} // Held while a token is requested.

	mu       sync.Mutex
	token    Token
	closed   bool
	replaced time.Time // When a rejected token was last replaced.
	renewals int
	failure  *Error // Of the latest renewal.
	retry    time.Time
	tokens   []secret.Text // The latest ones, and
	secrets  []secret.Text // the latest client secrets: errors must not show them.
}

// Token is what was granted. The zero value is none.
type Token struct {
	Access, Refresh           secret.Text
	Granted, Expires, RenewAt time.Time
}

// Alive reports whether the access token has not expired.
func (t Token) Alive() bool { return time.Now().Before(t.Expires) }

// Grant requests a token in place of an old one, and returns what it got or else what is left of the old one.
type Grant func(ctx context.Context, old Token) (Token, *Error)

// NewSession returns a session without a token.
func NewSession() *Session { return &Session{renewing: make(chan struct{}, 1)} }

// Do calls request with the access token. If the server no longer accepts that, it calls request once more with a new one.
func (s *Session) Do(ctx context.Context, grant Grant, request func(access secret.Text) *Error) *Error {
	token, failure := s.get(ctx, grant, "")
	if failure != nil {
		return failure
	}
	if failure = request(token.Access); !failure.TokenRejected() {
		return failure
	}
	if token, failure = s.get(ctx, grant, token.Access.Reveal()); failure != nil {
		return failure
	}
	return request(token.Access)
}

// Token returns the present token.
func (s *Session) Token() Token {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.token
}

// Secrets returns what answers may repeat and errors must not show.
func (s *Session) Secrets() []secret.Text {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Concat(s.secrets, s.tokens)
}

// remembered is how many tokens and how many client secrets are hidden: answers may still repeat those that were replaced.
const remembered = 8

// HideTokens adds tokens that were received to what errors must not show.
func (s *Session) HideTokens(tokens ...secret.Text) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens = append(s.tokens, tokens...)
	s.tokens = s.tokens[max(0, len(s.tokens)-remembered):]
}

// HideSecret adds a client secret that is about to be sent to what errors must not show.
func (s *Session) HideSecret(clientSecret secret.Text) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.ContainsFunc(s.secrets, func(t secret.Text) bool { return t.Reveal() == clientSecret.Reveal() }) {
		s.secrets = append(s.secrets, clientSecret)
		s.secrets = s.secrets[max(0, len(s.secrets)-remembered):]
	}
}

// get returns a token other than the rejected one. Callers that wait for the same renewal share its outcome.
func (s *Session) get(ctx context.Context, grant Grant, rejected string) (Token, *Error) {
	s.mu.Lock()
	token, begun := s.token, s.renewals
	s.mu.Unlock()
	usable := func(t Token) bool { return t.Alive() && t.Access.Reveal() != rejected }
	if usable(token) && time.Now().Before(token.RenewAt) {
		return token, nil
	}
	select {
	case s.renewing <- struct{}{}:
		defer func() { <-s.renewing }()
	case <-ctx.Done():
		return Token{}, canceled(ctx)
	}
	s.mu.Lock()
	token, failure := s.token, s.failure
	waited, early := s.renewals > begun, rejected != "" && token.Alive()
	next := token.Granted.Add(betweenGrants)
	if early { // The server's restart, or another login. It is replaced at once, but not again and again.
		next = s.replaced.Add(betweenGrants)
	}
	closed, retry := s.closed, s.retry
	s.mu.Unlock()
	switch {
	case closed:
		return Token{}, &Error{Class: Network, Message: "the client is closed"}
	case usable(token) && time.Now().Before(token.RenewAt):
		return token, nil
	case waited && failure != nil && failure.Err == nil:
		shared := *failure
		return Token{}, &shared
	case failure != nil && time.Now().Before(retry):
		barred := *failure
		barred.Reach = NotSent
		barred.Message = Cut(joined("next login attempt not before "+retry.UTC().Format(time.RFC3339), failure.Message), maxMessage)
		return Token{}, &barred
	}
	if Sleep(ctx, time.Until(next)) != nil {
		return Token{}, canceled(ctx)
	}
	renewed, failure := grant(ctx, token)
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.renewals++
	s.failure = nil
	if early {
		s.replaced = now
	}
	if failure != nil {
		kept := *failure
		renewed.RenewAt, s.failure, s.retry = now.Add(betweenGrants), &kept, now.Add(failure.RetryLogin)
	}
	if s.token = renewed; failure != nil && !usable(renewed) {
		return Token{}, failure
	}
	return renewed, nil // If it was to be renewed ahead of its end and could not be, it is still good.
}

func canceled(ctx context.Context) *Error {
	return &Error{Class: ClassOf(ctx.Err()), Message: "canceled while waiting for a token", Err: ctx.Err()}
}

// Close ends the session: it waits for the renewal under way, at most until ctx ends, and returns the token that is left.
func (s *Session) Close(ctx context.Context) Token {
	select {
	case s.renewing <- struct{}{}:
		defer func() { <-s.renewing }()
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	left := s.token
	s.token, s.closed = Token{}, true
	return left
}

// Granted is what an answer grants, in the words of both APIs.
type Granted struct {
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
	ExpiresIn    Number `json:"expires_in"`               // Of YCM, in seconds.
	ExpireTime   Number `json:"access_token_expire_time"` // Of a PBX, in seconds.
}

// GrantAnswer is an answer to a request for a token: a bare object by YCM's pages, but everything else comes in its envelope.
type GrantAnswer struct {
	Envelope
	Granted
	Data List[Granted] `json:"data"`
}

// Token returns the granted token, whose life counts from when it was requested.
func (g *GrantAnswer) Token(requested time.Time, life Number, unknown time.Duration) (Token, *Error) {
	const longestToken, longestLife = 8 << 10, 24 * time.Hour // Servers do not accept much longer headers.
	if len(g.Granted.AccessToken) > longestToken || strings.ContainsFunc(g.Granted.AccessToken, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return Token{}, &Error{Class: Invalid, Reach: Answered, Message: "the access_token of the response cannot be sent"}
	}
	lasts := unknown
	if life.Given && life.Value > 0 {
		lasts = time.Duration(min(life.Value, int64(longestLife/time.Second))) * time.Second
	}
	return Token{
		Access: secret.New(g.Granted.AccessToken), Refresh: secret.New(g.Granted.RefreshToken),
		Granted: requested, Expires: requested.Add(lasts), RenewAt: requested.Add(lasts - min(time.Minute, lasts/10)),
	}, nil
}

// Sleep waits for d, or until ctx ends, whose error it then returns.
func Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Earlier returns the earlier of two times.
func Earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// Later returns the later of two times.
func Later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
