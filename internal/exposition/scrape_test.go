package exposition

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// twoAccounts is a set with the fleets of two accounts, and own metrics about three.
func twoAccounts(t *testing.T) *Set {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	up := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "ycm_up", Help: "Whether the last walk succeeded."}, []string{"account"})
	build := prometheus.NewGauge(prometheus.GaugeOpts{Name: "ycm_exporter_build_info", Help: "Build."})
	logins := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "ycm_api_logins_total", Help: "Logins."}, []string{"account", "grant"})
	started := prometheus.NewGauge(prometheus.GaugeOpts{Name: "process_start_time_seconds", Help: "Start."})
	registry.MustRegister(up, build, logins, started)
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

func TestScrapeHasFleetAndOwnMetrics(t *testing.T) {
	set := twoAccounts(t)
	families := parsed(t, scrapeOf(t, set, "/metrics", "text", "identity"))
	for name, want := range map[string]int{
		"ycm_cloud_pbx_info": 80, "ycm_cloud_pbx_status": 7 * 80, "ycm_firmware_available": 1,
		"ycm_up": 3, "ycm_exporter_build_info": 1, "ycm_api_logins_total": 1, "process_start_time_seconds": 1,
	} {
		if got := len(families[name].GetMetric()); got != want {
			t.Errorf("%s has %d samples, want %d", name, got, want)
		}
	}
	for _, format := range formats {
		plain := scrapeOf(t, set, "/metrics", format, "identity")
		for _, encoding := range encodings {
			if got := scrapeOf(t, set, "/metrics", format, encoding); got != plain {
				t.Errorf("%s in %s differs from identity:%s", format, encoding, firstDifference(got, plain))
			}
		}
	}
	if got := scrapeOf(t, set, "/metrics", "openmetrics", "gzip"); !strings.HasSuffix(got, "\n# EOF\n") || strings.Count(got, "# EOF") != 1 {
		t.Errorf("OpenMetrics ends in %q, want one # EOF", got[len(got)-40:])
	}
}

func TestOwnMetricsAreServedBeforeTheFirstPoll(t *testing.T) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(prometheus.NewGauge(prometheus.GaugeOpts{Name: "ycm_exporter_build_info", Help: "Build."}))
	expectServed(t, NewSet(registry, log.NewNopLogger()), "before the first poll", "ycm_exporter_build_info")
	// An exposition without any metric is valid too.
	for _, format := range formats {
		for _, encoding := range encodings {
			want := encoded(t, prometheus.NewRegistry(), format)
			if got := scrapeOf(t, newSet(), "/metrics", format, encoding); got != want {
				t.Errorf("nothing in %s and %s is %q, want %q", format, encoding, got, want)
			}
		}
	}
}

func TestAccountCanBeScrapedAlone(t *testing.T) {
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
				t.Errorf("%s: ycm_exporter_build_info is missing", account)
			}
			if families["process_start_time_seconds"] != nil {
				t.Errorf("%s: a metric of the process is served, which is counted once for each account then", account)
			}
		}
	}
}

