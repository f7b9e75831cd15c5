package exposition

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// twoAccounts is a set with the fleets of two accounts, and metrics of the exporter's own about three.
func twoAccounts(t *testing.T) *Set {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	up := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "ycm_up", Help: "Whether the last walk succeeded."}, []string{"account"})
	build := prometheus.NewGauge(prometheus.GaugeOpts{Name: "ycm_exporter_build_info", Help: "Build."})
	logins := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "ycm_api_logins_total", Help: "Logins."}, []string{"account", "grant"})
	registry.MustRegister(up, build, logins)
	for _, account := range []string{"north", "south", "waiting"} {
		up.WithLabelValues(account).Set(1)
	}
	logins.WithLabelValues("south", "refresh_token").Inc()
	set := NewSet(registry, log.NewNopLogger())
	mustPublish(t, set, "north", "cloud_pbx", newFleet("north", 30))
	mustPublish(t, set, "south", "cloud_pbx", newFleet("south", 50))
	mustPublish(t, set, "south", "firmware", one("ycm_firmware_available", "south", 1))
	return set
}

// parsed reads a text exposition as a strict client would.
func parsed(t *testing.T, exposition string) map[string]*dto.MetricFamily {
	t.Helper()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(exposition))
	if err != nil {
		t.Fatalf("the exposition cannot be parsed: %v", err)
	}
	return families
}

func TestOneScrapeHasTheFleetAndTheExporterItself(t *testing.T) {
	set := twoAccounts(t)
	families := parsed(t, scrapeOf(t, set, "/metrics", "text", "identity"))
	for name, want := range map[string]int{
		"ycm_cloud_pbx_info": 80, "ycm_cloud_pbx_status": 7 * 80, "ycm_firmware_available": 1,
		"ycm_up": 3, "ycm_exporter_build_info": 1, "ycm_api_logins_total": 1,
	} {
		if got := len(families[name].GetMetric()); got != want {
			t.Errorf("%s has %d samples, want %d", name, got, want)
		}
	}
	for _, format := range formats {
		plain := scrapeOf(t, set, "/metrics", format, "identity")
		for _, encoding := range encodings {
			if got := scrapeOf(t, set, "/metrics", format, encoding); got != plain {
				t.Errorf("%s in %s differs from it in plain:%s", format, encoding, firstDifference(got, plain))
			}
		}
	}
	if got := scrapeOf(t, set, "/metrics", "openmetrics", "gzip"); !strings.HasSuffix(got, "\n# EOF\n") || strings.Count(got, "# EOF") != 1 {
		t.Errorf("OpenMetrics ends in %q, want one # EOF", got[len(got)-40:])
	}
}

func TestBeforeTheFirstPollThereAreTheExportersOwnMetrics(t *testing.T) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(prometheus.NewGauge(prometheus.GaugeOpts{Name: "ycm_exporter_build_info", Help: "Build."}))
	expectServed(t, NewSet(registry, log.NewNopLogger()), "before the first poll", "ycm_exporter_build_info")
	// And an exposition with nothing at all is still one.
	for _, format := range formats {
		for _, encoding := range encodings {
			want := encoded(t, prometheus.NewRegistry(), format)
			if got := scrapeOf(t, newSet(), "/metrics", format, encoding); got != want {
				t.Errorf("nothing in %s and %s is %q, want %q", format, encoding, got, want)
			}
		}
	}
}

func TestOneAccountCanBeScrapedAlone(t *testing.T) {
	set := twoAccounts(t)
	for account, want := range map[string]struct{ infos, logins int }{"north": {30, 0}, "south": {50, 1}, "waiting": {0, 0}} {
		for _, encoding := range encodings {
			families := parsed(t, scrapeOf(t, set, "/metrics?account="+account, "text", encoding))
			if got := len(families["ycm_cloud_pbx_info"].GetMetric()); got != want.infos {
				t.Errorf("%s: %d PBXs, want %d", account, got, want.infos)
			}
			if got := len(families["ycm_api_logins_total"].GetMetric()); got != want.logins {
				t.Errorf("%s: %d kinds of logins, want %d", account, got, want.logins)
			}
			if up := families["ycm_up"].GetMetric(); len(up) != 1 || up[0].Label[0].GetValue() != account {
				t.Errorf("%s: ycm_up is %v, want that of this account alone", account, up)
			}
			if families["ycm_exporter_build_info"] == nil {
				t.Errorf("%s: what belongs to no account is missing", account)
			}
		}
	}
}

