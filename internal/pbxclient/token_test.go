package pbxclient_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

func TestTokenIsKeptAndRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pbx := newFake()
		c := direct(t, serveInMemory(t, pbx))
		query := func(after time.Duration) {
			t.Helper()
			time.Sleep(after)
			if _, err := c.SystemInformation(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		query(0)
		want(t, "the first call", pbx.requested(), []string{"POST get_token", "GET system/information"})
		query(28 * time.Minute)
		want(t, "28 minutes later", pbx.requested(), []string{"GET system/information"})
		query(90 * time.Second)
		want(t, "half a minute before its end", pbx.requested(), []string{"GET del_token", "POST get_token", "GET system/information"})
		query(31 * time.Minute)
		want(t, "after its end", pbx.requested(), []string{"POST get_token", "GET system/information"})
		if _, most := pbx.alive(); most != 1 {
			t.Errorf("%d tokens were alive at once, want 1", most)
		}
	})
}

func TestTokenThatCannotBeRevokedIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pbx := newFake()
		c := direct(t, serveInMemory(t, pbx))
		mustAnswer(t, c)
		time.Sleep(29*time.Minute + 30*time.Second)
		slowly(pbx, "del_token", time.Hour)
		_, err := c.SystemInformation(t.Context())
		expect(t, err, yeastar.NoAnswer, yeastar.Timeout, 0)
		if now, _ := pbx.alive(); now != 0 { // the time-out took the half minute that it had left
			t.Errorf("%d tokens are alive, want none", now)
		}
		pbx.on("del_token", nil)
		synctest.Wait() // for the end of the renewal, which had its time-out at the same moment
		pbx.requested()
		mustAnswer(t, c)
		want(t, "the next call", pbx.requested(), []string{"POST get_token", "GET system/information"})
	})
}