func TestShardsAddUpToAllSeries(t *testing.T) {
	set := twoAccounts(t)
	lines := func(target string) (sorted []string) {
		for line := range strings.Lines(scrapeOf(t, set, target, "text", "gzip")) {
			if !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "ycm_exporter_shard_info{") {
				sorted = append(sorted, line)
			}
		}
		slices.Sort(sorted)
		return sorted
	}
	inEachShard := func(line string) bool {
		return strings.HasPrefix(line, "ycm_up{") || strings.HasPrefix(line, "ycm_exporter_build_info")
	}
	whole := lines("/metrics")
	var sum []string
	for _, target := range []string{"/metrics?shard=0&shards=3", "/metrics?shard=1&shards=3", "/metrics?shards=3&shard=2"} {
		part := lines(target)
		if logins := slices.Contains(part, "ycm_api_logins_total{account=\"south\",grant=\"refresh_token\"} 1\n"); logins != strings.Contains(target, "shard=0") {
			t.Errorf("%s has the exporter's own metrics: %t, want them in shard 0 alone", target, logins)
		}
		if !strings.Contains(target, "shard=0") {
			part = slices.DeleteFunc(part, inEachShard)
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

// Each shard reports which one it is, and whether exporter and accounts work.
func TestEveryShardReportsItself(t *testing.T) {
	set := twoAccounts(t)
	for target, want := range map[string]struct {
		accounts      []string
		shard, shards string
	}{
		"/metrics":                                  {[]string{"north", "south", "waiting"}, "0", "1"},
		"/metrics?shard=0&shards=1":                 {[]string{"north", "south", "waiting"}, "0", "1"},
		"/metrics?shard=0&shards=4":                 {[]string{"north", "south", "waiting"}, "0", "4"},
		"/metrics?shard=3&shards=4":                 {[]string{"north", "south", "waiting"}, "3", "4"},
		"/metrics?account=south":                    {[]string{"south"}, "0", "1"},
		"/metrics?account=south&shard=1&shards=2":   {[]string{"south"}, "1", "2"},
		"/metrics?account=waiting&shard=1&shards=2": {[]string{"waiting"}, "1", "2"},
	} {
		for _, format := range []string{"text", "openmetrics"} {
			body := scrapeOf(t, set, target, format, "gzip")
			one := map[string]string{"text": "1", "openmetrics": "1.0"}[format]
			var shards, ups strings.Builder
			for _, account := range want.accounts {
				fmt.Fprintf(&shards, "ycm_exporter_shard_info{account=%q,shard=%q,shards=%q} %s\n", account, want.shard, want.shards, one)
				fmt.Fprintf(&ups, "ycm_up{account=%q} %s\n", account, one)
			}
			for _, lines := range []string{
				"# TYPE ycm_exporter_shard_info gauge\n" + shards.String() + "#",
				"# TYPE ycm_up gauge\n" + ups.String(), "\nycm_exporter_build_info ",
			} {
				if !strings.Contains(body, lines) {
					t.Errorf("GET %s in %s lacks:\n%s", target, format, lines)
				}
			}
		}
	}
}

// In OpenMetrics a counter has its name without the suffix _total, and strict parsers refuse one name for two metrics.
func TestOpenMetricsHasNoCounterUnderTheNameOfAGauge(t *testing.T) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	set := NewSet(registry, log.NewNopLogger())
	const gauge, counter = "\n# TYPE go_memstats_alloc_bytes gauge\n", "go_memstats_alloc_bytes_total "
	if body := scrapeOf(t, set, "/metrics", "text", "gzip"); !strings.Contains(body, gauge) || !strings.Contains(body, counter) {
		t.Errorf("text lacks the gauge or the counter:\n%s", body)
	}
	body := scrapeOf(t, set, "/metrics", "openmetrics", "gzip")
	if !strings.Contains(body, gauge) || strings.Contains(body, counter) {
		t.Errorf("OpenMetrics lacks the gauge, or has the counter beside it:\n%s", body)
	}
	if !strings.Contains(body, "\ngo_memstats_mallocs_total ") {
		t.Errorf("OpenMetrics lacks a counter with a name of its own:\n%s", body)
	}
	known := map[string]bool{}
	for _, name := range names(body) {
		if known[name] {
			t.Errorf("OpenMetrics has two metrics %s", name)
		}
		known[name] = true
	}
}

func TestBadRequestIsExplained(t *testing.T) {
	set := twoAccounts(t)
	for target, want := range map[string]struct {
		status int
		text   string
	}{
		"/metrics?account=nowhere":                  {404, `Unknown account "nowhere".`},
		"/metrics?account=nowhere&shard=1&shards=2": {404, `Unknown account "nowhere".`},
		"/metrics?account=":                         {400, "?account=NAME"},
		"/metrics?account=a&account=b":              {400, "?account=NAME"},
		"/metrics?shard=1":                          {400, "shards must be from 1 to 64"},
		"/metrics?shards=2":                         {400, "shard from 0 to shards - 1"},
		"/metrics?shard=0&shards=0":                 {400, "shards must be"},
		"/metrics?shard=0&shards=65":                {400, "shards must be"},
		"/metrics?shard=0&shards=two":               {400, "shards must be"},
		"/metrics?shard=2&shards=2":                 {400, "shards must be"},
		"/metrics?shard=-1&shards=2":                {400, "shards must be"},
		"/metrics?shard=&shards=2":                  {400, "shards must be"},
		"/metrics?shard=1&shard=1&shards=2":         {400, "shards must be"},
		"/metrics?account=%zz":                      {400, "invalid query"},
		"/metrics?name[]=ycm_up&unknown=1":          {200, "ycm_cloud_pbx_info"},
	} {
		response, body := get(t, set, target, "", "")
		if response.StatusCode != want.status || !strings.Contains(string(body), want.text) {
			t.Errorf("GET %s: %d %.200s, want %d and %q", target, response.StatusCode, body, want.status, want.text)
		}
	}
}

func TestFailureToGatherLeavesTheRest(t *testing.T) {
	fine := &dto.MetricFamily{Name: new("ycm_fine"), Help: new("Help."), Type: dto.MetricType_GAUGE.Enum(), Metric: []*dto.Metric{{Gauge: &dto.Gauge{Value: new(1.0)}}}}
	own := prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) {
		return []*dto.MetricFamily{{Name: new("ycm_empty")}, fine}, errors.New("half of it failed")
	})
	var logged strings.Builder
	set := NewSet(own, log.NewLogfmtLogger(&logged))
	mustPublish(t, set, "main", "cloud_pbx", one("ycm_x", "main", 1))
	expectServed(t, set, "after a failure", "ycm_x", "ycm_fine")
	if !strings.Contains(logged.String(), "half of it failed") {
		t.Errorf("the error is not logged:\n%s", logged.String())
	}
}

