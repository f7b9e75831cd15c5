package ycmclient_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ycm-exporter/ycm_exporter/internal/secret"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// bubble runs a test against a simulated YCM in fake time, over connections in memory.
func bubble(t *testing.T, o ycmtest.Options, edit func(*ycmclient.Options), test func(t *testing.T, ycm *ycmtest.Server, client *ycmclient.Client, w *watch)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ycm := ycmtest.New(o)
		defer ycm.Close()
		w := newWatch()
		client := newClient(t, ycm.Transport(), func(o *ycmclient.Options) {
			o.Observer = w
			if edit != nil {
				edit(o)
			}
		})
		test(t, ycm, client, w)
		if bad := ycm.Violations(); len(bad) > 0 {
			t.Errorf("the client did what it must not do: %v", bad)
		}
	})
}

// query sends a request and fails the test if that fails.
func query(t *testing.T, client *ycmclient.Client) {
	t.Helper()
	if _, err := client.Regions(t.Context()); err != nil {
		t.Errorf("the request fails: %v", err)
	}
}

func TestOneTokenIsSharedAndRenewedAheadOfItsEnd(t *testing.T) {
	bubble(t, ycmtest.Options{}, nil, func(t *testing.T, _ *ycmtest.Server, client *ycmclient.Client, w *watch) {
		if !client.TokenExpiry().IsZero() {
			t.Errorf("before any request the token ends at %v, want none", client.TokenExpiry())
		}
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() { query(t, client) })
		}
		wg.Wait()
		start := time.Now()
		if diff := cmp.Diff([]string{"client_credentials ok"}, w.logins); diff != "" {
			t.Errorf("logins of 20 requests at once (-want +got):\n%s", diff)
		}
		if want := start.Add(30 * time.Minute); !client.TokenExpiry().Equal(want) || !w.expires.Equal(want) {
			t.Errorf("the token ends at %v and %v for the observer, want %v", client.TokenExpiry(), w.expires, want)
		}
		time.Sleep(28*time.Minute + 59*time.Second)
		query(t, client)
		if len(w.logins) != 1 {
			t.Errorf("a minute and a second before its end the token was renewed: %v", w.logins)
		}
		for range 60 { // Half an hour and more, so that it is renewed twice.
			time.Sleep(time.Minute)
			query(t, client)
		}
		want := []string{"client_credentials ok", "refresh_token ok", "refresh_token ok", "refresh_token ok"}
		if diff := cmp.Diff(want, w.logins); diff != "" {
			t.Errorf("logins (-want +got):\n%s", diff)
		}
		if n := w.requests["regions ok"]; n != 81 || len(w.requests) != 2 {
			t.Errorf("requests %v, want 81 for regions, all of them ok, and those for tokens", w.requests)
		}
	})
}

func TestTokenThatYCMRefusesIsReplacedOnce(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(*ycmtest.Server)
		want []string
	}{
		{"expired early", (*ycmtest.Server).ExpireTokens, []string{"client_credentials ok", "refresh_token ok"}},
		{"revoked", (*ycmtest.Server).RevokeTokens, []string{"client_credentials ok", "refresh_token auth", "client_credentials ok"}},
	} {
		for _, shape := range ycmtest.Shapes() {
			t.Run(c.name+", as "+shape.String(), func(t *testing.T) {
				o := ycmtest.Options{Shape: shape, LoginShape: shape}
				bubble(t, o, nil, func(t *testing.T, ycm *ycmtest.Server, client *ycmclient.Client, w *watch) {
					query(t, client)
					time.Sleep(time.Minute)
					c.end(ycm)
					var wg sync.WaitGroup
					for range 8 {
						wg.Go(func() { query(t, client) })
					}
					wg.Wait()
					if diff := cmp.Diff(c.want, w.logins); diff != "" {
						t.Errorf("logins (-want +got):\n%s", diff)
					}
					if ends := time.Until(w.expires); ends < 30*time.Minute-time.Second {
						t.Errorf("the new token was not requested at once: it ends in %v", ends)
					}
				})
			})
		}
	}
}

