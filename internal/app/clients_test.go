package app

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	promconfig "github.com/prometheus/common/config"

	"github.com/ycm-exporter/ycm_exporter/internal/config"
	"github.com/ycm-exporter/ycm_exporter/internal/secret"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
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

// A server that is polled every minute never lets a connection become idle, so the exporter must not wait for that to follow its name.
func TestConnectionsAreRenewedEvery5Minutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		made := 0
		transport := &renewedTransport{new: func() (http.RoundTripper, error) {
			made++
			return roundTripper(func(*http.Request) (*http.Response, error) { return new(http.Response), nil }), nil
		}}
		for range 60 {
			if _, err := transport.RoundTrip(new(http.Request)); err != nil { //nolint:bodyclose // There is none.
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
		}
		if made != 12 {
			t.Errorf("%d transports were used in an hour, want 12", made)
		}
	})
}

// Over HTTP/2, a transport would send the next requests on a connection that is dead.
func TestConnectionIsNotUsedAgainAfterATimeout(t *testing.T) {
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
		got := yeastar.OK
		if failure := client.Do(t.Context(), yeastar.Request{URL: server.URL}, func(*yeastar.Answer) *yeastar.Error { return nil }); failure != nil {
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
