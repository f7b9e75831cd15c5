package web_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/poll"
	"github.com/ycm-exporter/ycm_exporter/internal/web"
)

func TestAmbiguousPathsAreRefused(t *testing.T) {
	for path, want := range map[string]string{
		"": "clean", "metrics": "clean", "/metrics/": "clean", "//metrics": "clean", "/a//b": "clean", "/a/../b": "clean", "/./a": "clean",
		"/{metrics}": "letters, digits", "/{$}": "letters, digits", "/a b": "letters, digits", "/a?b": "letters, digits", "/a#b": "letters, digits",
		"/a%2fb": "letters, digits", "/a\\b": "letters, digits", "/a\nb": "letters, digits", `/a"b`: "letters, digits", "/é": "letters, digits",
		"/status": "is used by another page", "/sd": "is used by another page", "/-/ready": "is used by another page", "/-/any/path": "is used by another page", "/debug": "is used by another page", "/debug/pprof/heap": "is used by another page",
	} {
		o := defaults
		o.TelemetryPath = path
		_, err := web.Handler(o, http.NotFoundHandler(), &fleet{})
		if err == nil || !strings.Contains(err.Error(), "--web.telemetry-path") || !strings.Contains(err.Error(), want) {
			t.Errorf("telemetry path %q: error %v, want one with the flag and %q", path, err, want)
		}
	}
	for _, prefix := range []string{"/a//b", "/{a}", "/a b", "/a?b", "/a#b", "/a%20b", "/.."} {
		o := defaults
		o.RoutePrefix = prefix
		if _, err := o.Site(); err == nil || !strings.Contains(err.Error(), "--web.route-prefix") {
			t.Errorf("route prefix %q: error %v, want one that names the flag", prefix, err)
		}
	}
	for _, external := range []string{"proxy.example.com", "/ycm", "ftp://proxy", "https://", "https://u:hunter2@proxy/", "https://proxy/?a=b", "https://proxy/?", "https://proxy/#a", "https://proxy/a b", "https://proxy/a//b", "https://proxy/{a}", ":"} {
		o := defaults
		o.ExternalURL = external
		_, err := o.Site()
		if err == nil || !strings.Contains(err.Error(), "--web.external-url") {
			t.Errorf("external URL %q: error %v, want one that names the flag", external, err)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error shows a password: %v", err)
		}
	}
	for _, path := range []string{"/", "/metrics", "/a/b-c_d.e~f/9", "/statuses", "/-metrics", "/debugging"} {
		o := defaults
		o.TelemetryPath = path
		if _, body, _ := request(t, serve(t, o, &fleet{}), "GET", path); body != "the metrics\n" {
			t.Errorf("telemetry path %q serves %q, want the metrics", path, body)
		}
	}
}

// front serves an exporter behind a proxy at another address, under the path /outside, by its flags. The proxy passes
// on the path as it is or without /outside.
func front(t *testing.T, o web.Options, strips bool) *httptest.Server {
	t.Helper()
	accounts := &fleet{ready: true, status: []poll.Status{{Account: "main"}}}
	var inner http.Handler
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/outside/") && r.URL.Path != "/outside" {
			http.Error(w, "This is not the exporter: "+r.URL.Path, http.StatusTeapot)
			return
		}
		r.Host = "inside:10055"
		if strips {
			http.StripPrefix("/outside", inner).ServeHTTP(w, r)
		} else {
			inner.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(proxy.Close)
	o.ExternalURL = proxy.URL + "/outside/"
	handler, err := web.Handler(o, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "metrics of", r.URL.Query().Get("account"))
	}), accounts)
	if err != nil {
		t.Fatal(err)
	}
	inner = handler
	return proxy
}

// Through a proxy each page is reached by the links of the others, and Prometheus reaches its targets.
func TestPagesAreReachedThroughAProxy(t *testing.T) {
	for name, c := range map[string]struct {
		routePrefix string
		strips      bool
	}{
		"that passes on the path": {"", false},
		"that strips its prefix":  {"/", true},
	} {
		t.Run(name, func(t *testing.T) {
			o := defaults
			o.RoutePrefix, o.Pprof, o.SDShards = c.routePrefix, true, 2
			proxy := front(t, o, c.strips)

			visited := map[string]bool{}
			var visit func(page string)
			visit = func(page string) {
				if visited[page] {
					return
				}
				visited[page] = true
				status, body, header := request(t, proxy, "GET", page)
				if status != http.StatusOK {
					t.Errorf("GET %s: %d %.100s, want 200", page, status, body)
				}
				if !strings.HasPrefix(strings.ToLower(header.Get("Content-Type")), "text/html") || strings.Contains(page, "pprof") {
					return
				}
				base, err := url.Parse(page)
				if err != nil {
					t.Fatal(err)
				}
				for _, link := range regexp.MustCompile(`href="?'?([^"'> ]+)`).FindAllStringSubmatch(body, -1) {
					to, err := base.Parse(strings.ReplaceAll(link[1], "&amp;", "&"))
					if err != nil {
						t.Fatal(err)
					}
					if to.Host == "" && !strings.Contains(to.Path, "profile") {
						visit(to.String())
					}
				}
			}
			visit("/outside/")
			for _, page := range []string{"/outside/metrics", "/outside/status", "/outside/sd", "/outside/-/healthy", "/outside/debug/pprof/heap", "/outside/metrics?account=main&shard=1&shards=2"} {
				if !visited[page] {
					t.Errorf("no page links to %s; found: %v", page, visited)
				}
			}
			if !c.strips { // Else the path that is left is empty.
				if status, body, _ := request(t, proxy, "GET", "/outside"); status != http.StatusOK || !strings.Contains(body, "ycm_exporter") {
					t.Errorf("GET /outside: %d %.200s, want the landing page", status, body)
				}
			}

			_, document, _ := request(t, proxy, "GET", "/outside/sd")
			var groups []struct {
				Targets []string
				Labels  map[string]string
			}
			if err := json.Unmarshal([]byte(document), &groups); err != nil || len(groups) != 2 {
				t.Fatalf("/sd has %d targets and error %v, want 2: %s", len(groups), err, document)
			}
			l := groups[1].Labels
			target := fmt.Sprintf("%s://%s%s?account=%s", l["__scheme__"], groups[1].Targets[0], l["__metrics_path__"], l["__param_account"])
			if want := proxy.URL + "/outside/metrics?account=main"; target != want {
				t.Errorf("the target is %s, want %s", target, want)
			}
			if want := strings.TrimPrefix(proxy.URL, "http://") + "/main/1"; l["instance"] != want {
				t.Errorf("the instance is %s, want %s", l["instance"], want)
			}
		})
	}
}