func TestExpiredTokenIsRenewedOnceAndTheCallRepeatedOnce(t *testing.T) {
	unauthorized := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }
	expired := func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"errcode":"10004","errmsg":"TOKEN EXPIRED"}`)
	}
	for name, refuse := range map[string]http.HandlerFunc{"10004": expired, "401 without a code": unauthorized} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				pbx := newFake()
				c := direct(t, serveInMemory(t, pbx))
				mustAnswer(t, c)
				pbx.requested()
				time.Sleep(time.Minute)
				renewed := []string{"GET system/information", "GET del_token", "POST get_token", "GET system/information"}

				refusals := 0
				pbx.on("system/information", func(w http.ResponseWriter, r *http.Request) {
					if refusals++; refusals == 1 {
						refuse(w, r)
						return
					}
					fmt.Fprint(w, systemBody)
				})
				mustAnswer(t, c)
				want(t, "a token that the PBX has forgotten", pbx.requested(), renewed)
				time.Sleep(time.Minute)

				pbx.on("system/information", refuse)
				_, err := c.SystemInformation(t.Context())
				if yeastar.ClassOf(err) != yeastar.Auth {
					t.Errorf("got class %q (%v), want %q", yeastar.ClassOf(err), err, yeastar.Auth)
				}
				want(t, "a PBX that accepts no token", pbx.requested(), renewed)
			})
		})
	}
}

func TestUnsupportedVersionIsNotATokenError(t *testing.T) {
	pbx := newFake()
	c := direct(t, serve(t, pbx))
	pbx.answer("trunk/list", `{"errcode":10003,"errmsg":"API VERSION UNSUPPORTED"}`)
	_, err := c.Trunks(t.Context())
	expect(t, err, yeastar.Answered, yeastar.NotFound, 10003)
	want(t, "requests", pbx.requested(), []string{"POST get_token", "GET trunk/list"})
}

func TestCloseLeavesNoTokenBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pbx := newFake()
		c := pbxclient.Direct(serveInMemory(t, pbx))
		mustAnswer(t, c)
		pbx.requested()
		for range 2 {
			if err := c.Close(t.Context()); err != nil {
				t.Errorf("Close: %v", err)
			}
		}
		want(t, "two closings", pbx.requested(), []string{"GET del_token"})
		if now, _ := pbx.alive(); now != 0 {
			t.Errorf("%d tokens were left behind", now)
		}
		_, err := c.SystemInformation(t.Context())
		expect(t, err, yeastar.NotSent, yeastar.Network, 0)
		want(t, "a call after that", pbx.requested(), nil)
	})
}

func TestCloseWaitsForTheLoginUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pbx := newFake()
		slowly(pbx, "get_token", 5*time.Second)
		c := pbxclient.Direct(serveInMemory(t, pbx))
		go c.SystemInformation(t.Context())
		synctest.Wait()
		if err := c.Close(t.Context()); err != nil {
			t.Errorf("Close: %v", err)
		}
		if now, most := pbx.alive(); now != 0 || most != 1 {
			t.Errorf("%d tokens are alive after Close, %d were before, want 0 and 1", now, most)
		}
	})
}

func TestCloseIsBoundedByItsContext(t *testing.T) {
	for _, endpoint := range []string{"get_token", "del_token"} {
		t.Run(endpoint+" hangs", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				pbx := newFake()
				slowly(pbx, endpoint, 20*time.Second)
				c := pbxclient.Direct(serveInMemory(t, pbx))
				go c.SystemInformation(t.Context())
				synctest.Wait()
				began := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				err := c.Close(ctx)
				if took := time.Since(began); took != 10*time.Second {
					t.Errorf("Close took %v, want the 10s of its context", took)
				}
				if endpoint == "del_token" {
					expect(t, err, yeastar.NoAnswer, yeastar.Timeout, 0)
				}
			})
		})
	}
}

func TestCloseReportsATokenThatIsLeft(t *testing.T) {
	pbx := newFake()
	c := pbxclient.Direct(serve(t, pbx))
	mustAnswer(t, c)
	pbx.answer("del_token", `{"errcode":10005,"errmsg":"ACCESS DENIED"}`)
	expect(t, c.Close(t.Context()), yeastar.Answered, yeastar.Denied, 10005)
}

func TestCloseOfAClientThatNeverLoggedInSendsNothing(t *testing.T) {
	pbx := newFake()
	if err := pbxclient.Direct(serve(t, pbx)).Close(t.Context()); err != nil {
		t.Error(err)
	}
	want(t, "requests", pbx.requested(), nil)
}

func TestTokenLivesThatMakeNoSense(t *testing.T) {
	for name, life := range map[string]any{"none": nil, "zero": 0, "negative": -5, "rubbish": "soon", "quoted": "1800", "endless": 1e18} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				pbx := newFake()
				pbx.life = life
				pbx.answer("trunk/list", `{"errcode":0,"data":[]}`)
				c := direct(t, serveInMemory(t, pbx))
				for range 20 {
					if _, err := c.Trunks(t.Context()); err != nil {
						t.Fatal(err)
					}
					time.Sleep(time.Minute)
				}
				if n := strings.Count(strings.Join(pbx.requested(), "\n"), "POST"); n != 1 {
					t.Errorf("20 minutes took %d logins, want 1", n)
				}
			})
		})
	}
}

func TestLoginWithoutATokenIsInvalid(t *testing.T) {
	for _, body := range []string{
		`{"errcode":0,"errmsg":"SUCCESS"}`,
		`{"errcode":0,"access_token":null}`,
		`{"errcode":0,"access_token":{"a":1}}`,
		`{"errcode":0,"access_token":"` + strings.Repeat("a", 9000) + `"}`,
	} {
		pbx := newFake()
		pbx.answer("get_token", body)
		c := direct(t, serve(t, pbx))
		_, err := c.SystemInformation(t.Context())
		expect(t, err, yeastar.Answered, yeastar.Invalid, 0)
	}
}

// Some firmware may report failures by name alone, as other products of the vendor do.
func TestFailuresWithoutANumber(t *testing.T) {
	for _, body := range []string{`{"errmsg":"TOKEN EXPIRED"}`, `{"errCode":"TOKEN_EXPIRED"}`, `{"code":"TOKEN_EXPIRED","detailMessage":"late"}`} {
		pbx := newFake()
		c := direct(t, serve(t, pbx))
		mustAnswer(t, c)
		rejected := pbx.tokenOf(t)
		pbx.on("trunk/list", func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("access_token") == rejected {
				io.WriteString(w, body)
				return
			}
			io.WriteString(w, `{"errcode":0,"total_number":0,"data":[]}`)
		})
		if _, err := c.Trunks(t.Context()); err != nil {
			t.Errorf("%s: an expired token is not renewed: %v", body, err)
		}
		pbx.answer("trunk/list", `{"errMsg":"ACCESS_DENIED","detailMsg":"x"}`)
		_, err := c.Trunks(t.Context())
		expect(t, err, yeastar.Answered, yeastar.Denied, 0)
	}
	for body, want := range map[string]struct {
		class yeastar.Class
		reach yeastar.Reach
	}{
		`{"status":"Failed","errMsg":"RATE_LIMIT_EXCEEDED"}`: {yeastar.RateLimited, yeastar.NotSent},
		`{"code":"RATE_LIMIT_EXCEEDED"}`:                     {yeastar.RateLimited, yeastar.NotSent},
		`{"errorMessage":"API_REQUEST_FAILED"}`:              {yeastar.Server, yeastar.NoAnswer},
	} {
		s := simulate(t, ycmtest.Options{PBXs: 1})
		s.Inject(ycmtest.Fault{Endpoint: ycmtest.Proxy, Effect: ycmtest.Answer(http.StatusOK, "application/json", body)})
		_, err := pbxclient.Proxied(s.ycm, "main", s.PBXs()[0].SN).Trunks(t.Context())
		expect(t, err, want.reach, want.class, 0)
		if paused := !s.ycm.RateLimit().PausedUntil.IsZero(); paused != (want.class == yeastar.RateLimited) {
			t.Errorf("%s: the account is paused: %v", body, paused)
		}
	}
}

// 10005 is not about the API as a whole.
func TestMissingPermissionIsNamed(t *testing.T) {
	const body = `{"errcode":10005,"errmsg":"NO PERMISSION"}`
	pbx := newFake()
	pbx.answer("trunk/list", body)
	for way, c := range map[string]*pbxclient.Client{"through YCM": proxied(body), "directly": direct(t, serve(t, pbx))} {
		if _, err := c.Trunks(t.Context()); err == nil || !strings.Contains(err.Error(), "grant the API application this permission in the PBX (Integrations > API)") {
			t.Errorf("%s: got %v, want the advice to grant the permission", way, err)
		}
	}
}

func mustAnswer(t *testing.T, c *pbxclient.Client) {
	t.Helper()
	if _, err := c.SystemInformation(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// slowly makes an endpoint take its time, or end when nothing waits any more.
func slowly(pbx *fakePBX, endpoint string, d time.Duration) {
	pbx.on(endpoint, func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(d):
		case <-r.Context().Done():
			return
		}
		body, _ := io.ReadAll(r.Body)
		pbx.mu.Lock()
		defer pbx.mu.Unlock()
		if endpoint == "get_token" {
			pbx.login(w, body)
		}
	})
}

// expect compares a failed call with what it should report to the collectors.
func expect(t *testing.T, err error, reach yeastar.Reach, class yeastar.Class, code int) {
	t.Helper()
	var e *yeastar.Error
	if !errors.As(err, &e) {
		t.Errorf("got error %v, want an *yeastar.Error", err)
		return
	}
	if got := yeastar.ReachOf(err); got != reach || e.Class != class || e.Code != code {
		t.Errorf("got reach %d, class %q, code %d; want %d, %q, %d\n%v", got, e.Class, e.Code, reach, class, code, err)
	}
	if e.Account != "main" {
		t.Errorf("the error is of account %q, want main: %v", e.Account, err)
	}
}