func TestTokenThatIsNeverGoodEndsInAnErrorAndNotInALoop(t *testing.T) {
	bubble(t, ycmtest.Options{}, nil, func(t *testing.T, ycm *ycmtest.Server, client *ycmclient.Client, w *watch) {
		ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.Regions, Effect: ycmtest.Failure(1000036, ycmtest.Shape{Always200: true})})
		start := time.Now()
		for range 6 {
			if _, err := client.Regions(t.Context()); yeastar.ClassOf(err) != yeastar.Auth {
				t.Errorf("got %v, want an auth error", err)
			}
		}
		if n := ycm.Count(ycmtest.Regions); n != 12 {
			t.Errorf("6 queries made %d requests, want each sent and repeated once", n)
		}
		if most := 2 + int(time.Since(start)/(10*time.Second)); len(w.logins) > most {
			t.Errorf("%d tokens were requested in %v, want one at first, one early and then one every ten seconds", len(w.logins), time.Since(start))
		}
	})
}

func TestTokenWhoseLifeMakesNoSense(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, expiresIn string
		odd             bool
		logins          int // In 30 minutes with a question each two seconds.
	}{
		{"0 seconds", "0", true, 30 * 60 / 54},
		{"negative", "-5", true, 30 * 60 / 54},
		{"missing", "", true, 30 * 60 / 54},
		{"rubbish", `"soon"`, true, 30 * 60 / 54},
		{"one second", "1", false, 30 * 60 / 10},
		{"quoted", `"1800"`, false, 2},
		{"longer than a Duration can be", "9223372036854775807", false, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, ycmtest.Options{}, nil, func(t *testing.T, ycm *ycmtest.Server, client *ycmclient.Client, w *watch) {
				ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.Token, Effect: ycmtest.Set("expires_in", c.expiresIn)})
				for start := time.Now(); time.Since(start) < 30*time.Minute; time.Sleep(2 * time.Second) {
					query(t, client)
				}
				if n := len(w.logins); n > c.logins+1 || n < c.logins-5 {
					t.Errorf("%d logins in half an hour, want %d", n, c.logins)
				}
				if got := w.unexpected["expires_in"] > 0; got != c.odd {
					t.Errorf("expires_in was reported as unexpected: %v, want %v", got, c.odd)
				}
			})
		})
	}
}

// YCM blocks an address after more than five refused logins in a row.
func TestRefusedCredentialsAreNotTriedIntoALockout(t *testing.T) {
	t.Parallel()
	for _, shape := range append(ycmtest.Shapes(), ycmtest.Shape{Body: ycmtest.OAuthError, Always200: true}) {
		t.Run(shape.String(), func(t *testing.T) {
			bubble(t, ycmtest.Options{ClientSecret: "another", LoginShape: shape}, nil, func(t *testing.T, ycm *ycmtest.Server, client *ycmclient.Client, _ *watch) {
				start := time.Now()
				var tries []time.Duration
				for time.Since(start) < 3*time.Hour {
					before := ycm.Count(ycmtest.Token)
					_, err := client.Regions(t.Context())
					if yeastar.ClassOf(err) != yeastar.Auth {
						t.Fatalf("got %v, want an auth error", err)
					}
					if ycm.Count(ycmtest.Token) > before {
						tries = append(tries, time.Since(start))
					} else if !strings.Contains(err.Error(), "next login attempt not before") {
						t.Fatalf("an error without a login does not say when the next one is: %v", err)
					}
					time.Sleep(10 * time.Second)
				}
				want := []time.Duration{0, time.Minute, 2 * time.Minute, 3 * time.Minute, 63 * time.Minute}
				if diff := cmp.Diff(want, tries); diff != "" {
					t.Errorf("logins (-want +got):\n%s", diff)
				}
				if n := ycm.Count(ycmtest.Regions); n > 0 {
					t.Errorf("%d requests were sent without a token", n)
				}
			})
		})
	}
}

// A refused refresh token may count as a refused login, so it takes the place of one.
func TestRefusedRefreshCountsAsLogin(t *testing.T) {
	bubble(t, ycmtest.Options{}, nil, func(t *testing.T, ycm *ycmtest.Server, client *ycmclient.Client, _ *watch) {
		query(t, client)
		ycm.SetSecret("demo-client-id", "another") // Its refresh tokens end with that.
		time.Sleep(31 * time.Minute)
		for start := time.Now(); time.Since(start) < 5*time.Hour; time.Sleep(10 * time.Second) {
			_, _ = client.Regions(t.Context())
		}
		if n := ycm.Count(ycmtest.Token); n != 1+5 {
			t.Errorf("%d requests for a token, want a good one and 5 refused ones, the refresh among them", n)
		}
	})
}

