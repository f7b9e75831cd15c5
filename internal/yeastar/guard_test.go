package yeastar_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/secret"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

const m = time.Minute

// refusal is a server's refusal of a login.
func refusal() *yeastar.Error {
	return &yeastar.Error{Class: yeastar.Auth, HTTPStatus: 401, Code: 1000002, Message: "AUTHENTICATION_FAILED"}
}

func credentials(account, password string) yeastar.Credentials {
	return yeastar.Credentials{Account: account, ClientID: "id of " + account, Secret: secret.New(password)}
}

// login tries to log in once. Only the secret "good" is accepted. It reports whether the login was tried.
func login(t *testing.T, g *yeastar.Guard, c yeastar.Credentials) (tried bool, failure *yeastar.Error) {
	t.Helper()
	failure = g.Login(t.Context(), c, func() *yeastar.Error {
		tried = true
		if c.Secret.Reveal() == "good" {
			return nil
		}
		return refusal()
	})
	if !tried && !errors.As(failure, new(*yeastar.Barred)) {
		t.Fatalf("got %v, want a Barred", failure)
	}
	return tried, failure
}

// tryAll has each account try to log in every 10 seconds for that long. It returns when logins were refused, and how many succeeded.
func tryAll(t *testing.T, g *yeastar.Guard, d time.Duration, accounts ...yeastar.Credentials) (refused []time.Duration, accepted int) {
	t.Helper()
	for began := time.Now(); time.Since(began) < d; time.Sleep(10 * time.Second) {
		for _, c := range accounts {
			switch tried, failure := login(t, g, c); {
			case tried && failure != nil:
				refused = append(refused, time.Since(began))
			case tried:
				accepted++
			}
		}
	}
	return refused, accepted
}

func expectTimes(t *testing.T, what string, got []time.Duration, want ...time.Duration) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: refused at %v, want %v", what, got, want)
	}
}

func TestRefusedLoginsEnd(t *testing.T) {
	t.Parallel()
	for most, want := range map[int][]time.Duration{
		yeastar.MostRefusalsYCM: {0, 1 * m, 2 * m, 3 * m, 63 * m},
		yeastar.MostRefusalsPBX: {0, 1 * m, 2 * m, 3 * m},
	} {
		synctest.Test(t, func(t *testing.T) {
			g := yeastar.NewGuard(most, yeastar.LoginState{}, nil)
			got, _ := tryAll(t, g, 72*time.Hour, credentials("a", "wrong"))
			expectTimes(t, "the same credentials for three days", got, want...)
			failure := g.Check(credentials("a", "wrong"))
			if failure == nil || !strings.Contains(failure.Message, "before the credentials change or the secret file is written again") ||
				!strings.Contains(failure.Message, "AUTHENTICATION_FAILED") || failure.Class != yeastar.Auth || failure.Code != 1000002 {
				t.Errorf("got %v, want the refusal, and what to do", failure)
			}
		})
	}
}

func TestAccountsOfOneServerShareItsRefusals(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := yeastar.NewGuard(yeastar.MostRefusalsYCM, yeastar.LoginState{}, nil)
		got, _ := tryAll(t, g, 24*time.Hour, credentials("a", "wrong"), credentials("b", "wrong"), credentials("c", "wrong"))
		expectTimes(t, "three accounts", got, 0, 0, 0, 1*m, 61*m)
	})
}

func TestCredentialsThatWereNotRefusedYetAreTriedAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := yeastar.NewGuard(yeastar.MostRefusalsYCM, yeastar.LoginState{}, nil)
		tryAll(t, g, 2*m+time.Second, credentials("a", "wrong"))
		for _, corrected := range []yeastar.Credentials{
			credentials("a", "another"), credentials("b", "good"),
			{Account: "a", ClientID: "corrected", Secret: secret.New("wrong")},
		} {
			if failure := g.Check(corrected); failure != nil {
				t.Errorf("after 3 refusals, %s: %v, want none", corrected.ClientID, failure)
			}
		}
		if tried, _ := login(t, g, credentials("a", "another")); !tried {
			t.Error("a corrected secret was not tried at once")
		}
		got, accepted := tryAll(t, g, 2*time.Hour, credentials("b", "good"))
		if len(got) > 0 || accepted != 6*60 {
			t.Errorf("beyond 4 refusals, the good credentials got in %d times in two hours, want every 10 s of the second", accepted)
		}
	})
}

