package pbxclient_test

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/internal/secret"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// logins polls the PBX every 10 seconds for that long and returns when it was logged in to.
func logins(t *testing.T, pbx *fakePBX, c *pbxclient.Client, d time.Duration) []time.Duration {
	t.Helper()
	began := time.Now()
	for time.Since(began) < d {
		c.SystemInformation(t.Context())
		time.Sleep(10 * time.Second)
	}
	var at []time.Duration
	for _, r := range pbx.requests() {
		if r.what == "POST get_token" {
			at = append(at, r.at.Sub(began))
		}
	}
	return at
}

func TestRefusedLoginsAreSpaced(t *testing.T) {
	const m = time.Minute
	for name, c := range map[string]struct {
		answer string
		during time.Duration
		want   []time.Duration
	}{
		"wrong credentials":  {`{"errcode":-1,"errmsg":"FAILURE"}`, 180 * m, []time.Duration{0, 1 * m, 2 * m, 3 * m}},
		"API off":            {`{"errcode":10005,"errmsg":"ACCESS DENIED"}`, 180 * m, []time.Duration{0, 1 * m, 2 * m, 3 * m}},
		"a code that is new": {`{"errcode":70999}`, 180 * m, []time.Duration{0, 1 * m, 2 * m, 3 * m}},
		"token cap":          {`{"errcode":60002}`, 40 * m, []time.Duration{0, 5 * m, 10 * m, 15 * m, 20 * m, 25 * m, 30 * m, 35 * m}},
		"address blocked":    {`{"errcode":70004}`, 40 * m, []time.Duration{0, 15 * m, 30 * m}},
		"address forbidden":  {`{"errcode":"70087"}`, 40 * m, []time.Duration{0, 15 * m, 30 * m}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				pbx := newFake()
				pbx.answer("get_token", c.answer)
				got := logins(t, pbx, direct(t, serveInMemory(t, pbx)), c.during)
				if !slices.Equal(got, c.want) {
					t.Errorf("logged in at %v, want %v", got, c.want)
				}
			})
		})
	}
}

func TestLoginsRefusedByHTTPStatusAreSpaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const m = time.Minute
		pbx := newFake()
		pbx.on("get_token", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) })
		c := direct(t, serveInMemory(t, pbx))
		if got := logins(t, pbx, c, 130*m); !slices.Equal(got, []time.Duration{0, 1 * m, 2 * m, 3 * m, 63 * m, 123 * m}) {
			t.Errorf("logged in at %v, want it at 0, 1, 2 and 3 minutes and then every hour, as a gateway may have answered", got)
		}
	})
}

// A full token cap is not the credentials' fault: a refusal after several of them is the first of its row.
func TestTokenLimitIsNotARefusedLogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const m = time.Minute
		pbx := newFake()
		c := direct(t, serveInMemory(t, pbx))
		pbx.answer("get_token", `{"errcode":60002}`)
		if got := logins(t, pbx, c, 20*m); !slices.Equal(got, []time.Duration{0, 5 * m, 10 * m, 15 * m}) {
			t.Errorf("logged in at %v while the cap is full, want it every 5 minutes", got)
		}
		pbx.requested()
		pbx.answer("get_token", `{"errcode":-1,"errmsg":"FAILURE"}`)
		if got := logins(t, pbx, c, 10*m); !slices.Equal(got, []time.Duration{0, 1 * m, 2 * m, 3 * m}) {
			t.Errorf("logged in at %v after the cap, want it at 0, 1, 2 and 3 minutes", got)
		}
	})
}

func TestProblemsOfThePBXAreNotRefusedLogins(t *testing.T) {
	for name, answer := range map[string]string{
		"internal error": `{"errcode":-2}`, "overload": `{"errcode":70082}`, "a web page": `<html></html>`,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				pbx := newFake()
				pbx.answer("get_token", answer)
				c := direct(t, serveInMemory(t, pbx))
				if got := logins(t, pbx, c, time.Minute); len(got) != 6 {
					t.Errorf("a minute of polls every 10s logged in at %v, want 6 times", got)
				}
				pbx.on("get_token", nil)
				mustAnswer(t, c)
			})
		})
	}
}

func TestBetweenLoginsTheErrorSaysWhy(t *testing.T) {
	for answer, want := range map[string]struct {
		class  yeastar.Class
		code   int
		advice string
	}{
		`{"errcode":-1,"errmsg":"FAILURE"}`: {yeastar.Auth, -1, "check client_id and the client secret of this PBX"},
		`{"errcode":60002}`:                 {yeastar.RateLimited, 60002, "the PBX has too many valid tokens"},
		`{"errcode":70004}`:                 {yeastar.Auth, 70004, "the PBX has blocked the IP address of the exporter"},
		`{"errcode":70087}`:                 {yeastar.Denied, 70087, "the API of the PBX does not allow the IP address of the exporter"},
	} {
		synctest.Test(t, func(t *testing.T) {
			pbx := newFake()
			pbx.answer("get_token", answer)
			c := direct(t, serveInMemory(t, pbx))
			_, refused := c.SystemInformation(t.Context())
			expect(t, refused, yeastar.Answered, want.class, want.code)
			time.Sleep(20 * time.Second)
			_, waiting := c.SystemInformation(t.Context())
			expect(t, waiting, yeastar.NotSent, want.class, want.code)
			if !strings.Contains(waiting.Error(), "next login attempt not before 2000-01-01T00:") {
				t.Errorf("got %q, want it to name the time of the next login", waiting)
			}
			for _, err := range []error{refused, waiting} {
				if !strings.Contains(err.Error(), string(want.class)) {
					t.Errorf("got %q, want it to name its class %q", err, want.class)
				}
				if !strings.Contains(err.Error(), want.advice) {
					t.Errorf("got %v, want the advice %q", err, want.advice)
				}
			}
		})
	}
}

func TestChangedSecretIsTriedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "pbx")
		write := func(s string) {
			t.Helper()
			if err := os.WriteFile(file, []byte(s), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		pbx := newFake()
		o := serveInMemory(t, pbx)
		o.Secret = secret.File(file)
		c := direct(t, o)

		_, err := c.SystemInformation(t.Context())
		expect(t, err, yeastar.NotSent, yeastar.Auth, 0)
		if !strings.Contains(err.Error(), file) {
			t.Errorf("got %q, want it to name the missing %s", err, file)
		}
		write("wrong")
		if got := logins(t, pbx, c, 2*time.Minute); len(got) != 2 {
			t.Errorf("logged in at %v with the wrong secret, want twice", got)
		}
		write("wrong as well")
		if got := logins(t, pbx, c, time.Minute); len(got) != 1 || got[0] != 0 {
			t.Errorf("logged in at %v with another wrong secret, want once and at once", got)
		}
		write(password)
		mustAnswer(t, c)

		write("wrong")
		time.Sleep(25 * time.Hour) // the token has expired
		pbx.requested()
		if got := logins(t, pbx, c, 10*time.Minute); len(got) != 4 {
			t.Errorf("logged in at %v after a success, want 4 times", got)
		}
	})
}
