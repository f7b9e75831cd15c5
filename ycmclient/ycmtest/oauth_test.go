package ycmtest

import (
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

const regionsPath = "v1/cluster/regions"

// A login gives a bare object with a pair of tokens, and the access token opens the API for as long as expires_in.
func TestAccessTokenExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := dialMemory(t, Options{TokenLife: time.Minute})
		_, answer := r.login("demo-client-secret")
		if answer["expires_in"] != 60.0 || answer["token_type"] != "bearer" || answer["jti"] == "" {
			t.Errorf("the login answers %v, want a bearer token of 60 s", answer)
		}
		if _, ok := answer["status"]; ok {
			t.Error("the login answers in the envelope, want a bare object")
		}
		time.Sleep(time.Minute - time.Nanosecond)
		if code := r.code(regionsPath); code != 0 {
			t.Errorf("just before its end the token answers %d, want success", code)
		}
		time.Sleep(time.Nanosecond)
		if code := r.code(regionsPath); code != 1000035 {
			t.Errorf("at its end the token answers %d, want 1000035", code)
		}
		r.token = "made.up.token"
		if code := r.code(regionsPath); code != 1000036 {
			t.Errorf("a made up token answers %d, want 1000036", code)
		}
		r.token = ""
		if code := r.code(regionsPath); code != 1000036 {
			t.Errorf("no token answers %d, want 1000036", code)
		}
	})
}

// A refresh token is good for one refresh within 15 days.
func TestRefreshRotates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := dialMemory(t, Options{})
		_, first := r.login("demo-client-secret")
		status, second := r.refresh(first["refresh_token"])
		if status != http.StatusOK || second["access_token"] == first["access_token"] || second["refresh_token"] == first["refresh_token"] {
			t.Fatalf("the refresh answers %d: %v, want a new pair", status, second)
		}
		if status, _ := r.refresh(first["refresh_token"]); status != http.StatusUnauthorized {
			t.Errorf("the spent refresh token answers %d, want 401", status)
		}
		if code := r.code(regionsPath); code != 0 {
			t.Errorf("the older access token answers %d, want success", code)
		}
		time.Sleep(15*24*time.Hour + time.Second)
		if status, _ := r.refresh(second["refresh_token"]); status != http.StatusUnauthorized {
			t.Errorf("the refresh token answers %d after 15 days, want 401", status)
		}
	})
}

func TestEndOfTokens(t *testing.T) {
	const secret = "demo-client-secret"
	tests := []struct {
		name      string
		end       func(r *reader)
		access    int // code of the access token afterwards
		refreshes bool
	}{
		{"expired by the test", func(r *reader) { r.ExpireTokens() }, 1000035, true},
		{"revoked by the test", func(r *reader) { r.RevokeTokens() }, 1000036, false},
		{"a regenerated secret", func(r *reader) { r.SetSecret("demo-client-id", "new") }, 0, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := dial(t, Options{})
			_, pair := r.login(secret)
			test.end(r)
			if code := r.code(regionsPath); code != test.access {
				t.Errorf("the access token answers %d, want %d", code, test.access)
			}
			if status, _ := r.refresh(pair["refresh_token"]); (status == http.StatusOK) != test.refreshes {
				t.Errorf("the refresh token answers %d, want success: %t", status, test.refreshes)
			}
		})
	}
}

// A server may answer a second login with the token it has already given, and what is left of its life.
func TestSameToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := dialMemory(t, Options{SameToken: true})
		time.Sleep(10 * time.Minute)
		_, again := r.login("demo-client-secret")
		if again["access_token"] != r.token || again["expires_in"] != 1200.0 {
			t.Errorf("the second login answers %v, want the same token with 1200 s left", again)
		}
	})
}

// A login has to be a form in the body; secrets in the URL are remembered as a violation.
func TestLoginForm(t *testing.T) {
	r := dial(t, Options{})
	const form = "application/x-www-form-urlencoded"
	for _, test := range []struct {
		query, contentType, body string
		violations               int
	}{
		{"", "application/json", `{"grant_type":"client_credentials"}`, 0},
		{"", form, "grant_type=password", 0},
		{"", form, "%zz", 0},
		{"?client_id=a&client_secret=b", form, "", 1},
	} {
		before := len(r.Violations())
		status, answer := r.send(http.MethodPost, "/dm/open_api/oauth/token"+test.query, test.contentType, test.body)
		if status != http.StatusBadRequest || answer["code"] != 1000004.0 || len(r.Violations())-before != test.violations {
			t.Errorf("%+v answers %d: %v with violations %q, want 1000004 and %d", test, status, answer, r.Violations(), test.violations)
		}
	}
	if tokens := r.Tokens(); len(tokens) != 2 || !slices.Contains(tokens, r.token) {
		t.Errorf("there are %d tokens, want the pair of the first login", len(tokens))
	}
}

func TestRefusedLoginShapes(t *testing.T) {
	for _, shape := range Shapes() {
		t.Run(shape.String(), func(t *testing.T) {
			r := dial(t, Options{LoginShape: shape})
			status, answer := r.login("wrong")
			if shape.Always200 != (status == http.StatusOK) {
				t.Errorf("the refused login answers %d", status)
			}
			if _, ok := answer["access_token"]; ok {
				t.Error("the refused login answers with a token")
			}
			if shape.Body == OAuthError && answer["error"] != "invalid_client" {
				t.Errorf("the refused login answers %v, want invalid_client", answer)
			}
		})
	}
}

// More than five refusals in a row lock the address out, right secret or not, until it is unblocked.
func TestLockout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := dialMemory(t, Options{})
		fail := func(times int) {
			t.Helper()
			for range times {
				if status, _ := r.login("wrong"); status != http.StatusUnauthorized {
					t.Fatalf("a wrong secret answers %d, want 401", status)
				}
			}
		}
		works := func(want bool) {
			t.Helper()
			if status, answer := r.login("demo-client-secret"); (status == http.StatusOK) != want {
				t.Fatalf("the right secret answers %d: %v, want success: %t", status, answer, want)
			}
		}
		fail(5)
		works(true) // ends the row
		fail(6)
		works(false)
		if stats := r.Stats(); stats.Lockouts != 1 || stats.LoginsRefused != 12 {
			t.Errorf("there were %d lock-outs and %d refused logins, want 1 and 12", stats.Lockouts, stats.LoginsRefused)
		}
		r.Unblock()
		works(true)
	})
}
