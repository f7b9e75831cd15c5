package cli

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/ycm-exporter/ycm_exporter/internal/exposition"
	"github.com/ycm-exporter/ycm_exporter/internal/poll"
	"github.com/ycm-exporter/ycm_exporter/internal/secret"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// What each family costs is what a user must know before excluding it. It is that of a simulated fleet, at a time
// that stands still.
func TestDocsListTheCostOfEachMetric(t *testing.T) {
	t.Parallel()
	var want string
	synctest.Test(t, func(t *testing.T) { want = costs(t) })
	compareSection(t, "costs", want)
}

// What Prometheus takes for one series: bytes of memory, and bytes on disk in a day with a scrape every 30 s.
const (
	memoryOfSeries = 3_500
	diskOfSeries   = 2_880 * 1.5
)

// costs measures the families of PBXs, collector by collector, those that cost most first.
func costs(t *testing.T) string {
	const pbxs = 200
	ycm := ycmtest.New(ycmtest.Options{PBXs: pbxs, Seed: 1, Healthy: true})
	defer ycm.Close()
	taken := sources{}
	account := poll.NewAccount(poll.Options{
		Account: "main", BaseURL: &url.URL{Scheme: "https", Host: "ycm.example.com"}, Collectors: demoConfig(nil, 0).Collectors,
		Publisher: taken, Metrics: poll.NewMetrics(prometheus.NewRegistry()), Logger: log.NewNopLogger(),
		Client: ycmclient.New(ycmclient.Options{
			Servers: ycmclient.NewServers(nil), Observer: ycmclient.Unobserved,
			Account: "main", BaseURL: &url.URL{Scheme: "https", Host: "ycm.example.com"}, ClientID: demoClientID,
			Secret: secret.Static(secret.New(demoClientSecret)), RateLimit: ycmclient.RateLimit{Burst: 100_000, Rate: 100_000, Interval: time.Minute},
			Timeout: 30 * time.Second, PageConcurrency: 1, Transport: ycm.Transport(),
		}),
	})
	if err := account.Once(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	out.WriteString("| metric | collector | series | text | gzip | Prometheus: memory | disk a day |\n|---|---|---|---|---|---|---|\n")
	for _, c := range demoConfig(nil, 0).Collectors {
		type row struct {
			name                   string
			series, text, squeezed float64
		}
		var rows []row
		for i, f := range taken[c.Name].Families() {
			if !slices.Contains(f.Labels, "cloud_pbx_id") {
				continue
			}
			one := single{taken[c.Name], i}
			r := row{name: f.Name, text: float64(scraped(t, one, "identity")) / pbxs, squeezed: float64(scraped(t, one, "gzip")) / pbxs}
			one.Each(0, exposition.Shard{}, func([]string, float64) { r.series += 1.0 / pbxs })
			rows = append(rows, r)
		}
		slices.SortStableFunc(rows, func(a, b row) int { return int(100 * (b.series - a.series)) })
		for _, r := range rows {
			fmt.Fprintf(&out, "| `%s` | `%s` | %.1f | %s | %s | %s | %s |\n", r.name, c.Name, r.series,
				rounded(r.text), rounded(r.squeezed), rounded(r.series*memoryOfSeries), rounded(r.series*diskOfSeries))
		}
	}
	return out.String()
}

// rounded is bytes, to two digits.
func rounded(bytes float64) string {
	unit := "B"
	if bytes >= 995 {
		bytes, unit = bytes/1000, "kB"
	}
	if bytes < 9.95 {
		return fmt.Sprintf("%.1f %s", bytes, unit)
	}
	return fmt.Sprintf("%.0f %s", bytes, unit)
}

// scraped is how many bytes a scrape of a source has.
func scraped(t *testing.T, source exposition.Source, encoding string) int {
	t.Helper()
	set := exposition.NewSet(prometheus.NewRegistry(), log.NewNopLogger())
	if err := set.Publish("main", "measured", source, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	r.Header.Set("Accept-Encoding", encoding)
	w := httptest.NewRecorder()
	set.ServeHTTP(w, r)
	return w.Body.Len()
}

// single is one family of a source.
type single struct {
	of     exposition.Source
	family int
}

func (s single) Families() []exposition.Family { return s.of.Families()[s.family : s.family+1] }

func (s single) Each(_ int, shard exposition.Shard, emit func([]string, float64)) {
	s.of.Each(s.family, shard, emit)
}

// sources takes the snapshots of collectors.
type sources map[string]exposition.Source

func (s sources) Publish(_, collector string, source exposition.Source, _ time.Time) error {
	s[collector] = source
	return nil
}
func (sources) Withdraw(string, string) {}