func TestShardsAddUpToTheWhole(t *testing.T) {
	set := twoAccounts(t)
	lines := func(target string) (sorted []string) {
		for line := range strings.Lines(scrapeOf(t, set, target, "text", "gzip")) {
			if !strings.HasPrefix(line, "#") {
				sorted = append(sorted, line)
			}
		}
		slices.Sort(sorted)
		return sorted
	}
	whole := lines("/metrics")
	var sum []string
	for _, target := range []string{"/metrics?shard=0&shards=3", "/metrics?shard=1&shards=3", "/metrics?shards=3&shard=2"} {
		part := lines(target)
		if own := slices.Contains(part, "ycm_exporter_build_info 0\n"); own != strings.Contains(target, "shard=0") {
			t.Errorf("%s has the exporter's own metrics: %t", target, own)
		}
		sum = append(sum, part...)
	}
	slices.Sort(sum)
	if !slices.Equal(sum, whole) {
		t.Errorf("three shards have %d lines together, the whole has %d, or they differ", len(sum), len(whole))
	}
	if got := lines("/metrics?shard=0&shards=1"); !slices.Equal(got, whole) {
		t.Errorf("the one shard of one has %d lines, want the %d of the whole", len(got), len(whole))
	}
}

func TestABadRequestIsToldWhatIsRight(t *testing.T) {
	set := twoAccounts(t)
	for target, want := range map[string]struct {
		status int
		text   string
	}{
		"/metrics?account=nowhere":                  {404, `There is no account "nowhere".`},
		"/metrics?account=nowhere&shard=1&shards=2": {404, `There is no account "nowhere".`},
		"/metrics?account=":                         {400, "?account=NAME"},
		"/metrics?account=a&account=b":              {400, "?account=NAME"},
		"/metrics?shard=1":                          {400, "shard and shards go together"},
		"/metrics?shards=2":                         {400, "shard and shards go together"},
		"/metrics?shard=0&shards=0":                 {400, `shards="0": make it a number from 1 to 64`},
		"/metrics?shard=0&shards=65":                {400, `shards="65": make it a number from 1 to 64`},
		"/metrics?shard=0&shards=two":               {400, `shards="two": make it a number from 1 to 64`},
		"/metrics?shard=2&shards=2":                 {400, `shard="2": make it a number from 0 to 1`},
		"/metrics?shard=-1&shards=2":                {400, `shard="-1": make it a number from 0 to 1`},
		"/metrics?shard=&shards=2":                  {400, `shard="": make it a number from 0 to 1`},
		"/metrics?shard=1&shard=1&shards=2":         {400, "shard and shards go together, each once"},
		"/metrics?account=%zz":                      {400, "the query cannot be read"},
		"/metrics?name[]=ycm_up&unknown=1":          {200, "ycm_cloud_pbx_info"},
	} {
		response, body := get(t, set, target, "", "")
		if response.StatusCode != want.status || !strings.Contains(string(body), want.text) {
			t.Errorf("GET %s: %d %.200s, want %d and %q", target, response.StatusCode, body, want.status, want.text)
		}
	}
}

func TestMetricsAreOnlyRead(t *testing.T) {
	server := httptest.NewServer(twoAccounts(t))
	defer server.Close()
	for method, want := range map[string]int{http.MethodPost: 405, http.MethodPut: 405, http.MethodDelete: 405, http.MethodOptions: 405, http.MethodHead: 200} {
		r, err := http.NewRequestWithContext(t.Context(), method, server.URL+"/metrics", nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("%s: status %d, want %d", method, response.StatusCode, want)
		}
		if allow := response.Header.Get("Allow"); want == 405 && allow != "GET, HEAD" {
			t.Errorf("%s: Allow is %q, want GET, HEAD", method, allow)
		}
		if content := response.Header.Get("Content-Type"); want == 200 && content != "text/plain; version=0.0.4; charset=utf-8; escaping=underscores" {
			t.Errorf("%s: Content-Type is %q", method, content)
		}
	}
	// The HTTP library drops the body of an answer to HEAD; it is not to be made at all.
	answer := httptest.NewRecorder()
	twoAccounts(t).ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodHead, "/metrics", nil))
	if n := answer.Body.Len(); n > 0 {
		t.Errorf("HEAD made a body of %d bytes, want none", n)
	}
}

