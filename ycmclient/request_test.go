package ycmclient_test

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// serve serves a handler over TCP and returns its address and a transport to it.
func serve(t testing.TB, handler http.Handler) (*url.URL, *http.Transport) {
	t.Helper()
	server := httptest.NewServer(handler)
	transport := &http.Transport{}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		server.Close()
	})
	address, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return address, transport
}

// overTCP makes a client of a simulated YCM behind a real socket.
func overTCP(t testing.TB, o ycmtest.Options, edit func(*ycmclient.Options)) (*ycmtest.Server, *ycmclient.Client, *watch) {
	t.Helper()
	ycm := ycmtest.New(o)
	address, transport := serve(t, ycm)
	w := newWatch()
	client := newClient(t, transport, func(o *ycmclient.Options) {
		o.BaseURL, o.Observer = address, w
		if edit != nil {
			edit(o)
		}
	})
	t.Cleanup(func() {
		if bad := ycm.Violations(); len(bad) > 0 {
			t.Errorf("the client did what it must not do: %v", bad)
		}
	})
	return ycm, client, w
}

func TestFailuresAreClassifiedInEveryShape(t *testing.T) {
	codes := map[int]yeastar.Class{
		1000001: yeastar.Server, 1000002: yeastar.Auth, 1000004: yeastar.Invalid, 1000005: yeastar.NotFound,
		1000012: yeastar.Server, 1000015: yeastar.NotFound, 1000033: yeastar.Auth, 1000042: yeastar.Denied,
		1000043: yeastar.Denied, 3000009: yeastar.Server, 1999999: yeastar.Server, // The last is not in the table.
	}
	for _, shape := range ycmtest.Shapes() {
		if shape.Body == ycmtest.OAuthError {
			continue // It has no code.
		}
		byName := shape.Body == ycmtest.ErrMsg || shape.Body == ycmtest.CodeName // They have a name and no code.
		t.Run(shape.String(), func(t *testing.T) {
			for code, want := range codes {
				if byName && !slices.Contains([]int{1000002, 1000005, 1000033, 1000042, 1000043}, code) {
					continue // The simulator has no name for it.
				}
				bubble(t, ycmtest.Options{}, nil, func(t *testing.T, ycm *ycmtest.Server, client *ycmclient.Client, w *watch) {
					ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.Subscription, Effect: ycmtest.Failure(code, shape)})
					_, err := client.Subscription(t.Context())
					var e *yeastar.Error
					if !errors.As(err, &e) || e.Class != want || yeastar.ClassOf(err) != want {
						t.Fatalf("code %d: got %v, want class %s", code, err, want)
					}
					wantCode := code
					if byName {
						wantCode = 0
					}
					if e.Code != wantCode || e.Account != "main" || e.Endpoint != "subscription" || e.HTTPStatus == 0 || e.Message == "" || e.RequestID == "" && shape.Body != ycmtest.CodeName {
						t.Errorf("code %d: the error lacks something: %+v", code, *e)
					}
					tries := 1
					if want == yeastar.Server {
						tries = 3
					}
					if n := ycm.Count(ycmtest.Subscription); n != tries || w.requests["subscription "+string(want)] != tries || w.retries[want] != tries-1 {
						t.Errorf("code %d: %d requests, the observer saw %v and the retries %v, want %d tries", code, n, w.requests, w.retries, tries)
					}
				})
			}
		})
	}
}

