package yeastar_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/secret"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

func credentials(clientID, password string) yeastar.Credentials {
	return yeastar.Credentials{ClientID: clientID, Secret: secret.New(password)}
}

// tryAll has each client try to log in every 10 seconds for that long. Only those whose secret is good succeed. It
// returns when logins were refused, and how many succeeded.
func tryAll(t *testing.T, g *yeastar.Guard, d time.Duration, clients ...yeastar.Credentials) (refused []time.Duration, accepted int) {
	t.Helper()
	for began := time.Now(); time.Since(began) < d; time.Sleep(10 * time.Second) {
		for _, c := range clients {
			if err := g.Begin(t.Context(), c); err != nil {
				if !errors.As(err, new(*yeastar.Barred)) {
					t.Fatalf("got %v, want a Barred", err)
				}
				continue
			}
			if c.Secret.Reveal() == "good" {
				g.Accepted(c)
				accepted++
			} else {
				g.Refused(c)
				refused = append(refused, time.Since(began))
			}
			g.End()
		}
	}
	return refused, accepted
}

const m = time.Minute

func expectTimes(t *testing.T, what string, got []time.Duration, want ...time.Duration) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: refused at %v, want %v", what, got, want)
	}
}

func TestRefusedLoginsEnd(t *testing.T) {
	for most, want := range map[int][]time.Duration{
		yeastar.MostRefusalsYCM: {0, 1 * m, 2 * m, 3 * m, 63 * m},
		yeastar.MostRefusalsPBX: {0, 1 * m, 2 * m, 3 * m},
	} {
		synctest.Test(t, func(t *testing.T) {
			g := yeastar.NewGuard(most, yeastar.LoginState{})
			got, _ := tryAll(t, g, 48*time.Hour, credentials("a", "wrong"))
			expectTimes(t, fmt.Sprintf("at most %d", most), got, want...)
			err := g.Check(credentials("a", "wrong"))
			if err == nil || !strings.Contains(err.Error(), "before the credentials change or the secret file is written anew") {
				t.Errorf("got %v, want an error that tells what to do", err)
			}
		})
	}
}

func TestAllClientsOfABaseURLShareItsRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := yeastar.NewGuard(yeastar.MostRefusalsYCM, yeastar.LoginState{})
		got, _ := tryAll(t, g, 48*time.Hour, credentials("a", "wrong"), credentials("b", "wrong"), credentials("c", "wrong"))
		expectTimes(t, "three clients", got, 0, 1*m, 2*m, 3*m, 63*m)
	})
}

func TestClientThatIsGoodIsNotHeldUpAndFreesNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := yeastar.NewGuard(yeastar.MostRefusalsYCM, yeastar.LoginState{})
		good, bad := credentials("good", "good"), credentials("bad", "wrong")
		refused, accepted := tryAll(t, g, 24*time.Hour, good, bad)
		expectTimes(t, "the bad one beside a good one", refused, 0, 1*m, 2*m, 3*m, 63*m)
		if want := 24 * 60 * 6; accepted != want {
			t.Errorf("the good one got in %d times, want each of %d", accepted, want)
		}
		// The server takes nobody any more: those that were good share what is left to them.
		other := credentials("other", "good")
		if err := g.Check(other); err == nil {
			t.Error("a client that never was good may try although the bad one used up all refusals")
		}
		good.Secret = secret.New("no longer")
		refused, _ = tryAll(t, g, 24*time.Hour, good)
		expectTimes(t, "the good one, whose secret changed", refused, 0, 1*m, 2*m, 3*m, 63*m)
	})
}

func TestChangedCredentialsAreTriedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := yeastar.NewGuard(yeastar.MostRefusalsYCM, yeastar.LoginState{})
		for _, id := range []string{"a", "b"} {
			g.Accepted(credentials(id, "good"))
		}
		tryAll(t, g, 2*time.Hour, credentials("a", "no longer"))
		if g.Check(credentials("b", "good")) == nil {
			t.Error("b, whose secret is the same as ever, may try although a used up all refusals of those that were good")
		}
		if err := g.Check(credentials("b", "rotated")); err != nil {
			t.Errorf("b with a rotated secret: got %v, want none", err)
		}

		g = yeastar.NewGuard(yeastar.MostRefusalsYCM, yeastar.LoginState{})
		tryAll(t, g, 2*time.Hour, credentials("a", "wrong"))
		got, _ := tryAll(t, g, 24*time.Hour, credentials("a", "wrong too"))
		expectTimes(t, "another wrong secret", got, 0)
		if _, accepted := tryAll(t, g, time.Minute, credentials("a", "good")); accepted != 6 {
			t.Errorf("the good secret got in %d times, want 6", accepted)
		}
		got, _ = tryAll(t, g, 24*time.Hour, credentials("a", "wrong"))
		expectTimes(t, "after a success the row begins anew", got, 0, 1*m, 2*m, 3*m, 63*m)
	})
}

