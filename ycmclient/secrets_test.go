package ycmclient_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/go-kit/log"

	"github.com/ycm-exporter/ycm_exporter/internal/secret"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// What must not appear anywhere.
const (
	clientSecret = "S3cret+of/the=account & more"
	accessToken  = "eyJhbGciOiJIUzI1NiJ9.access-token-of-the-account"
	refreshToken = "eyJhbGciOiJIUzI1NiJ9.refresh-token-of-the-account"
)

// echo is a hostile YCM: it answers with all that it was ever sent.
type echo struct {
	answer   func(w http.ResponseWriter, received string)
	login    bool // Logins succeed.
	received string
}

func (e *echo) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	form, _ := url.ParseQuery(string(body))
	e.received += " " + r.Header.Get("Authorization") + " " + string(body) + " " + form.Get("client_secret") + " " + form.Get("refresh_token")
	if e.login && r.Method == http.MethodPost {
		reply(w, 200, map[string]any{"access_token": accessToken, "refresh_token": refreshToken, "expires_in": 1})
		e.received += " " + refreshToken
		return
	}
	e.answer(w, strings.TrimSpace(e.received))
}

// What a server writes may repeat a header that the transport adds, in whatever form. Our own words are kept.
func TestNoTextOfTheServerIsShownWhereThatIsConfigured(t *testing.T) {
	t.Parallel()
	const header = "k3y of ours"
	for name, c := range map[string]struct {
		effect ycmtest.Effect
		want   string
	}{
		"a message":          {ycmtest.Answer(403, "application/json", `{"code":1000042,"msg":"no `+header+`","requestId":"`+header+`"}`), "regions: denied (HTTP 403, code 1000042 ACCESS_DENIED); "},
		"a redirect":         {ycmtest.Redirect("https://k3y.example.com/"), "the response is a redirect, which is not followed"},
		"a page":             {ycmtest.Answer(200, "text/html", "<p>"+header), "the response is HTML"},
		"an odd status":      {ycmtest.Answer(200, "application/json", `{"status":"`+header+`"}`), "regions: server (HTTP 200); "},
		"no data":            {ycmtest.Answer(200, "application/json", `{"message":"`+header+`"}`), "the response has no data"},
		"a Content-Encoding": {ycmtest.Chain(ycmtest.Header("Content-Encoding", header), ycmtest.Empty()), "regions: invalid (HTTP 200); "},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, ycmtest.Options{}, func(o *ycmclient.Options) { o.HideTexts = true }, func(t *testing.T, ycm *ycmtest.Server, client *ycmclient.Client, _ *watch) {
				ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.Regions, Effect: c.effect})
				_, err := client.Regions(t.Context())
				if err == nil || strings.Contains(err.Error(), "k3y") || !strings.Contains(err.Error(), c.want) {
					t.Errorf("got %v, want %q and no text of the server", err, c.want)
				}
			})
		})
	}
}

func TestSecretsAreNeverShown(t *testing.T) {
	t.Parallel()
	text := func(status int, form string) func(http.ResponseWriter, string) {
		return func(w http.ResponseWriter, received string) {
			w.WriteHeader(status)
			_, _ = fmt.Fprintf(w, form, received)
		}
	}
	field := func(status int, body func(received string) map[string]any) func(http.ResponseWriter, string) {
		return func(w http.ResponseWriter, received string) { reply(w, status, body(received)) }
	}
	raw := func(form string) func(http.ResponseWriter, string) {
		return func(w http.ResponseWriter, received string) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				panic(err)
			}
			_, _ = fmt.Fprintf(conn, form, received)
			_ = conn.Close()
		}
	}
	answers := map[string]func(http.ResponseWriter, string){
		"msg": field(403, func(s string) map[string]any { return map[string]any{"code": 1000042, "msg": s} }),
		"a list of errors under 200": field(200, func(s string) map[string]any {
			return map[string]any{"status": "Failed", "errors": []any{map[string]any{"code": 1000002, "message": s}}}
		}),
		"error_description": field(401, func(s string) map[string]any { return map[string]any{"error": s, "error_description": s} }),
		"requestId": field(400, func(s string) map[string]any {
			return map[string]any{"requestId": s[max(0, len(s)-64):], "code": 1000004, "detail": "x"}
		}),
		"msg with control characters between": field(400, func(s string) map[string]any {
			return map[string]any{"code": 1000004, "msg": strings.Join(strings.Split(s, ""), "\x01")}
		}),
		"msg that is far too long and ends in a secret": field(400, func(s string) map[string]any {
			from := max(strings.Index(s, accessToken), strings.Index(s, clientSecret))
			return map[string]any{"code": 1000004, "msg": strings.Repeat("\x02", 1024-25) + s[from:]}
		}),
		"msg over several lines": field(429, func(s string) map[string]any { return map[string]any{"code": 1000040, "msg": "a\nlevel=error\r\n" + s} }),
		"HTML":                   text(502, "<html>%s</html>"),
		"no JSON":                text(200, "%s"),
		"a redirect": func(w http.ResponseWriter, received string) {
			w.Header().Set("Location", "https://elsewhere.example.com/?"+url.QueryEscape(received))
			w.WriteHeader(http.StatusFound)
		},
		"no HTTP":         raw("%s\r\n\r\n"),
		"a broken header": raw("HTTP/1.1 200 OK\r\n%s\r\n\r\n"),
		"a broken length": raw("HTTP/1.1 200 OK\r\nContent-Length: %s\r\n\r\n"),
	}
	for name, answer := range answers {
		for _, login := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, logins succeed: %v", name, login), func(t *testing.T) {
				address, transport := serve(t, &echo{answer: answer, login: login})
				var logged bytes.Buffer
				client := newClient(t, transport, func(o *ycmclient.Options) {
					o.BaseURL, o.Secret = address, secret.Static(secret.New(clientSecret))
					o.Logger = log.NewLogfmtLogger(log.NewSyncWriter(&logged))
				})
				ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond) // Pauses are longer.
				defer cancel()
				var shown []string
				for range 2 {
					_, err := client.Regions(ctx)
					if err == nil {
						t.Fatal("no error")
					}
					if s := err.Error(); strings.ContainsAny(s, "\n\r\x01") || !utf8.ValidString(s) {
						t.Errorf("the error is not one line: %q", s)
					}
					var e *yeastar.Error
					if errors.As(err, &e) && utf8.RuneCountInString(e.Message) > 200 {
						t.Errorf("a message of %d runes", utf8.RuneCountInString(e.Message))
					}
					for ; err != nil; err = errors.Unwrap(err) {
						shown = append(shown, fmt.Sprintf("%v\n%+v\n%#v\n%q", err, err, err, err))
					}
				}
				shown = append(shown, logged.String(), fmt.Sprintf("%+v", client.RateLimit()))
				for _, s := range shown {
					for _, hidden := range []string{clientSecret[:20], url.QueryEscape(clientSecret)[:20], accessToken[:24], refreshToken[:24]} {
						if strings.Contains(s, hidden) {
							t.Errorf("%q is shown in: %s", hidden, s)
						}
					}
				}
			})
		}
	}
}