func TestFailuresWithoutACodeAreClassifiedByTheirStatus(t *testing.T) {
	for _, c := range []struct {
		name   string
		effect ycmtest.Effect
		want   yeastar.Class
		tries  int
	}{
		{"HTML 502 of a proxy", ycmtest.HTML(502), yeastar.Server, 3},
		{"a bare 500", ycmtest.Status(500), yeastar.Server, 3},
		{"a bare 401", ycmtest.Status(401), yeastar.Auth, 2},
		{"a bare 403", ycmtest.Status(403), yeastar.Denied, 1},
		{"HTML 404", ycmtest.HTML(404), yeastar.NotFound, 1},
		{"a bare 410", ycmtest.Status(410), yeastar.NotFound, 1},
		{"a bare 400", ycmtest.Status(400), yeastar.Invalid, 1},
		{"a bare 407 of a proxy on the way", ycmtest.Status(407), yeastar.Network, 3},
		{"a bare 408", ycmtest.Status(408), yeastar.Timeout, 3},
		{"a bare 429", ycmtest.Status(429), yeastar.RateLimited, 3},
		{"HTML 200", ycmtest.HTML(200), yeastar.Invalid, 1},
		{"nothing", ycmtest.Empty(), yeastar.Invalid, 1},
		{"a bare 204", ycmtest.Status(204), yeastar.Invalid, 1},
		{"JSON that ends in the middle", ycmtest.Malformed(), yeastar.Network, 3},
		{"JSON with a mistake", ycmtest.Answer(200, "application/json", `{"data":{"total":1,,}}`), yeastar.Invalid, 1},
		{"a JSON word", ycmtest.Answer(200, "application/json", `"ok"`), yeastar.Invalid, 1},
		{"null", ycmtest.Answer(200, "application/json", `null`), yeastar.Invalid, 1},
		{"data that is null", ycmtest.Set("data", "null"), yeastar.Invalid, 1},
		{"no data", ycmtest.Set("data", ""), yeastar.Invalid, 1},
		{"data that is a word", ycmtest.Set("data", `"none"`), yeastar.Invalid, 1},
		{"data that is a list", ycmtest.Set("data", `[]`), yeastar.Invalid, 1},
		{"Failed and no reason", ycmtest.Set("status", `"Failed"`), yeastar.Server, 3},
		{"a status that is a number", ycmtest.Set("status", `500`), yeastar.Server, 3},
		{"a code without a status", ycmtest.Answer(200, "application/json", `{"code":"1000042","msg":"ACCESS_DENIED"}`), yeastar.Denied, 1},
		{"an errcode beside good data", ycmtest.Answer(200, "application/json", `{"errcode":1000012,"data":{}}`), yeastar.Server, 3},
		{"a redirect", ycmtest.Redirect("https://elsewhere.example.com/login?token=abc"), yeastar.Invalid, 1},
		{"a redirect to nowhere", ycmtest.Redirect("%zz"), yeastar.Invalid, 1},
		{"a connection that is closed", ycmtest.Reset(), yeastar.Network, 3},
		{"an answer that is cut off", ycmtest.Truncate(20), yeastar.Network, 3},
		{"no answer", ycmtest.Hang(), yeastar.Timeout, 3},
		{"an answer that takes too long", ycmtest.Trickle(time.Hour), yeastar.Timeout, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, ycmtest.Options{}, nil, func(t *testing.T, ycm *ycmtest.Server, client *ycmclient.Client, w *watch) {
				fault := ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.Subscription, Effect: c.effect})
				_, err := client.Subscription(t.Context())
				if yeastar.ClassOf(err) != c.want {
					t.Errorf("got %v, want class %s", err, c.want)
				}
				if w.requests["subscription "+string(c.want)] != c.tries {
					t.Errorf("the observer saw the requests %v, want %d", w.requests, c.tries)
				}
				if err != nil && (strings.Contains(err.Error(), "token=") || strings.ContainsAny(err.Error(), "\n\r")) {
					t.Errorf("the error shows what it must not: %v", err)
				}
				fault.Remove()
				if _, err := client.Subscription(t.Context()); err != nil {
					t.Errorf("afterwards it fails: %v", err)
				}
			})
		})
	}
}

func TestListThatIsNoneIsNotAnEmptyOne(t *testing.T) {
	for _, data := range []string{`{"regionId":1}`, `{}`, `"none"`, `7`, `null`} {
		bubble(t, ycmtest.Options{}, nil, func(t *testing.T, ycm *ycmtest.Server, client *ycmclient.Client, _ *watch) {
			ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.Regions, Effect: ycmtest.Set("data", data)})
			if regions, err := client.Regions(t.Context()); yeastar.ClassOf(err) != yeastar.Invalid {
				t.Errorf("%s: got %v and error %v, want an invalid error", data, regions, err)
			}
		})
	}
}