// A refused refresh token may count as a refused login: one that is not needed must not be sent beside another account's refusals.
func TestYCMThatRefusesRefreshTokensDoesNotBlockTheAddress(t *testing.T) {
	bubble(t, ycmtest.Options{}, nil, func(t *testing.T, ycm *ycmtest.Server, _ *ycmclient.Client, _ *watch) {
		servers := ycmclient.NewServers(nil)
		accounts := map[string]string{"wrong": "another", "good": "right", "good too": "right"}
		for id := range accounts {
			ycm.SetSecret(id, "right")
		}
		ycm.OnRequest(func(*http.Request) {
			for id := range accounts {
				ycm.SetSecret(id, "right") // Their refresh tokens end with that.
			}
		})
		var wg sync.WaitGroup
		good := 0
		for id, password := range accounts {
			client := newClient(t, ycm.Transport(), func(o *ycmclient.Options) {
				o.Account, o.ClientID, o.Secret, o.Servers = id, id, secret.Static(secret.New(password)), servers
			})
			wg.Go(func() {
				for start := time.Now(); time.Since(start) < 24*time.Hour; time.Sleep(10 * time.Second) {
					if _, err := client.Regions(t.Context()); err == nil && id == "good" {
						good++
					}
				}
			})
		}
		wg.Wait()
		if s := ycm.Stats(); s.Lockouts > 0 {
			t.Errorf("YCM refused %d logins and blocked the address", s.LoginsRefused)
		}
		if half := 24 * 60 * 6 / 2; good < half {
			t.Errorf("a good account was served %d times in a day, want most of %d", good, 2*half)
		}
	})
}

// A wrong secret of one account delays another one neither at the start nor when its token is renewed.
func TestWrongSecretOfOneAccountDoesNotDelayAnother(t *testing.T) {
	bubble(t, ycmtest.Options{}, nil, func(t *testing.T, ycm *ycmtest.Server, _ *ycmclient.Client, _ *watch) {
		servers := ycmclient.NewServers(nil)
		account := func(name, id, password string) *ycmclient.Client {
			return newClient(t, ycm.Transport(), func(o *ycmclient.Options) {
				o.Account, o.ClientID, o.Secret, o.Servers = name, id, secret.Static(secret.New(password)), servers
			})
		}
		wrong := account("wrong", "other-client-id", "typo")
		for range 3 {
			if _, err := wrong.Regions(t.Context()); yeastar.ClassOf(err) != yeastar.Auth {
				t.Errorf("the wrong account: got %v, want an auth error", err)
			}
			time.Sleep(time.Minute)
		}
		start := time.Now()
		good := account("good", "demo-client-id", "demo-client-secret")
		query(t, good)
		if took := time.Since(start); took > time.Second {
			t.Errorf("the good account waited for %v", took)
		}
		for range 12 * 60 { // Through many renewals, as both go on.
			_, _ = wrong.Regions(t.Context())
			query(t, good)
			time.Sleep(time.Minute)
		}
		if s := ycm.Stats(); s.LoginsRefused != yeastar.MostRefusalsYCM {
			t.Errorf("%d logins were refused, want the %d of the wrong account", s.LoginsRefused, yeastar.MostRefusalsYCM)
		}
		third := account("third", "third-client-id", "typo")
		for range 4 {
			_, _ = third.Regions(t.Context())
			time.Sleep(time.Minute)
		}
		_, err := account("good too", "new-client-id", "right").Regions(t.Context())
		if err == nil || !strings.Contains(err.Error(), "of account third") || strings.Contains(err.Error(), "INVALID_CLIENT") {
			t.Errorf("beyond 4 refusals: got %v, want an error that names account third and no refusal of its own", err)
		}
	})
}

