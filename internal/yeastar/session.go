package yeastar

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/crash"
	"github.com/ycm-exporter/ycm_exporter/internal/secret"
)

const (
	// betweenGrants is the least time between two of them: an answer with a token that has all but expired must not become a loop.
	betweenGrants = 10 * time.Second
	// settling is how old a token is when every server behind the URL knows it. One that is rejected before is sent again.
	settling = 2 * time.Second
)

// Session holds the one access token of a Client ID at a server, and renews it ahead of its end, once for all that need it. It is
// safe for concurrent use. The zero value has no token.
type Session struct {
	// Finish has a renewal that nothing waits for any more come to its end, because a token that was granted and lost counts.
	Finish bool

	mu       sync.Mutex
	token    Token
	closed   bool
	renewal  *renewal // Under way.
	replaced time.Time
	failure  *Error // Of the latest renewal, if the server refuses every login until retry.
	retry    time.Time
	sent     []secret.Text // The latest tokens and client secrets, which errors must not show.
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

// renewal is one request for a token, whose outcome all share that wait for it.
type renewal struct {
	done    chan struct{} // Closed when the next two are set.
	token   Token
	err     error
	cancel  context.CancelFunc
	waiting int
}

// Do calls request with the access token. If the server no longer accepts that, it calls request once more with a new one.
func (s *Session) Do(ctx context.Context, grant Grant, request func(access secret.Text) error) error {
	token, err := s.get(ctx, grant, "")
	if err != nil {
		return err
	}
	if err = request(token.Access); !TokenRejected(err) {
		return err
	}
	if token, err = s.get(ctx, grant, token.Access.Reveal()); err != nil {
		return err
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
	return slices.Clone(s.sent)
}

// Hide adds a secret that is about to be sent, or was received, to those that errors must not show.
func (s *Session) Hide(secrets ...secret.Text) {
	s.mu.Lock()
	defer s.mu.Unlock()
	const remembered = 12 // Answers may still repeat tokens that were replaced.
	s.sent = append(s.sent, secrets...)
	s.sent = s.sent[max(0, len(s.sent)-remembered):]
}

// get returns a token other than the rejected one.
func (s *Session) get(ctx context.Context, grant Grant, rejected string) (Token, error) {
	s.mu.Lock()
	now := time.Now()
	switch good := s.token.Access.Reveal() != rejected; {
	case s.closed:
		s.mu.Unlock()
		return Token{}, &Error{Class: Network, Message: "the client is closed"}
	case good && now.Before(s.token.RenewAt) && s.token.Alive():
		defer s.mu.Unlock()
		return s.token, nil
	case s.failure != nil && now.Before(s.retry):
		failure := *s.failure
		failure.Reach = NotAsked
		failure.Message = Cut(joined("not tried again before "+s.retry.UTC().Format(time.RFC3339), failure.Message), maxMessage)
		s.mu.Unlock()
		return Token{}, &failure
	}
	r := s.renewal
	if r == nil {
		own, cancel := context.WithCancel(context.WithoutCancel(ctx))
		r = &renewal{done: make(chan struct{}), cancel: cancel}
		s.renewal = r
		go s.renew(own, r, s.token, grant, rejected)
	}
	r.waiting++
	s.mu.Unlock()
	select {
	case <-r.done:
	case <-ctx.Done():
		s.mu.Lock()
		defer s.mu.Unlock()
		if r.waiting--; r.waiting == 0 && !s.Finish && s.renewal == r {
			r.cancel()
			s.renewal = nil
		}
		return Token{}, &Error{Class: ClassOf(ctx.Err()), Message: "canceled while waiting for a token", Err: ctx.Err()}
	}
	if c := (*crash.Crash)(nil); errors.As(r.err, &c) {
		panic(c)
	}
	if r.err != nil && r.token.Alive() && r.token.Access.Reveal() != rejected {
		return r.token, nil // It was to be renewed ahead of its end, and is still good.
	}
	return r.token, r.err
}

// renew does a renewal and shares its outcome.
func (s *Session) renew(ctx context.Context, r *renewal, old Token, grant Grant, rejected string) {
	defer r.cancel()
	var failure *Error
	r.token = old
	r.err = crash.Catch(func() error {
		if rejected != "" && rejected == old.Access.Reveal() && time.Since(old.Granted) < settling {
			failure = sleep(ctx, settling-time.Since(old.Granted))
		} else if failure = s.space(ctx, old, rejected); failure == nil {
			r.token, failure = grant(ctx, old)
		}
		if failure != nil {
			return failure
		}
		return nil
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	if failure != nil || r.err != nil {
		r.token.RenewAt = time.Now().Add(betweenGrants)
	}
	if s.renewal == r || r.err == nil {
		s.token, s.failure = r.token, nil
	}
	if failure != nil && failure.RetryLogin > 0 {
		s.failure, s.retry = failure, time.Now().Add(failure.RetryLogin)
	}
	if s.renewal == r {
		s.renewal = nil
	}
	close(r.done)
}

// space waits until another token may be requested. One that the server rejects early is replaced at once, but not again and again.
func (s *Session) space(ctx context.Context, old Token, rejected string) *Error {
	s.mu.Lock()
	since := old.Granted
	if rejected != "" && old.Alive() {
		since = s.replaced
		s.replaced = Later(time.Now(), since.Add(betweenGrants))
	}
	s.mu.Unlock()
	return sleep(ctx, time.Until(since.Add(betweenGrants)))
}

func sleep(ctx context.Context, d time.Duration) *Error {
	if err := Sleep(ctx, d); err != nil {
		return &Error{Class: ClassOf(err), Message: "canceled while waiting for a token", Err: err}
	}
	return nil
}

// Close ends the session: it waits for the renewal under way, at most until ctx ends, and returns the token that is left.
func (s *Session) Close(ctx context.Context) Token {
	s.mu.Lock()
	s.closed = true
	r := s.renewal
	s.mu.Unlock()
	if r != nil {
		select {
		case <-r.done:
		case <-ctx.Done():
			r.cancel()
			<-r.done
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	left := s.token
	s.token = Token{}
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
		return Token{}, &Error{Class: Invalid, Reach: Answered, Message: "the answer's access_token cannot be sent"}
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