func TestFailureThatPassesIsNotSeen(t *testing.T) {
	t.Parallel()
	for name, effect := range map[string]ycmtest.Effect{
		"a reset": ycmtest.Reset(), "half an answer": ycmtest.Truncate(300),
	} {
		t.Run(name, func(t *testing.T) {
			ycm, client, w := overTCP(t, ycmtest.Options{PBXs: 120}, nil)
			ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.CloudPBXList, Skip: 1, Times: 2, Effect: effect})
			list, err := client.Walk(t.Context(), nil, nil, nil)
			if err != nil || len(list.PBXs) != 120 {
				t.Errorf("got %d PBXs and the error %v, want 120", len(list.PBXs), err)
			}
			// A reset on a kept connection is repeated once by net/http before the client notices.
			if retries := w.retries[yeastar.Network] + w.retries[yeastar.Server]; w.requests["cloud_pbx_list ok"] != 4 || retries < 1 || retries > 2 {
				t.Errorf("requests %v and retries %v, want 4 good pages and 2 retries", w.requests, w.retries)
			}
		})
	}
}

func TestRetriesWaitLongerEachTime(t *testing.T) {
	longest := [2]time.Duration{}
	for range 30 {
		bubble(t, ycmtest.Options{}, nil, func(t *testing.T, ycm *ycmtest.Server, client *ycmclient.Client, _ *watch) {
			ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.Regions, Effect: ycmtest.Status(503)})
			_, _ = client.Regions(t.Context())
			at := ycm.Requests()[1:] // The first is the login.
			longest[0] = max(longest[0], at[1].Time.Sub(at[0].Time))
			longest[1] = max(longest[1], at[2].Time.Sub(at[1].Time))
		})
	}
	if longest[0] > 500*time.Millisecond || longest[0] < 250*time.Millisecond || longest[1] > time.Second || longest[1] < 500*time.Millisecond {
		t.Errorf("the longest waits of 30 are %v, want up to 500ms and up to 1s", longest)
	}
}

// An answer that begins in time and does not end in it is as late as one that never begins.
func TestAnswerThatTricklesIsATimeout(t *testing.T) {
	bubble(t, ycmtest.Options{}, nil, func(t *testing.T, ycm *ycmtest.Server, client *ycmclient.Client, _ *watch) {
		ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.Subscription, Effect: ycmtest.Trickle(2 * time.Minute)})
		_, err := client.Subscription(t.Context())
		if yeastar.ClassOf(err) != yeastar.Timeout || !strings.Contains(err.Error(), "no complete response within 30s") {
			t.Errorf("got %v, want a timeout that names its 30s", err)
		}
	})
}

func TestAnswersAreReadUpTo16MiB(t *testing.T) {
	t.Run("plain", func(t *testing.T) {
		ycm, client, _ := overTCP(t, ycmtest.Options{}, nil)
		ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.Subscription, Effect: ycmtest.Oversize(40 << 20)})
		_, err := client.Subscription(t.Context())
		if yeastar.ClassOf(err) != yeastar.Invalid || !strings.Contains(err.Error(), "larger than 16 MiB") {
			t.Errorf("got %v, want an invalid error that names the limit", err)
		}
	})
	t.Run("compressed", func(t *testing.T) {
		address, transport := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				reply(w, 200, map[string]any{"access_token": "abc", "expires_in": 1800})
				return
			}
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = io.Copy(z, io.LimitReader(zeros{}, 1<<30))
			_ = z.Close()
		}))
		client := newClient(t, transport, func(o *ycmclient.Options) { o.BaseURL = address })
		_, err := client.Subscription(t.Context())
		if yeastar.ClassOf(err) != yeastar.Invalid || !strings.Contains(err.Error(), "larger than 16 MiB") {
			t.Errorf("got %v, want an invalid error that names the limit", err)
		}
	})
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '0'
	}
	return len(p), nil
}