// A memoryNet connects clients without a network, so that the clock can be fake.
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

// inMemory serves a set to clients in memory, as a daemon does, and returns how they request a scrape.
func inMemory(t *testing.T, set *Set) (scrape func(encoding string) net.Conn) {
	t.Helper()
	listener := &memoryNet{conns: make(chan net.Conn), done: make(chan struct{})}
	server := &http.Server{Handler: promhttp.InstrumentMetricHandler(prometheus.NewRegistry(), set), WriteTimeout: time.Second}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return func(encoding string) net.Conn {
		client := listener.dial()
		t.Cleanup(func() { _ = client.Close() })
		if _, err := io.WriteString(client, "GET /metrics HTTP/1.1\r\nHost: x\r\nAccept-Encoding: "+encoding+"\r\n\r\n"); err != nil {
			t.Error(err)
		}
		return client
	}
}

// expectPlace checks whether one more scrape is served.
func expectPlace(t *testing.T, set *Set, when string, want bool) {
	t.Helper()
	synctest.Wait()
	response, body := get(t, set, "/metrics?account=waiting", "", "")
	switch {
	case want && response.StatusCode != http.StatusOK:
		t.Errorf("%s: %d %.100s, want 200", when, response.StatusCode, body)
	case !want && (response.StatusCode != http.StatusServiceUnavailable || !strings.Contains(string(body), "200 scrapes are in progress")):
		t.Errorf("%s: %d %.100s, want 503", when, response.StatusCode, body)
	case !want && response.Header.Get("Retry-After") != "30":
		t.Errorf("%s: Retry-After is %q, want 30", when, response.Header.Get("Retry-After"))
	}
}

func TestClientsThatDoNotReadAreDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := twoAccounts(t)
		scrape := inMemory(t, set)
		for range maxScrapes - 1 {
			scrape("identity")
		}
		expectPlace(t, set, "the 200th scrape", true)
		scrape("identity")
		expectPlace(t, set, "the 201st scrape", false)
		time.Sleep(stall - time.Second)
		expectPlace(t, set, "without a read for 29 s", false)
		time.Sleep(2 * time.Second)
		expectPlace(t, set, "without a read for 31 s", true)
	})
}

