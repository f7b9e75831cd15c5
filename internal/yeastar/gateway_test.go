package yeastar_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// loginAtGateway has a gateway refuse a login with good credentials. It reports whether the login was tried.
func loginAtGateway(t *testing.T, g *yeastar.Guard, account string) (tried bool) {
	t.Helper()
	g.Login(t.Context(), credentials(account, "good"), func() *yeastar.Error {
		tried = true
		return new(yeastar.Envelope).Failure(403)
	})
	return tried
}

func TestGatewayThatRefusesAnotherAccountDoesNotReopenLogins(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := yeastar.NewGuard(yeastar.MostRefusalsYCM, yeastar.LoginState{}, nil)
		wrong := credentials("a", "wrong")
		if refused, _ := tryAll(t, g, 3*time.Hour, wrong); len(refused) != yeastar.MostRefusalsYCM {
			t.Fatalf("refused at %v, want 5 times", refused)
		}
		if !loginAtGateway(t, g, "b") {
			t.Fatal("another account was not tried")
		}
		refused, _ := tryAll(t, g, 3*time.Hour, wrong)
		expectTimes(t, "credentials that used up their tries", refused)
	})
}

func TestRefusalOfAnotherAccountDoesNotBarOneThatOnlyAGatewayRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := yeastar.NewGuard(yeastar.MostRefusalsYCM, yeastar.LoginState{}, nil)
		for range 6 {
			if !loginAtGateway(t, g, "b") {
				t.Fatal("a gateway's refusal ended the logins")
			}
			time.Sleep(time.Hour)
		}
		if tried, _ := login(t, g, credentials("a", "wrong")); !tried {
			t.Fatal("another account was not tried")
		}
		if failure := g.Check(credentials("b", "good")); failure == nil {
			t.Error("right after the refusal: b may be tried, want not for an hour")
		}
		time.Sleep(time.Hour)
		if failure := g.Check(credentials("b", "good")); failure != nil {
			t.Errorf("an hour later: %v, want none", failure)
		}
	})
}

func TestErrorDoesNotBlameCredentialsThatWereNotSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := yeastar.NewGuard(yeastar.MostRefusalsYCM, yeastar.LoginState{}, nil)
		tryAll(t, g, 4*m, credentials("a", "wrong"))
		failure := g.Check(credentials("b", "good"))
		if failure == nil || !strings.HasSuffix(failure.Error(), "; correct the credentials of account a") {
			t.Errorf("got %v, want the advice to correct those of account a", failure)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		g := yeastar.NewGuard(yeastar.MostRefusalsYCM, yeastar.LoginState{}, nil)
		for range 4 {
			loginAtGateway(t, g, "a")
			time.Sleep(m)
		}
		failure := g.Check(credentials("b", "good"))
		if failure == nil || !strings.Contains(failure.Error(), "; check which server responds at this address") {
			t.Errorf("got %v, want the advice to look at the gateway", failure)
		}
	})
}
