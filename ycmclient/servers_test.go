package ycmclient_test

import (
	"context"
	"encoding/json"
	"net/url"
	"testing"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/secret"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// kept is a store in memory, of the JSON that files would have.
type kept struct{ logins map[string][]byte }

func (k *kept) Load(name string, load func(next func(record any) error) error) bool {
	content, ok := k.logins[name]
	return ok && load(func(record any) error { return json.Unmarshal(content, record) }) == nil
}

func (k *kept) Reload(name string, load func(next func(record any) error) error) bool {
	return k.Load(name, load)
}

func (k *kept) Save(name string, records func(write func(record any) error) error) {
	_ = records(func(record any) (err error) {
		k.logins[name], err = json.Marshal(record)
		return err
	})
}

// again makes the client that follows one after a reload, or after a restart.
type again func(edit func(*ycmclient.Options)) *ycmclient.Client

// afterReload runs a test of what a changed configuration, and a new process with a store, must not forget.
func afterReload(t *testing.T, o ycmtest.Options, test func(t *testing.T, ycm *ycmtest.Server, again again)) {
	t.Helper()
	for _, how := range []string{"reload", "restart"} {
		t.Run(how, func(t *testing.T) {
			bubble(t, o, nil, func(t *testing.T, ycm *ycmtest.Server, _ *ycmclient.Client, _ *watch) {
				store := &kept{map[string][]byte{}}
				servers := ycmclient.NewServers(store)
				test(t, ycm, func(edit func(*ycmclient.Options)) *ycmclient.Client {
					if how == "restart" {
						servers = ycmclient.NewServers(store)
					}
					return newClient(t, ycm.Transport(), func(o *ycmclient.Options) {
						o.Servers = servers
						if edit != nil {
							edit(o)
						}
					})
				})
			})
		})
	}
}

// A reload keeps the limiter: what it has used is not there again. A restart starts empty.
func TestNewClientKeepsToTheRateLimit(t *testing.T) {
	afterReload(t, ycmtest.Options{RateLimit: &ycmtest.RateLimit{Burst: 40, Rate: 20}}, func(t *testing.T, ycm *ycmtest.Server, again again) {
		limit := func(burst int) func(*ycmclient.Options) {
			return func(o *ycmclient.Options) {
				o.RateLimit = ycmclient.RateLimit{Burst: burst, Rate: 20, Interval: time.Minute}
			}
		}
		for _, burst := range []int{40, 40, 30, 40, 40} {
			client := again(limit(burst))
			ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
			for {
				if _, err := client.Regions(ctx); err != nil {
					break
				}
			}
			cancel()
		}
		if s := ycm.Stats(); s.Refused > 0 || s.Requests < 120 {
			t.Errorf("YCM refused %d of %d requests in 450 s, want none of 120 and more", s.Refused, s.Requests)
		}
	})
}

// A reload does not end a pause.
func TestReloadKeepsToThePause(t *testing.T) {
	bubble(t, ycmtest.Options{}, nil, func(t *testing.T, ycm *ycmtest.Server, _ *ycmclient.Client, _ *watch) {
		servers := ycmclient.NewServers(nil)
		client := func() *ycmclient.Client {
			return newClient(t, ycm.Transport(), func(o *ycmclient.Options) { o.Servers = servers })
		}
		ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.Regions, Times: 1, Effect: ycmtest.Chain(
			ycmtest.Header("Retry-After", "120"), ycmtest.Failure(1000040, ycmtest.Shape{}))})
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := client().Regions(ctx); err == nil {
			t.Fatal("the first client was not refused")
		}
		second := client()
		if left := second.RateLimit().PausedUntil.Sub(start); left < 119*time.Second || left > 121*time.Second {
			t.Errorf("the new client's pause ends after %v, want 2 minutes", left)
		}
		query(t, second)
		if took := time.Since(start); took < 119*time.Second {
			t.Errorf("the new client sends a request after %v, want not before the pause of 2 minutes is over", took)
		}
	})
}

