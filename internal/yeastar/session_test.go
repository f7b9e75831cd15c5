package yeastar_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/secret"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// server grants tokens t1, t2, ... that live for half an hour.
type server struct {
	takes   time.Duration
	fails   *yeastar.Error
	granted []time.Time
	ended   atomic.Int32 // Grants that ended, in whatever way.
}

func (s *server) grant(ctx context.Context, old yeastar.Token) (yeastar.Token, *yeastar.Error) {
	defer s.ended.Add(1)
	if err := yeastar.Sleep(ctx, s.takes); err != nil {
		return old, &yeastar.Error{Class: yeastar.Network, Err: err}
	}
	s.granted = append(s.granted, time.Now())
	if s.fails != nil {
		return old, s.fails
	}
	var answer yeastar.GrantAnswer
	answer.AccessToken = fmt.Sprintf("t%d", len(s.granted))
	return answer.Token(time.Now(), yeastar.Number{}, 30*time.Minute)
}

// accept accepts these tokens.
func accept(tokens ...string) func(secret.Text) *yeastar.Error {
	return func(access secret.Text) *yeastar.Error {
		if !slices.Contains(tokens, access.Reveal()) {
			return &yeastar.Error{Class: yeastar.Auth, HTTPStatus: 401}
		}
		return nil
	}
}

func TestOneTokenIsSharedAndRenewedAheadOfItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := yeastar.NewSession()
		ycm := server{takes: time.Second}
		var callers sync.WaitGroup
		for range 50 {
			callers.Go(func() {
				if err := s.Do(t.Context(), ycm.grant, accept("t1")); err != nil {
					t.Error(err)
				}
			})
		}
		callers.Wait()
		time.Sleep(29*time.Minute - 2*time.Second)
		s.Do(t.Context(), ycm.grant, accept("t1"))
		if len(ycm.granted) != 1 {
			t.Errorf("%d tokens were granted in 29 minutes, want 1", len(ycm.granted))
		}
		time.Sleep(2 * time.Second)
		if err := s.Do(t.Context(), ycm.grant, accept("t2")); err != nil || len(ycm.granted) != 2 {
			t.Errorf("a minute before the end: %v after %d grants, want a new token", err, len(ycm.granted))
		}
	})
}

func TestRejectedTokenIsReplacedOnceAndTheRequestRepeatedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := yeastar.NewSession()
		var ycm server
		s.Do(t.Context(), ycm.grant, accept("t1"))
		time.Sleep(time.Minute)
		var callers sync.WaitGroup
		for range 8 {
			callers.Go(func() {
				if err := s.Do(t.Context(), ycm.grant, accept("t2")); err != nil {
					t.Error(err)
				}
			})
		}
		callers.Wait()
		if len(ycm.granted) != 2 {
			t.Errorf("%d tokens were granted, want one for all in place of the first", len(ycm.granted))
		}
		var requests int
		began := time.Now()
		for range 20 {
			if err := s.Do(t.Context(), ycm.grant, func(secret.Text) *yeastar.Error { requests++; return accept()(secret.Text{}) }); yeastar.ClassOf(err) != yeastar.Auth {
				t.Errorf("a server that accepts no token: got %v, want an auth error", err)
			}
		}
		if n := len(ycm.granted) - 2; requests != 40 || n > 1+int(time.Since(began)/(10*time.Second)) {
			t.Errorf("20 calls sent %d requests and logged in %d times in %v, want each repeated once and a login every 10 s", requests, n, time.Since(began))
		}
	})
}

func TestTokenIsUsedToItsEndIfItCannotBeRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := yeastar.NewSession()
		var ycm server
		s.Do(t.Context(), ycm.grant, accept("t1"))
		ycm.fails = &yeastar.Error{Class: yeastar.Server}
		time.Sleep(29 * time.Minute)
		for range 12 {
			if err := s.Do(t.Context(), ycm.grant, accept("t1")); err != nil {
				t.Errorf("with a token that is still good: %v", err)
			}
			time.Sleep(5 * time.Second)
		}
		if n := len(ycm.granted); n > 1+6+1 {
			t.Errorf("%d requests for a token in a minute, want one every 10 s", n)
		}
		if err := s.Do(t.Context(), ycm.grant, accept("t1")); yeastar.ClassOf(err) != yeastar.Server {
			t.Errorf("with an expired token: %v, want the error of the login", err)
		}
	})
}

