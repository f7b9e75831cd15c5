package app

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	promconfig "github.com/prometheus/common/config"

	"github.com/ycm-exporter/ycm_exporter/internal/config"
	"github.com/ycm-exporter/ycm_exporter/internal/doctor"
	"github.com/ycm-exporter/ycm_exporter/internal/secret"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// numbered serves a handler that learns the number of the connection a request came on, and counts the connections.
func numbered(t *testing.T, server *httptest.Server, opened *atomic.Int32) {
	t.Helper()
	server.Config.ConnContext = func(ctx context.Context, _ net.Conn) context.Context {
		return context.WithValue(ctx, opened, opened.Add(1))
	}
	t.Cleanup(server.Close)
}

// countOpen counts the connections of a server that are open.
func countOpen(server *httptest.Server) *atomic.Int32 {
	open := new(atomic.Int32)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			open.Add(1)
		case http.StateClosed:
			open.Add(-1)
		}
	}
	return open
}

// expectNoneOpen waits for connections to be closed.
func expectNoneOpen(t *testing.T, open *atomic.Int32) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); open.Load() > 0 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	if n := open.Load(); n > 0 {
		t.Errorf("%d connections are open, want none", n)
	}
}

// A server that is polled every minute never lets a connection become idle, so the exporter must not wait for that to follow its name.
func TestConnectionsAreRenewedEvery5Minutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		made := 0
		transport := &renewedTransport{new: func() (http.RoundTripper, error) {
			made++
			return roundTripper(func(*http.Request) (*http.Response, error) { return new(http.Response), nil }), nil
		}}
		for range 60 {
			if _, err := transport.RoundTrip(new(http.Request)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
		}
		if made != 12 {
			t.Errorf("%d transports were used in an hour, want 12", made)
		}
	})
}

// YCM moves, and the old server stays up.
func TestExporterFollowsAYCMThatMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from, to := ycmtest.New(ycmtest.Options{}), ycmtest.New(ycmtest.Options{})
		defer from.Close()
		defer to.Close()
		client := ycmclient.New(ycmclient.Options{
			Servers: ycmclient.NewServers(nil), Observer: ycmclient.Unobserved, RateLimit: ycmclient.RateLimit{Burst: 75, Rate: 75, Interval: time.Minute},
			Account: "main", BaseURL: &url.URL{Scheme: "https", Host: "ycm.example.com"}, ClientID: "demo-client-id",
			Secret:    secret.Static(secret.New("demo-client-secret")),
			Transport: &renewedTransport{new: func() (http.RoundTripper, error) { return from.Transport(), nil }},
		})
		from.Inject(ycmtest.Fault{Endpoint: ycmtest.Regions, Skip: 4, Times: 1, Effect: ycmtest.Slow(20 * time.Second)})
		var late sync.WaitGroup
		for minute := range 10 {
			poll := func() {
				if _, err := client.Regions(t.Context()); err != nil {
					t.Errorf("the poll of minute %d: %v", minute, err)
				}
			}
			switch minute {
			case 1:
				from.MoveTo(to)
			case 4: // It is answered after the connections were renewed.
				time.Sleep(50 * time.Second)
				late.Go(poll)
				time.Sleep(15 * time.Second)
			}
			poll()
			time.Sleep(time.Minute)
		}
		late.Wait()
		if old := from.Count(ycmtest.Regions); old != 5 || to.Count(ycmtest.Regions) == 0 {
			t.Errorf("the old server got %d polls and the new one %d, want the old one those of the first 5 minutes", old, to.Count(ycmtest.Regions))
		}
	})
}

// YCM's speed has nothing to do with a DNS server that does not answer.
func TestDNSTimeoutDoesNotAdviseToRaiseTimeout(t *testing.T) {
	t.Parallel()
	silent := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	transport := &renewedTransport{new: func() (http.RoundTripper, error) {
		return &http.Transport{DialContext: (&net.Dialer{Resolver: silent}).DialContext}, nil
	}}
	for name, timeout := range map[string]time.Duration{"before DNS gives up": 50 * time.Millisecond} {
		client := &yeastar.HTTP{Transport: transport, Timeout: timeout}
		failure := client.Do(t.Context(), yeastar.Request{URL: "https://ycm.example.com"}, func(*yeastar.Answer) *yeastar.Error { return nil })
		if failure == nil || strings.Contains(failure.Error(), "increase timeout") || !strings.Contains(failure.Error(), "lookup ycm.example.com") {
			t.Errorf("%s: got %v, want an error that blames DNS", name, failure)
		}
	}
}