// A gateway in front of YCM that refuses every login, as after a wrong change of a firewall, is tried until it recovers.
func TestGatewayThatRefusesLoginsIsTriedUntilItRecovers(t *testing.T) {
	for name, page := range map[string]ycmtest.Effect{
		"an HTML page":    ycmtest.HTML(http.StatusForbidden),
		"JSON of its own": ycmtest.Answer(http.StatusUnauthorized, "application/json", `{"message":"Forbidden"}`),
		"Spring's":        ycmtest.Answer(http.StatusForbidden, "application/json", `{"timestamp":1,"status":403,"error":"Forbidden","path":"/dm"}`),
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, ycmtest.Options{}, nil, func(t *testing.T, ycm *ycmtest.Server, client *ycmclient.Client, _ *watch) {
				gateway := ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.Token, Effect: page})
				for start := time.Now(); time.Since(start) < 48*time.Hour; time.Sleep(time.Minute) {
					_, err := client.Regions(t.Context())
					if yeastar.ClassOf(err) != yeastar.Auth || !strings.Contains(err.Error(), "a gateway responded") || strings.Contains(err.Error(), "check client_id") {
						t.Fatalf("got %v, want an auth error that blames a gateway", err)
					}
				}
				if n := gateway.Hits(); n != 4+47 {
					t.Errorf("%d logins in two days, want 4 and then one an hour", n)
				}
				gateway.Remove()
				time.Sleep(time.Hour)
				query(t, client)
			})
		})
	}
}

func TestRotatedSecretIsTriedAtOnce(t *testing.T) {
	present := "old"
	source := func() (secret.Text, error) { return secret.New(present), nil }
	bubble(t, ycmtest.Options{ClientSecret: "new"}, func(o *ycmclient.Options) { o.Secret = source },
		func(t *testing.T, _ *ycmtest.Server, client *ycmclient.Client, w *watch) {
			for range 5 {
				if _, err := client.Regions(t.Context()); yeastar.ClassOf(err) != yeastar.Auth {
					t.Errorf("with the old secret: %v, want an auth error", err)
				}
			}
			present = "new"
			query(t, client)
			if diff := cmp.Diff([]string{"client_credentials auth", "client_credentials ok"}, w.logins); diff != "" {
				t.Errorf("logins (-want +got):\n%s", diff)
			}
		})
}

// An operator fixed YCM and not the secret: writing the file again makes the exporter try again.
func TestSecretFileThatIsTouchedIsTriedAtOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ycm")
	if err := os.WriteFile(file, []byte("right"), 0o600); err != nil {
		t.Fatal(err)
	}
	bubble(t, ycmtest.Options{ClientSecret: "not yet right"}, func(o *ycmclient.Options) { o.Secret = secret.File(file) },
		func(t *testing.T, ycm *ycmtest.Server, client *ycmclient.Client, w *watch) {
			for range 600 {
				_, _ = client.Regions(t.Context())
				time.Sleep(time.Minute)
			}
			ycm.SetSecret("demo-client-id", "right")
			if _, err := client.Regions(t.Context()); yeastar.ClassOf(err) != yeastar.Auth || len(w.logins) != 5 {
				t.Errorf("before the file is touched: %v after %d logins, want an auth error after 5", err, len(w.logins))
			}
			if err := os.Chtimes(file, time.Now(), time.Now()); err != nil {
				t.Fatal(err)
			}
			query(t, client)
		})
}

// YCM counts by address: what is refused to one account endangers all.
func TestAccountsOfOneYCMShareTheirRefusals(t *testing.T) {
	bubble(t, ycmtest.Options{}, nil, func(t *testing.T, ycm *ycmtest.Server, _ *ycmclient.Client, _ *watch) {
		servers := ycmclient.NewServers(nil)
		ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.Token, Times: 1, Effect: ycmtest.Slow(20 * time.Second)})
		var wg sync.WaitGroup
		for _, id := range []string{"a", "b", "c"} {
			client := newClient(t, ycm.Transport(), func(o *ycmclient.Options) { o.ClientID, o.Servers = id, servers })
			wg.Go(func() {
				for start := time.Now(); time.Since(start) < 5*time.Hour; time.Sleep(10 * time.Second) {
					if _, err := client.Regions(t.Context()); yeastar.ClassOf(err) != yeastar.Auth {
						t.Errorf("account %s: got %v, want an auth error", id, err)
					}
				}
			})
		}
		time.Sleep(30 * time.Second)
		if n := ycm.Count(ycmtest.Token); n != 3 {
			t.Errorf("half a minute later, %d logins were sent, want one of each account", n)
		}
		wg.Wait()
		if s := ycm.Stats(); s.LoginsRefused != 5 || s.Lockouts != 0 {
			t.Errorf("three accounts brought %d refused logins and %d lock-outs, want 5 and 0", s.LoginsRefused, s.Lockouts)
		}
	})
}