func TestAllThatWaitForALoginShareItsOutcome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := yeastar.NewSession()
		ycm := server{takes: 10 * time.Second, fails: &yeastar.Error{Class: yeastar.Server}}
		var callers sync.WaitGroup
		for range 8 {
			callers.Go(func() {
				if err := s.Do(t.Context(), ycm.grant, accept()); yeastar.ClassOf(err) != yeastar.Server {
					t.Errorf("got %v, want the login's error", err)
				}
			})
		}
		callers.Wait()
		if ycm.ended.Load() != 1 {
			t.Errorf("%d logins, want one for all", ycm.ended.Load())
		}
	})
}

func TestLoginOfACanceledCallerIsLeftToTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := yeastar.NewSession()
		ycm := server{takes: 10 * time.Second}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var other sync.WaitGroup
		other.Go(func() {
			time.Sleep(time.Millisecond)
			if err := s.Do(t.Context(), ycm.grant, accept("t1")); err != nil {
				t.Errorf("the caller that waited: %v, want a success", err)
			}
		})
		if err := s.Do(ctx, ycm.grant, accept("t1")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the caller's time-out", err)
		}
		other.Wait()
		if len(ycm.granted) != 1 {
			t.Errorf("%d tokens were granted, want one", len(ycm.granted))
		}
	})
}

func TestCloseWaitsForTheLoginUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := yeastar.NewSession()
		ycm := server{takes: 5 * time.Second}
		go s.Do(t.Context(), ycm.grant, accept("t1"))
		synctest.Wait()
		if left := s.Close(t.Context()); left.Access.Reveal() != "t1" {
			t.Errorf("the token %q is left, want that of the login", left.Access.Reveal())
		}
		if err := s.Do(t.Context(), ycm.grant, accept("t1")); err == nil || ycm.ended.Load() != 1 {
			t.Errorf("after the end: %v and %d logins, want an error without another", err, ycm.ended.Load())
		}
	})
}

func TestServerThatRefusesEveryLoginIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := yeastar.NewSession()
		ycm := server{fails: &yeastar.Error{Class: yeastar.RateLimited, Code: 60002, Reach: yeastar.Answered, RetryLogin: 5 * time.Minute}}
		for range 60 {
			if err := s.Do(t.Context(), ycm.grant, accept()); yeastar.ClassOf(err) != yeastar.RateLimited {
				t.Errorf("got %v, want the server's refusal", err)
			}
			time.Sleep(10 * time.Second)
		}
		if len(ycm.granted) != 2 {
			t.Errorf("%d logins in 10 minutes, want one every 5", len(ycm.granted))
		}
	})
}

func TestPanicOfALoginDoesNotStopTheNext(t *testing.T) {
	s := yeastar.NewSession()
	defer func() {
		if cause := recover(); cause != "out of order" {
			t.Errorf("recovered %v, want the panic of the login", cause)
		}
		var ycm server
		if err := s.Do(t.Context(), ycm.grant, accept("t1")); err != nil {
			t.Errorf("the next login: %v", err)
		}
	}()
	s.Do(t.Context(), func(context.Context, yeastar.Token) (yeastar.Token, *yeastar.Error) { panic("out of order") }, accept())
}

// Tokens are replaced every half an hour; the client secret is sent for as long as the process runs.
func TestSecretsOfASessionStayHidden(t *testing.T) {
	s := yeastar.NewSession()
	s.HideSecret(secret.New("the client secret"))
	for i := range 100 {
		s.HideSecret(secret.New("the client secret"))
		s.HideTokens(secret.New(fmt.Sprint("access ", i)), secret.New(fmt.Sprint("refresh ", i)))
	}
	for _, want := range []string{"the client secret", "access 99", "refresh 99", "access 98"} {
		if !slices.ContainsFunc(s.Secrets(), func(t secret.Text) bool { return t.Reveal() == want }) {
			t.Errorf("%q is not hidden", want)
		}
	}
	if n := len(s.Secrets()); n > 20 {
		t.Errorf("%d texts are hidden, want a few", n)
	}
}