func TestErrorNamesTheAccountWhoseRefusalsDelayTheLogin(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := yeastar.NewGuard(yeastar.MostRefusalsYCM, yeastar.LoginState{}, nil)
		tryAll(t, g, 4*m, credentials("a", "wrong"))
		failure := g.Check(credentials("b", "good"))
		if failure == nil || !strings.Contains(failure.Message, "of account a") || strings.Contains(failure.Message, "AUTHENTICATION_FAILED") {
			t.Errorf("got %v, want an error that names account a and blames no credentials of b", failure)
		}
	})
}

func TestSuccessResetsTheCountButNotForRefusedCredentials(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := yeastar.NewGuard(yeastar.MostRefusalsYCM, yeastar.LoginState{}, nil)
		refused, accepted := tryAll(t, g, 24*time.Hour, credentials("a", "good"), credentials("b", "wrong"))
		expectTimes(t, "wrong credentials beside good ones", refused, 0, 1*m, 2*m, 3*m, 63*m)
		if want := 24 * 60 * 6; accepted != want {
			t.Errorf("the good one got in %d times, want each of %d", accepted, want)
		}
		login(t, g, credentials("b", "good"))
		refused, _ = tryAll(t, g, 24*time.Hour, credentials("b", "wrong"))
		expectTimes(t, "after a success of its own", refused, 0, 1*m, 2*m, 3*m, 63*m)
	})
}

func TestRefusalsOfOthersCountForADayAndWhileTheirAccountsExist(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var state yeastar.LoginState
		g := yeastar.NewGuard(yeastar.MostRefusalsYCM, state, func(s yeastar.LoginState) { state = s })
		tryAll(t, g, 2*time.Hour, credentials("a", "wrong"))
		time.Sleep(time.Hour)
		fresh := credentials("b", "wrong")
		if tried, _ := login(t, g, fresh); !tried {
			t.Error("an hour after the 5th refusal, other credentials were not tried")
		}
		if g.Check(credentials("c", "good")) == nil {
			t.Error("right after 6 refusals other credentials may be tried")
		}
		other := yeastar.NewGuard(yeastar.MostRefusalsYCM, state, nil)
		other.Retain(func(clientID string) bool { return clientID != "id of a" })
		if failure := other.Check(credentials("c", "good")); failure != nil {
			t.Errorf("when account a is gone: %v, want none", failure)
		}
		time.Sleep(24 * time.Hour)
		if failure := g.Check(fresh); failure != nil {
			t.Errorf("a day later, credentials that were refused once: %v, want none", failure)
		}
		if g.Check(credentials("a", "wrong")) == nil {
			t.Error("a day later, credentials that used up their tries may be tried again")
		}
	})
}

// The caller completes its error while others are refused with it.
func TestRefusalIsRememberedAsItWas(t *testing.T) {
	t.Parallel()
	g := yeastar.NewGuard(yeastar.MostRefusalsYCM, yeastar.LoginState{}, nil)
	c := credentials("a", "wrong")
	_, failure := login(t, g, c)
	failure.Message = "of the caller"
	if again := g.Check(c); again == nil || !strings.Contains(again.Message, "AUTHENTICATION_FAILED") {
		t.Errorf("got %v, want the server's refusal", again)
	}
}

func TestGatewayThatRefusesIsTriedEveryHour(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := yeastar.NewGuard(yeastar.MostRefusalsYCM, yeastar.LoginState{}, nil)
		c := credentials("a", "good")
		var got []time.Duration
		var message string
		for began := time.Now(); time.Since(began) < 5*time.Hour; time.Sleep(10 * time.Second) {
			g.Login(t.Context(), c, func() *yeastar.Error {
				got = append(got, time.Since(began))
				failure := new(yeastar.Envelope).Failure(403)
				defer func() { message = failure.Message }()
				return failure
			})
		}
		expectTimes(t, "a gateway's page", got, 0, 1*m, 2*m, 3*m, 63*m, 123*m, 183*m, 243*m)
		if failure := g.Check(c); failure == nil || !strings.Contains(failure.Message, "a gateway responded") {
			t.Errorf("got %v after %q, want it to say that a gateway answered", failure, message)
		}
	})
}

func TestRefusedRefreshTokenCountsButDoesNotDelay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := yeastar.NewGuard(yeastar.MostRefusalsYCM, yeastar.LoginState{}, nil)
		g.Login(t.Context(), credentials("a", ""), refusal)
		got, _ := tryAll(t, g, 23*time.Hour, credentials("a", "no longer"))
		expectTimes(t, "after a refused refresh", got, 0, 1*m, 2*m, 62*m)
	})
}