// A few bytes of JSON can require a lot of memory.
func TestAnswersWithMillionsOfItemsAreRefused(t *testing.T) {
	giant := "[" + strings.Repeat("0,", 1<<20) + "0]"
	address, transport := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch endpoint := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]; endpoint {
		case "token":
			reply(w, 200, map[string]any{"access_token": "abc", "expires_in": 1800})
		case "instances", "users":
			_, _ = io.WriteString(w, `{"data":{"total":30,"list":`+giant+`}}`)
		case "regions":
			_, _ = io.WriteString(w, `{"data":`+giant+`}`)
		case "firmware":
			_, _ = io.WriteString(w, `{"data":[{"versionId":1,"version":"84.8.0.25","regionIds":`+giant+`}]}`)
		default:
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, `{"errors":`+giant+`}`)
		}
	}))
	w := newWatch()
	client := newClient(t, transport, func(o *ycmclient.Options) { o.BaseURL, o.Observer = address, w })
	for _, c := range []struct {
		name string
		send func(context.Context) error
		want yeastar.Class
	}{
		{"list", func(ctx context.Context) error { _, err := client.Walk(ctx, nil, nil, nil); return err }, yeastar.Invalid},
		{"users", func(ctx context.Context) error { _, err := client.Users(ctx); return err }, yeastar.Invalid},
		{"regions", func(ctx context.Context) error { _, err := client.Regions(ctx); return err }, yeastar.Invalid},
		{"firmware", func(ctx context.Context) error { _, err := client.Firmware(ctx, "pbx"); return err }, yeastar.OK},
		{"error", func(ctx context.Context) error { _, err := client.Subscription(ctx); return err }, yeastar.Denied},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if err := c.send(t.Context()); yeastar.ClassOf(err) != c.want {
			t.Errorf("%s: got %v, want class %s", c.name, err, c.want)
		}
		runtime.ReadMemStats(&after)
		if took := (after.TotalAlloc - before.TotalAlloc) >> 20; took > 64 {
			t.Errorf("%s: 2 MiB of JSON took %d MiB of memory", c.name, took)
		}
	}
	if w.unexpected["regionIds"] != 1 {
		t.Errorf("unexpected values %v, want one regionIds", w.unexpected)
	}
}

// A server that closes kept connections is sent a request again by net/http, once for each.
func TestServerThatClosesKeptConnections(t *testing.T) {
	t.Parallel()
	ycm, client, _ := overTCP(t, ycmtest.Options{}, nil)
	if _, err := client.Regions(t.Context()); err != nil { // Leaves a connection behind.
		t.Fatal(err)
	}
	ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.Regions, Effect: ycmtest.Reset()})
	if _, err := client.Regions(t.Context()); yeastar.ClassOf(err) != yeastar.Network {
		t.Errorf("got %v, want a network error", err)
	}
	if sent := ycm.Stats().Requests; sent != 2+4 {
		t.Errorf("%d requests arrived, want 6: login, good one, three tries and net/http's own", sent)
	}
}

func TestRedirectIsNamedAndNotFollowed(t *testing.T) {
	ycm, client, _ := overTCP(t, ycmtest.Options{}, nil)
	ycm.Inject(ycmtest.Fault{Effect: ycmtest.Redirect("/dm/open_api/v1/cluster/regions?token=abc")})
	_, err := client.Regions(t.Context())
	if yeastar.ClassOf(err) != yeastar.Invalid || !strings.Contains(err.Error(), "is a redirect") || strings.Contains(err.Error(), "abc") {
		t.Errorf("got %v, want an invalid error that names the redirect and not its query", err)
	}
	if n := ycm.Stats().Requests; n != 1 {
		t.Errorf("%d requests, want the login alone", n)
	}
}

func TestUnreachableYCM(t *testing.T) {
	t.Parallel()
	address, transport := serve(t, http.NotFoundHandler())
	address.Host = "127.0.0.1:1"
	client := newClient(t, transport, func(o *ycmclient.Options) { o.BaseURL = address })
	_, err := client.Regions(t.Context())
	if yeastar.ClassOf(err) != yeastar.Network || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("got %v, want a network error that names the cause", err)
	}
}