func TestServiceDiscoveryBehindATLSProxyUsesHTTPS(t *testing.T) {
	o := defaults
	o.ExternalURL, o.RoutePrefix = "https://metrics.example.com:8443/ycm", "/"
	_, document, _ := request(t, serve(t, o, &fleet{status: []poll.Status{{Account: "main"}}}), "GET", "/sd")
	for _, want := range []string{`"__scheme__": "https"`, `"metrics.example.com:8443"`, `"__metrics_path__": "/ycm/metrics"`, `"instance": "metrics.example.com:8443/main"`} {
		if !strings.Contains(document, want) {
			t.Errorf("the document lacks %s:\n%s", want, document)
		}
	}
}

func TestRoutePrefixIsPartOfEveryPath(t *testing.T) {
	o := defaults
	o.RoutePrefix = "ycm/"
	server := serve(t, o, &fleet{status: []poll.Status{{Account: "main"}}})
	for page, want := range map[string]string{
		"/": "ycm_exporter", "/ycm": "ycm_exporter", "/ycm/": "ycm_exporter", "/ycm/metrics": "the metrics", "/ycm/-/healthy": "healthy",
		"/ycm/sd": `"__metrics_path__": "/ycm/metrics"`,
	} {
		if status, body, _ := request(t, server, "GET", page); status != 200 || !strings.Contains(body, want) {
			t.Errorf("GET %s: %d %.200s, want 200 and %q", page, status, body, want)
		}
	}
	for _, page := range []string{"/metrics", "/status", "/ycmx/metrics", "/ycm/ycm/metrics"} {
		if status, _, _ := request(t, server, "GET", page); status != 404 {
			t.Errorf("GET %s: %d, want 404", page, status)
		}
	}
	site, err := o.Site()
	if err != nil || site.Path("/-/healthy") != "/ycm/-/healthy" {
		t.Errorf("the path of the health is %q with error %v", site.Path("/-/healthy"), err)
	}
}

// A redirect never leads to another server, whatever the path looks like.
func TestRedirectStaysOnTheServer(t *testing.T) {
	server := serve(t, defaults, &fleet{})
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for _, path := range []string{"//evil.example.com/", "//evil.example.com/..", "/\\evil.example.com/../x", "/x/..//evil.example.com"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.URL.Opaque = "//" + r.URL.Host + path
		response, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if to := response.Header.Get("Location"); response.StatusCode == http.StatusFound && (!strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//")) {
			t.Errorf("GET %s redirects to %q", path, to)
		}
	}
}

// The landing page is the toolkit's, with colours for dark mode.
func TestLandingPageHasDarkMode(t *testing.T) {
	o := defaults
	o.Version = "1.2.3"
	_, body, _ := request(t, serve(t, o, &fleet{}), "GET", "/")
	for _, want := range []string{"color-scheme: light dark", "Version: 1.2.3<"} {
		if !strings.Contains(body, want) {
			t.Errorf("the landing page lacks %q:\n%s", want, body)
		}
	}
	if strings.Contains(body, `href="/`) {
		t.Errorf("the landing page has a link that is not relative:\n%s", body)
	}
}

// oneConn is a listener that accepts one connection in memory, so that the clock can be fake.
type oneConn chan net.Conn

func (c oneConn) Accept() (net.Conn, error) {
	if conn, open := <-c; open {
		return conn, nil
	}
	return nil, net.ErrClosed
}
func (c oneConn) Close() error { close(c); return nil }
func (oneConn) Addr() net.Addr { return &net.UnixAddr{Name: "memory"} }

// A client that announces a body and does not send it is dropped.
func TestClientThatDoesNotSendItsBodyIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		handler, err := web.Handler(defaults, http.NotFoundHandler(), &fleet{})
		if err != nil {
			t.Fatal(err)
		}
		listener, server := make(oneConn), &http.Server{Handler: handler}
		go func() { _ = server.Serve(listener) }()
		client, accepted := net.Pipe()
		listener <- accepted
		if _, err := io.WriteString(client, "GET /-/healthy HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		_ = client.SetReadDeadline(began.Add(time.Minute))
		if _, err := io.Copy(io.Discard, client); err != nil {
			t.Errorf("after %v the connection is still open: %v", time.Since(began), err)
		}
		client.Close()
		server.Close()
	})
}