// Whether it ends the server's count is not documented, and it says nothing about the client secret.
func TestAcceptedRefreshTokenResetsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := yeastar.NewGuard(yeastar.MostRefusalsYCM, yeastar.LoginState{}, nil)
		tryAll(t, g, 2*m+time.Second, credentials("a", "wrong"))
		g.Login(t.Context(), credentials("b", ""), func() *yeastar.Error { return nil })
		got, _ := tryAll(t, g, 2*time.Hour, credentials("c", "wrong"), credentials("d", "wrong"))
		expectTimes(t, "after 3 refusals", got, 0, 60*m)
	})
}

func TestProblemsOfTheServerAreNotRefusals(t *testing.T) {
	t.Parallel()
	for _, failure := range []yeastar.Error{
		{Class: yeastar.Network},
		{Class: yeastar.Timeout},
		{Class: yeastar.RateLimited, HTTPStatus: 429},
		{Class: yeastar.Server, HTTPStatus: 502},
		{Class: yeastar.NotFound, HTTPStatus: 404},
		{Class: yeastar.Invalid, HTTPStatus: 200},
		{Class: yeastar.Auth, HTTPStatus: 200, Code: 70004, RetryLogin: time.Hour},
	} {
		g := yeastar.NewGuard(yeastar.MostRefusalsPBX, yeastar.LoginState{}, nil)
		for range 20 {
			if got := g.Login(t.Context(), credentials("a", "x"), func() *yeastar.Error { return &failure }); got != &failure {
				t.Errorf("got %v in place of a login that fails with %v", got, &failure)
			}
		}
	}
}

// The state goes through JSON into another process, and holds no secret.
func TestRefusedLoginsPersistAcrossRestarts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var kept []byte
		restart := func() *yeastar.Guard {
			var state yeastar.LoginState
			if kept != nil && json.Unmarshal(kept, &state) != nil {
				t.Fatalf("the state cannot be read: %s", kept)
			}
			return yeastar.NewGuard(yeastar.MostRefusalsYCM, state, func(s yeastar.LoginState) { kept, _ = json.Marshal(s) })
		}
		var all []time.Duration
		began := time.Now()
		for range 20 {
			before := time.Since(began)
			refused, _ := tryAll(t, restart(), 10*m, credentials("a", "wrong-s3cret"))
			for _, at := range refused {
				all = append(all, before+at)
			}
		}
		expectTimes(t, "with a restart every 10 minutes", all, 0, 1*m, 2*m, 3*m, 63*m)
		if strings.Contains(string(kept), "s3cret") {
			t.Errorf("the state holds the secret: %s", kept)
		}
		time.Sleep(time.Hour)
		if failure := restart().Check(credentials("a", "another")); failure != nil {
			t.Errorf("changed credentials are barred after a restart: %v", failure)
		}
	})
}

// A clock that is set back between two runs must not delay a login until it has caught up.
func TestClockThatWasSetBackDoesNotBarLogins(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var state yeastar.LoginState
		g := yeastar.NewGuard(yeastar.MostRefusalsYCM, state, func(s yeastar.LoginState) { state = s })
		wrong := credentials("a", "wrong")
		login(t, g, wrong)
		state.Refusals[0].At = state.Refusals[0].At.AddDate(1, 0, 0)
		g = yeastar.NewGuard(yeastar.MostRefusalsYCM, state, nil)
		if g.Check(wrong) == nil {
			t.Error("right after the start a refused login may be tried again, want not for a while")
		}
		time.Sleep(time.Minute)
		if failure := g.Check(wrong); failure != nil {
			t.Errorf("a minute after the start: %v", failure)
		}
	})
}

func TestLoginsAtOneServerAreSerialized(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := yeastar.NewGuard(yeastar.MostRefusalsPBX, yeastar.LoginState{}, nil)
		var under, most, tried int
		for _, account := range []string{"a", "b", "c", "d", "e", "f"} {
			go g.Login(t.Context(), credentials(account, "wrong"), func() *yeastar.Error {
				under++
				most, tried = max(most, under), tried+1
				time.Sleep(m)
				under--
				return refusal()
			})
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if failure := g.Login(ctx, credentials("a", "good"), refusal); !errors.Is(failure, context.DeadlineExceeded) {
			t.Errorf("while another login is under way: got %v, want it to wait until its context ends", failure)
		}
		time.Sleep(time.Hour - 10*m)
		synctest.Wait()
		if most != 1 || tried != 4 {
			t.Errorf("%d logins were under way at once and %d tried, want 1 and 4", most, tried)
		}
	})
}