func TestRefusedRefreshTokenCountsButDoesNotDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := yeastar.NewGuard(yeastar.MostRefusalsYCM, yeastar.LoginState{})
		g.Accepted(credentials("a", "good"))
		g.RefreshRefused("a")
		got, _ := tryAll(t, g, 24*time.Hour, credentials("a", "no longer"))
		expectTimes(t, "after a refused refresh", got, 0, 1*m, 2*m, 62*m)
	})
}

func TestPostponedLoginIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := yeastar.NewGuard(yeastar.MostRefusalsPBX, yeastar.LoginState{})
		c := credentials("a", "good")
		for range 20 {
			if err := g.Check(c); err != nil {
				t.Fatalf("got %v, want none: what was postponed does not count", err)
			}
			g.Postpone(c, 5*m)
			if g.Check(c) == nil {
				t.Fatal("a postponed login may be tried at once")
			}
			time.Sleep(5 * m)
		}
	})
}

// What a guard has learned goes through JSON into another process, and holds no secret.
func TestStateGoesOnAfterARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := yeastar.NewGuard(yeastar.MostRefusalsYCM, yeastar.LoginState{})
		wrong := credentials("a", "wrong-s3cret")
		var all []time.Duration
		began := time.Now()
		for range 20 {
			if refused, _ := tryAll(t, g, 10*m, wrong); len(refused) > 0 {
				all = append(all, time.Since(began)/time.Hour*time.Hour)
			}
			kept, err := json.Marshal(g.State())
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(kept), "s3cret") {
				t.Fatalf("the state holds the secret: %s", kept)
			}
			var state yeastar.LoginState
			if err := json.Unmarshal(kept, &state); err != nil {
				t.Fatal(err)
			}
			g = yeastar.NewGuard(yeastar.MostRefusalsYCM, state)
		}
		if s := g.State().Clients["a"]; s.Refusals != 5 || len(all) != 2 {
			t.Errorf("with a restart each 10 minutes there were %d refusals in %d of the spans, want 5 in 2", s.Refusals, len(all))
		}
		if err := g.Check(credentials("a", "another")); err != nil {
			t.Errorf("changed credentials are barred after a restart: %v", err)
		}
	})
}

// A clock that is set back between two runs must not put off a login until it has caught up.
func TestClockThatWasSetBackDoesNotBarLogins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := yeastar.NewGuard(yeastar.MostRefusalsYCM, yeastar.LoginState{})
		wrong := credentials("a", "wrong")
		g.Refused(wrong)
		g.Postpone(wrong, time.Minute)
		state := g.State()
		client := state.Clients["a"]
		client.Refused, client.NotBefore = client.Refused.AddDate(1, 0, 0), client.NotBefore.AddDate(1, 0, 0)
		state.Clients["a"] = client
		g = yeastar.NewGuard(yeastar.MostRefusalsYCM, state)
		if err := g.Check(wrong); err == nil {
			t.Error("right after the start a refused login may be tried again, want not for a while")
		}
		time.Sleep(time.Hour)
		if err := g.Check(wrong); err != nil {
			t.Errorf("an hour after the start: %v", err)
		}
	})
}

func TestOneLoginIsUnderWayAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := yeastar.NewGuard(yeastar.MostRefusalsYCM, yeastar.LoginState{})
		if err := g.Begin(t.Context(), credentials("a", "wrong")); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), m)
		defer cancel()
		if err := g.Begin(ctx, credentials("b", "wrong")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a second login: got %v, want it to wait until its context ends", err)
		}
		done := make(chan error)
		go func() { done <- g.Begin(t.Context(), credentials("b", "wrong")) }()
		synctest.Wait()
		g.Refused(credentials("a", "wrong"))
		g.End()
		if err := <-done; !errors.As(err, new(*yeastar.Barred)) {
			t.Errorf("after the first was refused, the second got %v, want it barred", err)
		}
	})
}