func TestSecretThatCannotBeRead(t *testing.T) {
	missing := errors.New("open /run/secrets/ycm: no such file or directory")
	source := func() (secret.Text, error) { return secret.Text{}, missing }
	bubble(t, ycmtest.Options{}, func(o *ycmclient.Options) { o.Secret = source },
		func(t *testing.T, ycm *ycmtest.Server, client *ycmclient.Client, _ *watch) {
			_, err := client.Regions(t.Context())
			if !errors.Is(err, missing) || yeastar.ClassOf(err) != yeastar.Auth || !strings.Contains(err.Error(), "/run/secrets/ycm") {
				t.Errorf("got %v, want an auth error that names the file", err)
			}
			if n := ycm.Stats().Requests; n > 0 {
				t.Errorf("%d requests were sent without a secret", n)
			}
		})
}

func TestRefusedRefreshIsFollowedByCredentials(t *testing.T) {
	bubble(t, ycmtest.Options{}, nil, func(t *testing.T, ycm *ycmtest.Server, client *ycmclient.Client, w *watch) {
		query(t, client)
		ycm.SetSecret("demo-client-id", "demo-client-secret") // Its refresh tokens end with that.
		time.Sleep(29*time.Minute + 30*time.Second)
		query(t, client)
		want := []string{"client_credentials ok", "refresh_token auth", "client_credentials ok"}
		if diff := cmp.Diff(want, w.logins); diff != "" {
			t.Errorf("logins (-want +got):\n%s", diff)
		}
	})
}

// A login that fails while the token is still good fails no request.
func TestTokenIsUsedToItsEndIfItCannotBeRenewed(t *testing.T) {
	bubble(t, ycmtest.Options{}, nil, func(t *testing.T, ycm *ycmtest.Server, client *ycmclient.Client, _ *watch) {
		query(t, client)
		broken := ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.Token, Effect: ycmtest.HTML(http.StatusBadGateway)})
		time.Sleep(29*time.Minute + 5*time.Second)
		for range 4 {
			query(t, client)
			time.Sleep(5 * time.Second)
		}
		if n := broken.Hits(); n > 4*3 {
			t.Errorf("%d requests for a token in 20 seconds", n)
		}
		time.Sleep(time.Minute)
		if _, err := client.Regions(t.Context()); yeastar.ClassOf(err) != yeastar.Server {
			t.Errorf("with an expired token: %v, want the server error of the login", err)
		}
		broken.Remove()
		query(t, client)
	})
}

func TestTokenThatCannotBeSentIsInvalid(t *testing.T) {
	for name, token := range map[string]string{
		"none": "", "a number": "42", "an empty one": `""`, "null": "null", "a header of its own": `"x\r\nX-Evil: 1"`,
		"a giant": `"` + strings.Repeat("x", 9000) + `"`, "not ASCII": `"päss"`,
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, ycmtest.Options{}, nil, func(t *testing.T, ycm *ycmtest.Server, client *ycmclient.Client, _ *watch) {
				ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.Token, Effect: ycmtest.Set("access_token", token)})
				if _, err := client.Regions(t.Context()); yeastar.ClassOf(err) != yeastar.Invalid {
					t.Errorf("got %v, want an invalid error", err)
				}
				if n := ycm.Count(ycmtest.Token); n != 1 {
					t.Errorf("%d logins, want 1", n)
				}
			})
		})
	}
}

func TestCanceledLoginIsRepeatedForTheRequestsThatWaitForIt(t *testing.T) {
	bubble(t, ycmtest.Options{}, nil, func(t *testing.T, ycm *ycmtest.Server, client *ycmclient.Client, w *watch) {
		ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.Token, Times: 1, Effect: ycmtest.Slow(10 * time.Second)})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := client.Regions(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("the impatient one got %v", err)
			}
		})
		synctest.Wait()
		wg.Go(func() { query(t, client) })
		wg.Wait()
		if diff := cmp.Diff([]string{"client_credentials timeout", "client_credentials ok"}, w.logins); diff != "" {
			t.Errorf("logins (-want +got):\n%s", diff)
		}
	})
}