// A part of the exporter's own metrics that cannot be had, or that would break the rest, is left out.
func TestTroubleWithOwnMetricsLeavesTheRest(t *testing.T) {
	family := func(name string, metrics ...*dto.Metric) *dto.MetricFamily {
		return &dto.MetricFamily{Name: &name, Help: new("Help."), Type: dto.MetricType_GAUGE.Enum(), Metric: metrics}
	}
	gauge := &dto.Metric{Gauge: &dto.Gauge{Value: new(1.0)}}
	own := prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) {
		broken := family("ycm_broken", gauge, &dto.Metric{}) // It fails after its head and first sample.
		return []*dto.MetricFamily{broken, family("ycm_empty"), family("ycm_fine", gauge), family("ycm_x", gauge)}, errors.New("half of it failed")
	})
	var logged strings.Builder
	set := NewSet(own, log.NewLogfmtLogger(&logged))
	mustPublish(t, set, "main", "cloud_pbx", one("ycm_x", "main", 1))
	parsed(t, scrapeOf(t, set, "/metrics", "text", "gzip"))
	expectServed(t, set, "with trouble", "ycm_x", "ycm_fine")
	for _, want := range []string{"half of it failed", "metric=ycm_broken", "metric=ycm_x"} {
		if !strings.Contains(logged.String(), want) {
			t.Errorf("the log does not tell of %q:\n%s", want, logged.String())
		}
	}
}

// A net of clients that connect without a network, so that the clock can be a fake one.
type memoryNet struct {
	conns chan net.Conn
	done  chan struct{}
}

func (m *memoryNet) Accept() (net.Conn, error) {
	select {
	case c := <-m.conns:
		return c, nil
	case <-m.done:
		return nil, net.ErrClosed
	}
}

func (m *memoryNet) Close() error   { close(m.done); return nil }
func (m *memoryNet) Addr() net.Addr { return &net.UnixAddr{Name: "memory"} }

func (m *memoryNet) dial() net.Conn {
	here, there := net.Pipe()
	m.conns <- there
	return here
}

func TestClientsWhoDoNotReadDoNotLockOutOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := twoAccounts(t)
		listener := &memoryNet{conns: make(chan net.Conn), done: make(chan struct{})}
		server := &http.Server{Handler: set}
		go func() { _ = server.Serve(listener) }()
		defer server.Shutdown(context.WithoutCancel(t.Context()))

		for range maxScrapes {
			client := listener.dial()
			defer client.Close()
			if _, err := io.WriteString(client, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		response, body := get(t, set, "/metrics", "", "")
		if response.StatusCode != http.StatusServiceUnavailable || !strings.Contains(string(body), "40 scrapes are being served already") {
			t.Errorf("the 41st scrape: %d %.100s, want 503", response.StatusCode, body)
		}
		time.Sleep(patience + time.Second)
		synctest.Wait()
		if response, body := get(t, set, "/metrics", "", ""); response.StatusCode != http.StatusOK {
			t.Errorf("after the patience with them ended: %d %.100s, want 200", response.StatusCode, body)
		}
	})
}

func TestAClientWhoLeavesIsNoError(t *testing.T) {
	for _, encoding := range encodings {
		set := twoAccounts(t)
		w := &gone{header: http.Header{}}
		set.ServeHTTP(w, request("protobuf", encoding))
		if w.writes != 1 {
			t.Errorf("%s: %d writes to a client who is gone, want none after the first", encoding, w.writes)
		}
	}
}

// gone is a response whose client has left.
type gone struct {
	header http.Header
	writes int
}

func (g *gone) Header() http.Header { return g.header }
func (g *gone) WriteHeader(int)     {}

func (g *gone) Write([]byte) (int, error) {
	g.writes++
	return 0, net.ErrClosed
}
