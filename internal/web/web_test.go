package web_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/ycm-exporter/ycm_exporter/internal/poll"
	"github.com/ycm-exporter/ycm_exporter/internal/storage"
	"github.com/ycm-exporter/ycm_exporter/internal/web"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fleet is a fake exporter.
type fleet struct {
	status  []poll.Status
	ready   bool
	reload  error
	reloads int
}

func (f *fleet) Status() []poll.Status    { return f.status }
func (f *fleet) Ready() bool              { return f.ready }
func (f *fleet) Storage() *storage.Status { return nil }
func (f *fleet) Reload() error {
	f.reloads++
	return f.reload
}

var defaults = web.Options{TelemetryPath: "/metrics", SDShards: 1}

func serve(t *testing.T, o web.Options, e web.Exporter) *httptest.Server {
	t.Helper()
	metrics := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "the metrics\n") })
	handler, err := web.Handler(o, metrics, e)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server
}

func request(t *testing.T, server *httptest.Server, method, path string) (status int, body string, header http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(content), resp.Header
}

func TestPathsRespondAsDocumented(t *testing.T) {
	lifecycle := defaults
	lifecycle.Lifecycle = true
	pprof := defaults
	pprof.Pprof = true

	for _, c := range []struct {
		name       string
		options    web.Options
		fleet      fleet
		method     string
		path       string
		wantStatus int
		wantBody   string
	}{
		{"metrics", defaults, fleet{}, "GET", "/metrics", 200, "the metrics"},
		{"metrics are only read", defaults, fleet{}, "POST", "/metrics", 405, ""},
		{"metrics are only read", defaults, fleet{}, "DELETE", "/metrics", 405, ""},
		{"landing page links to the metrics", defaults, fleet{}, "GET", "/", 200, `href="./metrics"`},
		{"landing page links to the status", defaults, fleet{}, "GET", "/", 200, `href="./status"`},
		{"unknown path", defaults, fleet{}, "GET", "/nowhere", 404, ""},
		{"healthy while not ready", defaults, fleet{}, "GET", "/-/healthy", 200, "healthy"},
		{"not ready before the first walk", defaults, fleet{}, "GET", "/-/ready", 503, "first poll"},
		{"ready after it", defaults, fleet{ready: true}, "GET", "/-/ready", 200, "ready"},
		{"reload is off by default", defaults, fleet{}, "POST", "/-/reload", 403, "--web.enable-lifecycle"},
		{"reload", lifecycle, fleet{}, "POST", "/-/reload", 200, "reloaded"},
		{"reload needs POST", lifecycle, fleet{}, "GET", "/-/reload", 405, ""},
		{"a failed reload explains why", lifecycle, fleet{reload: errors.New("config.yml:3: rate")}, "POST", "/-/reload", 500, "config.yml:3: rate"},
		{"profiles are off by default", defaults, fleet{}, "GET", "/debug/pprof/", 404, ""},
		{"profiles", pprof, fleet{}, "GET", "/debug/pprof/", 200, "goroutine"},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, body, header := request(t, serve(t, c.options, &c.fleet), c.method, c.path)
			if status != c.wantStatus || !strings.Contains(body, c.wantBody) {
				t.Errorf("%s %s: got %d %q, want %d with %q", c.method, c.path, status, body, c.wantStatus, c.wantBody)
			}
			if got := header.Get("X-Content-Type-Options"); got != "nosniff" {
				t.Errorf("X-Content-Type-Options is %q, want nosniff", got)
			}
			if reloaded := c.fleet.reloads > 0; reloaded != (c.options.Lifecycle && c.method == "POST") {
				t.Errorf("%s %s reloaded: %v", c.method, c.path, reloaded)
			}
		})
	}
}

// A page of another site that the operator's browser shows must not reload.
func TestReloadFromAnotherSiteIsRefused(t *testing.T) {
	lifecycle := defaults
	lifecycle.Lifecycle = true
	for origin, want := range map[string]int{"": 200, "same": 200, "https://elsewhere.example.com": 403, "null": 403} {
		e := &fleet{}
		server := serve(t, lifecycle, e)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/-/reload", nil)
		if err != nil {
			t.Fatal(err)
		}
		if origin == "same" {
			origin = server.URL
		}
		r.Header.Set("Origin", origin)
		response, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != want || (e.reloads == 1) != (want == 200) {
			t.Errorf("a reload with Origin %q: status %d and %d reloads, want %d", origin, response.StatusCode, e.reloads, want)
		}
	}
}

func TestServiceDiscoveryListsOneTargetPerAccountAndShard(t *testing.T) {
	accounts := &fleet{status: []poll.Status{{Account: "east"}, {Account: "west"}}}
	o := defaults
	o.SDShards = 2
	server := serve(t, o, accounts)
	host := strings.TrimPrefix(server.URL, "http://")

	status, body, header := request(t, server, "GET", "/sd")
	if status != 200 || header.Get("Content-Type") != "application/json; charset=utf-8" {
		t.Fatalf("got %d with content type %q, want 200 with application/json", status, header.Get("Content-Type"))
	}
	type group struct {
		Targets []string          `json:"targets"`
		Labels  map[string]string `json:"labels"`
	}
	var got []group
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatalf("the document is not a list of target groups: %v\n%s", err, body)
	}
	target := func(account, shard string) group {
		return group{[]string{host}, map[string]string{
			"__scheme__": "http", "__metrics_path__": "/metrics", "__param_account": account,
			"__param_shard": shard, "__param_shards": "2", "instance": host + "/" + account + "/" + shard,
		}}
	}
	want := []group{target("east", "0"), target("east", "1"), target("west", "0"), target("west", "1")}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("targets differ (-want +got):\n%s", diff)
	}
}

func TestServiceDiscoveryWithoutAccountsIsAnEmptyList(t *testing.T) {
	if _, body, _ := request(t, serve(t, defaults, &fleet{}), "GET", "/sd"); strings.TrimSpace(body) != "[]" {
		t.Errorf("got %q, want an empty list, which Prometheus accepts", body)
	}
}

func TestTelemetryPathCanBeTheRoot(t *testing.T) {
	o := defaults
	o.TelemetryPath = "/"
	if _, body, _ := request(t, serve(t, o, &fleet{}), "GET", "/"); !strings.Contains(body, "the metrics") {
		t.Errorf("got %q at /, want the metrics", body)
	}
}

// Prometheus reaches the targets in the way in which it reached the discovery.
func TestServiceDiscoveryOverTLSListsTargetsOverTLS(t *testing.T) {
	handler, err := web.Handler(defaults, http.NotFoundHandler(), &fleet{status: []poll.Status{{Account: "east"}}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewTLSServer(handler)
	t.Cleanup(server.Close)
	_, body, _ := request(t, server, "GET", "/sd")
	var groups []struct{ Labels map[string]string }
	if err := json.Unmarshal([]byte(body), &groups); err != nil || len(groups) != 1 {
		t.Fatalf("/sd is %q (error %v), want one target", body, err)
	}
	if got := groups[0].Labels["__scheme__"]; got != "https" {
		t.Errorf("the target's scheme is %q, want https", got)
	}
}

// The status page is out of date at once.
func TestStatusPageIsNotCached(t *testing.T) {
	_, _, header := request(t, serve(t, defaults, &fleet{}), "GET", "/status")
	if got := header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control is %q, want no-store", got)
	}
}
