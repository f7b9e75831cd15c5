package pbxclient_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

func TestPBXThatHangsCostsOneTimeout(t *testing.T) {
	for _, endpoint := range []string{"get_token", "system/information", "trunk/list"} {
		t.Run(endpoint, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				pbx := newFake()
				o := serveInMemory(t, pbx)
				o.Timeout = 30 * time.Second
				c := direct(t, o)
				slowly(pbx, endpoint, time.Hour)
				began := time.Now()
				call := func() error { _, err := c.SystemInformation(t.Context()); return err }
				if endpoint == "trunk/list" {
					call = func() error { _, err := c.Trunks(t.Context()); return err }
				}
				expect(t, call(), yeastar.NoAnswer, yeastar.Timeout, 0)
				if took := time.Since(began); took != o.Timeout {
					t.Errorf("the call took %v, want one time-out of %v", took, o.Timeout)
				}
			})
		})
	}
}

func TestCanceledCallSaysNothingAboutThePBX(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pbx := newFake()
		slowly(pbx, "system/information", time.Minute)
		c := direct(t, serveInMemory(t, pbx))
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		_, err := c.SystemInformation(ctx)
		expect(t, err, yeastar.NotSent, yeastar.ClassOf(context.Canceled), 0)
	})
}

func TestPBXThatIsDown(t *testing.T) {
	o := serve(t, newFake())
	o.URL = &url.URL{Scheme: "http", Host: "127.0.0.1:1"}
	_, err := direct(t, o).SystemInformation(t.Context())
	expect(t, err, yeastar.NoAnswer, yeastar.Network, 0)
	if s := err.Error(); !strings.Contains(s, "PBX 127.0.0.1:1") || !strings.Contains(s, "refused") || strings.Contains(s, "<link>") {
		t.Errorf("got %q, want it to name the PBX and what went wrong, and no URL", err)
	}
}

func TestURLThatCannotBeRequested(t *testing.T) {
	o := serve(t, newFake())
	o.URL = &url.URL{Scheme: "http", Host: "bad host"}
	_, err := direct(t, o).SystemInformation(t.Context())
	expect(t, err, yeastar.NotSent, yeastar.Invalid, 0)
}

func TestEveryRequestHasAUserAgent(t *testing.T) {
	pbx := newFake()
	o := serve(t, pbx)
	for given, want := range map[string]string{"": "ycm_exporter", "ycm_exporter/1.2.3": "ycm_exporter/1.2.3"} {
		o.UserAgent = given
		c := pbxclient.Direct(o)
		mustAnswer(t, c)
		c.Close(t.Context())
		for _, r := range pbx.requests() {
			if r.ua != want {
				t.Errorf("%s came from %q, want %q", r.what, r.ua, want)
			}
		}
	}
}

func TestBasePathAndUserInfoOfTheURL(t *testing.T) {
	pbx := newFake()
	o := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			t.Error("the URL's user info was sent")
		}
		http.StripPrefix("/branch", pbx).ServeHTTP(w, r)
	}))
	o.URL = o.URL.JoinPath("branch")
	o.URL.User = url.UserPassword("user", password)
	mustAnswer(t, direct(t, o))
}

func TestPartialSuccessIsNotAFailure(t *testing.T) {
	for _, code := range []string{"0", `"0"`, "1", "2", "0.0"} {
		if _, err := proxied(strings.Replace(systemBody, `"errcode":0`, `"errcode":`+code, 1)).SystemInformation(t.Context()); err != nil {
			t.Errorf("errcode %s: %v", code, err)
		}
	}
}