// The exporter and the doctor send the same requests, and read the same responses, compressed or not.
func TestDoctorReadsCompressedResponsesAsTheExporterDoes(t *testing.T) {
	t.Parallel()
	ycm := ycmtest.New(ycmtest.Options{PBXs: 120, Healthy: true})
	server := httptest.NewServer(ycm)
	defer server.Close()
	file := filepath.Join(t.TempDir(), "config.yml")
	text := fmt.Sprintf("accounts:\n  - {name: main, base_url: %q, client_id: demo-client-id, client_secret: demo-client-secret, rate_limit: {burst: 100000, rate: 100000, interval: 1m}}\n", server.URL)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(t.Context(), file, false)
	if err != nil {
		t.Fatal(err)
	}
	var plain []doctor.Finding
	for _, coding := range []string{"", "gzip", "br"} {
		works := coding != "br"
		fault := ycm.Inject(ycmtest.Fault{Effect: ycmtest.Compress(coding)})
		if coding == "" {
			fault.Remove()
		}
		options, _, err := Clients{Servers: ycmclient.NewServers(nil)}.Options(t.Context(), cfg.Accounts[0])
		if err != nil {
			t.Fatal(err)
		}
		options.Observer = ycmclient.Unobserved
		client := ycmclient.New(options)
		_, walked := client.Walk(t.Context(), nil, nil, nil)
		client.Close()
		options.Servers = ycmclient.NewServers(nil) // It logs in by itself.
		report, err := doctor.Examine(t.Context(), doctor.Options{Client: options, Collectors: cfg.Collectors, Progress: func(int, int) {}})
		if err != nil || report.Works != works || (walked == nil) != works {
			t.Errorf("%s: the doctor says that the exporter works: %v (%v), and the exporter's error is %v", coding, report.Works, err, walked)
		}
		if coding == "" {
			plain = report.Findings
		} else if diff := cmp.Diff(plain, report.Findings); works && diff != "" {
			t.Errorf("%s: the report differs from the one without compression (-want +got):\n%s", coding, diff)
		}
		fault.Remove()
	}
}

// Over HTTP/2, a transport would send the next requests on a connection that is dead.
func TestConnectionIsNotUsedAgainAfterATimeout(t *testing.T) {
	t.Run("of its own", func(t *testing.T) { connectionAfterATimeout(t, true) })
	t.Run("of the caller", func(t *testing.T) { connectionAfterATimeout(t, false) })
}

func connectionAfterATimeout(t *testing.T, own bool) {
	t.Helper()
	t.Parallel()
	var opened, requests atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if requests.Add(1) > 1 && r.Context().Value(&opened) == int32(1) {
			<-r.Context().Done()
		}
	}))
	numbered(t, server, &opened)
	server.EnableHTTP2 = true
	server.StartTLS()
	transport, err := newTransport(t.Context(), "main", promconfig.HTTPClientConfig{EnableHTTP2: true, TLSConfig: promconfig.TLSConfig{InsecureSkipVerify: true}})
	if err != nil {
		t.Fatal(err)
	}
	client := &yeastar.HTTP{Transport: transport, Timeout: 2 * time.Second}
	defer client.CloseIdleConnections()
	for i, want := range []yeastar.Class{yeastar.OK, yeastar.Timeout, yeastar.OK} {
		timeout := time.Minute
		if want == yeastar.Timeout && !own {
			timeout = time.Second // The caller's, which a login and its request share with a PBX.
		}
		ctx, cancel := context.WithTimeout(t.Context(), timeout)
		defer cancel()
		got := yeastar.OK
		if failure := client.Do(ctx, yeastar.Request{URL: server.URL}, func(*yeastar.Answer) *yeastar.Error { return nil }); failure != nil {
			got = failure.Class
		}
		if got != want {
			t.Errorf("request %d: got %s, want %s", i+1, got, want)
		}
	}
}

func TestReloadOpensNewConnections(t *testing.T) {
	t.Parallel()
	var opened atomic.Int32
	server := httptest.NewUnstartedServer(ycmtest.New(ycmtest.Options{PBXs: 1}))
	numbered(t, server, &opened)
	server.Start()
	address, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	cfg := &config.Config{Accounts: []config.Account{{
		Name: "main", BaseURL: address, Credentials: config.Credentials{ClientID: "demo-client-id", ClientSecret: secret.New("demo-client-secret")},
		RateLimit: config.RateLimit{Burst: 6000, Rate: 6000, Interval: time.Minute},
	}}}
	e := newExporter(t.Context(), nil, NewLogger(io.Discard, "info", "logfmt"))
	defer e.stop()
	for range 3 {
		if err := e.apply(cfg); err != nil {
			t.Fatal(err)
		}
		if _, err := e.running()[0].client.Regions(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := opened.Load(); n != 3 {
		t.Errorf("two reloads led to %d connections, want 3", n)
	}
}

// A request that is under way when its transport is replaced leaves its connection to that.
func TestConnectionsOfReplacedTransportsAreClosed(t *testing.T) {
	t.Parallel()
	var opened atomic.Int32
	answer := make(chan struct{})
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			<-answer
		}
	}))
	numbered(t, server, &opened)
	open := countOpen(server)
	server.Start()
	transport, err := newTransport(t.Context(), "main", promconfig.HTTPClientConfig{})
	if err != nil {
		t.Fatal(err)
	}
	client := &yeastar.HTTP{Transport: transport, Timeout: time.Minute}
	query := func(path string) {
		if failure := client.Do(t.Context(), yeastar.Request{URL: server.URL + path}, func(*yeastar.Answer) *yeastar.Error { return nil }); failure != nil {
			t.Error(failure)
		}
	}
	slow := make(chan struct{})
	go func() {
		defer close(slow)
		query("/slow")
	}()
	for opened.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	client.CloseIdleConnections()
	close(answer)
	<-slow
	query("/")
	client.CloseIdleConnections()
	expectNoneOpen(t, open)
}