// YCM may answer a login with the token it gave before, and what is left of its life.
func TestTokenThatYCMGivesAgainIsNoLoop(t *testing.T) {
	bubble(t, ycmtest.Options{SameToken: true}, nil, func(t *testing.T, ycm *ycmtest.Server, client *ycmclient.Client, w *watch) {
		ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.Token, Effect: ycmtest.Set("refresh_token", "")})
		for start := time.Now(); time.Since(start) < 3*time.Hour; time.Sleep(7 * time.Second) {
			query(t, client)
		}
		if n := len(w.logins); n < 6 || n > 6*5 {
			t.Errorf("%d logins in three hours, want a few for each of six tokens", n)
		}
	})
}

// All who wait for a login share its failure.
func TestFailedLoginIsNotRepeatedForEachWhoWaited(t *testing.T) {
	bubble(t, ycmtest.Options{}, nil, func(t *testing.T, ycm *ycmtest.Server, client *ycmclient.Client, _ *watch) {
		broken := ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.Token, Effect: ycmtest.Hang()})
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if _, err := client.Regions(t.Context()); yeastar.ClassOf(err) != yeastar.Timeout {
					t.Errorf("got %v, want the login's time-out", err)
				}
			})
		}
		wg.Wait()
		if n := broken.Hits(); n != 3 {
			t.Errorf("%d requests for a token, want three tries for all", n)
		}
		broken.Remove()
		query(t, client)
	})
}

func TestTokenRequestIsAFormPost(t *testing.T) {
	var method, kind, agent string
	var form url.Values
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/ycm/dm/open_api/oauth/token" {
			method, kind, agent = r.Method, r.Header.Get("Content-Type"), r.UserAgent()
			body, _ := io.ReadAll(r.Body)
			form, _ = url.ParseQuery(string(body))
			reply(w, 200, map[string]any{"access_token": "abc", "expires_in": "1800"})
			return
		}
		if r.Header.Get("Authorization") != "Bearer abc" || r.UserAgent() != "ycm_exporter/1.2.3" {
			t.Errorf("the request has the header %v", r.Header)
		}
		reply(w, 200, map[string]any{"data": []any{}})
	})
	client := newClient(t, inProcess{handler}, func(o *ycmclient.Options) {
		o.BaseURL, o.UserAgent = &url.URL{Scheme: "https", Host: "ycm.example.com:8443", Path: "/ycm/"}, "ycm_exporter/1.2.3"
	})
	query(t, client)
	if method != http.MethodPost || kind != "application/x-www-form-urlencoded" || agent != "ycm_exporter/1.2.3" {
		t.Errorf("the login is a %s of %s by %s", method, kind, agent)
	}
	want := url.Values{"grant_type": {"client_credentials"}, "client_id": {"demo-client-id"}, "client_secret": {"demo-client-secret"}}
	if diff := cmp.Diff(want, form); diff != "" {
		t.Errorf("form (-want +got):\n%s", diff)
	}
}

// A refused refresh counts at YCM as a refused login does, so that it must wait as one, too: YCM blocks the address at the sixth.
func TestRefreshIsNotSentWhileLoginsAreBarred(t *testing.T) {
	bubble(t, ycmtest.Options{}, nil, func(t *testing.T, ycm *ycmtest.Server, _ *ycmclient.Client, _ *watch) {
		servers := ycmclient.NewServers(nil)
		client := func(id string) *ycmclient.Client {
			return newClient(t, ycm.Transport(), func(o *ycmclient.Options) { o.ClientID, o.Servers = id, servers })
		}
		wrong, good := client("wrong"), client("demo-client-id")
		query(t, good)
		for range 4 {
			_, _ = wrong.Regions(t.Context())
			time.Sleep(61 * time.Second)
		}
		ycm.Inject(ycmtest.Fault{
			Endpoint: ycmtest.Token, Effect: ycmtest.Failure(1000033, ycmtest.Shape{}),
			Match: func(r *http.Request) bool { return r.PostFormValue("grant_type") == "refresh_token" },
		})
		refused := ycm.Stats().LoginsRefused
		for range 40 {
			_, _ = good.Regions(t.Context())
			time.Sleep(time.Minute)
		}
		if got := ycm.Stats().LoginsRefused; got > refused {
			t.Errorf("%d refresh tokens were refused beside %d refused logins, want none sent", got-refused, refused)
		}
	})
}