// What is large is shared between scrapes, so clients that do not read cost little.
func TestClientsThatDoNotReadCostLittleMemory(t *testing.T) {
	for encoding, most := range map[string]uint64{"gzip": 100 << 10, "identity": 300 << 10} {
		t.Run(encoding, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				set := publish(t, newFleet("main", 5_000))
				scrape := inMemory(t, set)
				heap := func() uint64 {
					var m runtime.MemStats
					runtime.GC()
					runtime.GC() // What pools hold goes with the second.
					runtime.ReadMemStats(&m)
					return m.HeapAlloc
				}
				scrape(encoding)
				synctest.Wait()
				before := heap()
				for range maxScrapes - 1 {
					scrape(encoding)
				}
				synctest.Wait()
				each := (heap() - before) / (maxScrapes - 1)
				t.Logf("a client that does not read costs %d KiB", each>>10)
				if each > most {
					t.Errorf("a client that does not read costs %d KiB, want at most %d", each>>10, most>>10)
				}
				runtime.KeepAlive(set)
			})
		})
	}
}

// A client on a slow line gets its scrape as long as it keeps reading.
func TestSlowClientIsServedWhileItReads(t *testing.T) {
	for name, c := range map[string]struct {
		pause          time.Duration // before every 64 KiB
		least, longest time.Duration
		whole          bool
	}{
		"a slow client":                {10 * time.Second, 2 * stall, 2 * time.Minute, true},
		"one that stops for over 30 s": {40 * time.Second, 0, 2 * time.Minute, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := inMemory(t, publish(t, newFleet("main", 100)))("identity")
				begun, read := time.Now(), int64(0)
				response, err := http.ReadResponse(bufio.NewReader(client), nil)
				if err != nil {
					t.Fatal(err)
				}
				for err == nil {
					time.Sleep(c.pause)
					var n int64
					n, err = io.CopyN(io.Discard, response.Body, pieceSize)
					read += n
				}
				if whole := errors.Is(err, io.EOF); whole != c.whole {
					t.Errorf("read %d bytes, then %v, want the whole scrape: %t", read, err, c.whole)
				}
				if took := time.Since(begun); took < c.least || took > c.longest {
					t.Errorf("the scrape took %v, want %v to %v", took, c.least, c.longest)
				}
			})
		})
	}
}

func TestNothingIsWrittenToAClientThatLeft(t *testing.T) {
	for _, encoding := range encodings {
		set := twoAccounts(t)
		w := &gone{header: http.Header{}}
		set.ServeHTTP(w, request("protobuf", encoding))
		if w.writes != 1 {
			t.Errorf("%s: %d writes to a client that is gone, want none after the first", encoding, w.writes)
		}
	}
}

// gone is a response of which the client has left.
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

// endsMeanwhile is a poll that ends while the exporter's own metrics are gathered.
type endsMeanwhile struct{ ends func() float64 }

var lastSuccess = prometheus.NewDesc("ycm_last_success", "When the poll ended.", nil, nil)

func (endsMeanwhile) Describe(out chan<- *prometheus.Desc) { out <- lastSuccess }

func (e endsMeanwhile) Collect(out chan<- prometheus.Metric) {
	out <- prometheus.MustNewConstMetric(lastSuccess, prometheus.GaugeValue, e.ends())
}

func TestReportOfAPollIsNotNewerThanItsSeries(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	set := NewSet(registry, log.NewNopLogger())
	poll := 0.0
	registry.MustRegister(endsMeanwhile{func() float64 {
		poll++
		mustPublish(t, set, "main", "firmware", one("ycm_firmware_available", "main", poll))
		return poll
	}})
	var whole bytes.Buffer
	for i, read := range []func() string{
		func() string { return scrapeOf(t, set, "/metrics", "text", "identity") },
		func() string { return scrapeOf(t, set, "/metrics", "text", "identity") },
		func() string {
			if err := set.WriteText(&whole); err != nil {
				t.Fatal(err)
			}
			return whole.String()
		},
	} {
		families := parsed(t, read())
		reported, served := families["ycm_last_success"], families["ycm_firmware_available"]
		if reported == nil || served == nil || served.Metric[0].GetGauge().GetValue() < reported.Metric[0].GetGauge().GetValue() {
			t.Errorf("scrape %d reports a poll that is newer than what it serves: %v and %v", i+1, reported, served)
		}
	}
}