// YCM blocks the address after five refusals in a row, whichever account was refused.
func TestNewClientsGoOnCountingRefusedLogins(t *testing.T) {
	afterReload(t, ycmtest.Options{ClientSecret: "another"}, func(t *testing.T, ycm *ycmtest.Server, again again) {
		for i := range 100 {
			id := []string{"demo-client-id", "second", "third"}[i%3]
			if _, err := again(func(o *ycmclient.Options) { o.ClientID = id }).Regions(t.Context()); yeastar.ClassOf(err) != yeastar.Auth {
				t.Fatalf("client %d: got %v, want an auth error", i, err)
			}
			time.Sleep(10 * time.Minute)
		}
		if s := ycm.Stats(); s.LoginsRefused != yeastar.MostRefusalsYCM || s.Lockouts != 0 {
			t.Errorf("a hundred clients of three accounts brought %d refused logins and %d lock-outs, want 5 and 0", s.LoginsRefused, s.Lockouts)
		}
		corrected := again(func(o *ycmclient.Options) { o.Secret = secret.Static(secret.New("another")) })
		query(t, corrected) // Credentials that changed are tried at once.
	})
}

// Commands that run beside an exporter share its directory.
func TestProcessesSideBySideCountRefusedLoginsTogether(t *testing.T) {
	bubble(t, ycmtest.Options{ClientSecret: "another"}, nil, func(t *testing.T, ycm *ycmtest.Server, _ *ycmclient.Client, _ *watch) {
		store := &kept{map[string][]byte{}}
		exporter := newClient(t, ycm.Transport(), func(o *ycmclient.Options) { o.Servers = ycmclient.NewServers(store) })
		for i := range 50 {
			command := newClient(t, ycm.Transport(), func(o *ycmclient.Options) { o.Servers = ycmclient.NewServers(store) })
			for _, client := range []*ycmclient.Client{command, exporter}[i%2:] {
				if _, err := client.Regions(t.Context()); yeastar.ClassOf(err) != yeastar.Auth {
					t.Fatalf("got %v, want an auth error", err)
				}
				time.Sleep(10 * time.Minute)
			}
		}
		if s := ycm.Stats(); s.LoginsRefused != yeastar.MostRefusalsYCM || s.Lockouts != 0 {
			t.Errorf("an exporter and the commands beside it brought %d refused logins and %d lock-outs, want 5 and 0", s.LoginsRefused, s.Lockouts)
		}
	})
}

func TestReloadKeepsTheToken(t *testing.T) {
	bubble(t, ycmtest.Options{}, nil, func(t *testing.T, ycm *ycmtest.Server, _ *ycmclient.Client, _ *watch) {
		servers := ycmclient.NewServers(nil)
		for range 5 {
			w := newWatch()
			query(t, newClient(t, ycm.Transport(), func(o *ycmclient.Options) { o.Servers, o.Observer = servers, w }))
			if w.expires.IsZero() {
				t.Error("a client that found a token does not report its end")
			}
		}
		if n := ycm.Count(ycmtest.Token); n != 1 {
			t.Errorf("five clients of one Client ID logged in %d times, want once", n)
		}
		query(t, newClient(t, ycm.Transport(), func(o *ycmclient.Options) {
			o.Servers, o.BaseURL = servers, &url.URL{Scheme: "https", Host: "other.example.com"}
		}))
		if n := ycm.Count(ycmtest.Token); n != 2 {
			t.Errorf("with a client of another YCM there were %d logins, want 2", n)
		}
	})
}

// A client that was made for a configuration which is then refused must not change what others do.
func TestClientThatSendsNothingChangesNothing(t *testing.T) {
	servers := ycmclient.NewServers(nil)
	first := newClient(t, nil, func(o *ycmclient.Options) { o.Servers = servers })
	newClient(t, nil, func(o *ycmclient.Options) {
		o.Servers, o.RateLimit = servers, ycmclient.RateLimit{Burst: 1, Rate: 1, Interval: time.Hour}
	})
	if got := first.RateLimit(); got.Burst != plenty.Burst {
		t.Errorf("the rate limit of the first client has a burst of %d, want %d as before", got.Burst, plenty.Burst)
	}
}