// hostile answers that a PBX, or what stands before it, may give to a request with a good token.
var hostile = map[string]struct {
	status int
	body   string
	reach  yeastar.Reach
	class  yeastar.Class
	code   int
}{
	"empty":                  {200, "", yeastar.NoAnswer, yeastar.Invalid, 0},
	"web page":               {200, "<!DOCTYPE html><html>login</html>", yeastar.NoAnswer, yeastar.Invalid, 0},
	"web page of a gateway":  {502, "<html>Bad Gateway</html>", yeastar.NoAnswer, yeastar.Server, 0},
	"forbidden":              {403, "", yeastar.NoAnswer, yeastar.Denied, 0},
	"not found":              {404, "404 page not found", yeastar.NoAnswer, yeastar.NotFound, 0},
	"too many requests":      {429, "", yeastar.NoAnswer, yeastar.RateLimited, 0},
	"teapot":                 {418, "{}", yeastar.NoAnswer, yeastar.Invalid, 0},
	"malformed":              {200, `{"errcode":0,,}`, yeastar.NoAnswer, yeastar.Invalid, 0},
	"two values":             {200, systemBody + "{}", yeastar.NoAnswer, yeastar.Invalid, 0},
	"an array":               {200, `[{"errcode":0}]`, yeastar.NoAnswer, yeastar.Invalid, 0},
	"null":                   {200, "null", yeastar.NoAnswer, yeastar.Invalid, 0},
	"no errcode":             {200, `{"data":{}}`, yeastar.NoAnswer, yeastar.Invalid, 0},
	"errcode of wrong type":  {200, `{"errcode":{"a":0}}`, yeastar.NoAnswer, yeastar.Invalid, 0},
	"errcode out of range":   {200, `{"errcode":9007199254740993}`, yeastar.NoAnswer, yeastar.Invalid, 0},
	"deeply nested":          {200, strings.Repeat("[", 100_000), yeastar.NoAnswer, yeastar.Invalid, 0},
	"success with HTTP 500":  {500, `{"errcode":0}`, yeastar.Answered, yeastar.Server, 0},
	"no data":                {200, `{"errcode":0}`, yeastar.Answered, yeastar.Invalid, 0},
	"data of wrong type":     {200, `{"errcode":0,"data":"text"}`, yeastar.Answered, yeastar.Invalid, 0},
	"data is two PBXs":       {200, `{"errcode":0,"data":[{},{}]}`, yeastar.Answered, yeastar.Invalid, 0},
	"interface not existed":  {200, `{"errcode":10001}`, yeastar.Answered, yeastar.NotFound, 10001},
	"access denied":          {200, `{"errcode":"10005"}`, yeastar.Answered, yeastar.Denied, 10005},
	"operation failed":       {200, `{"errcode":10009}`, yeastar.Answered, yeastar.Server, 10009},
	"parameter error":        {400, `{"errcode":40002}`, yeastar.Answered, yeastar.Invalid, 40002},
	"limit, not of tokens":   {200, `{"errcode":60002}`, yeastar.Answered, yeastar.RateLimited, 60002},
	"overload":               {503, `{"errcode":70082}`, yeastar.Answered, yeastar.Server, 70082},
	"action forbidden":       {200, `{"errcode":70084}`, yeastar.Answered, yeastar.Denied, 70084},
	"a code that is new":     {200, `{"errcode":99999,"errmsg":7}`, yeastar.Answered, yeastar.Server, 99999},
	"params of a wrong type": {200, `{"errcode":40002,"invalid_param_list":"x"}`, yeastar.Answered, yeastar.Invalid, 40002},
}

func TestHostileAnswers(t *testing.T) {
	for name, h := range hostile {
		t.Run(name, func(t *testing.T) {
			pbx := newFake()
			pbx.on("system/information", func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(h.status)
				fmt.Fprint(w, h.body)
			})
			_, err := direct(t, serve(t, pbx)).SystemInformation(t.Context())
			expect(t, err, h.reach, h.class, h.code)
			want(t, "requests", pbx.requested(), []string{"POST get_token", "GET system/information"})

			if h.status == http.StatusOK { // through the proxy, there is no status of the PBX's own
				_, err := proxied(h.body).SystemInformation(t.Context())
				expect(t, err, h.reach, h.class, h.code)
			}
		})
	}
}

func TestHostileLogins(t *testing.T) {
	for name, h := range hostile {
		if strings.HasPrefix(name, "data ") || name == "no data" || name == "limit, not of tokens" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			pbx := newFake()
			pbx.on("get_token", func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(h.status)
				fmt.Fprint(w, h.body)
			})
			_, err := direct(t, serve(t, pbx)).SystemInformation(t.Context())
			expect(t, err, h.reach, h.class, h.code)
			want(t, "requests", pbx.requested(), []string{"POST get_token"})
		})
	}
}

func TestRedirectIsNotFollowed(t *testing.T) {
	pbx := newFake()
	pbx.on("system/information", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/openapi/v1.0/extension/delete", http.StatusFound)
	})
	_, err := direct(t, serve(t, pbx)).SystemInformation(t.Context())
	expect(t, err, yeastar.NoAnswer, yeastar.Invalid, 0)
	want(t, "requests", pbx.requested(), []string{"POST get_token", "GET system/information"})
}

func TestAnswerOfMoreThan16MiB(t *testing.T) {
	pbx := newFake()
	pbx.on("system/information", func(w http.ResponseWriter, _ *http.Request) {
		for chunk := bytes.Repeat([]byte(" "), 1<<20); ; {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	_, err := direct(t, serve(t, pbx)).SystemInformation(t.Context())
	expect(t, err, yeastar.NoAnswer, yeastar.Invalid, 0)
	if !strings.Contains(err.Error(), "16 MiB") {
		t.Errorf("got %q, want it to name the limit", err)
	}
}

func TestAnswerThatBreaksOff(t *testing.T) {
	pbx := newFake()
	pbx.on("system/information", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "500")
		fmt.Fprint(w, systemBody)
	})
	_, err := direct(t, serve(t, pbx)).SystemInformation(t.Context())
	expect(t, err, yeastar.NoAnswer, yeastar.Network, 0)
}
