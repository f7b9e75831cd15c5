package collector_test

import (
	"bytes"
	"errors"
	"flag"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-kit/log"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"go.yaml.in/yaml/v3"

	"github.com/ycm-exporter/ycm_exporter/collector"
	"github.com/ycm-exporter/ycm_exporter/internal/exposition"
	"github.com/ycm-exporter/ycm_exporter/internal/poll"
	"github.com/ycm-exporter/ycm_exporter/internal/secret"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

var update = flag.Bool("update", false, "rewrite the golden expositions of testdata")

// fixtures is a YCM whose answers are the files of testdata/COLLECTOR/api/PATH.json: the vendor's two example records,
// and a PBX, a user or a firmware for each oddity that answers are known or feared to have. A request for which no
// collector has a file is answered with "not found".
func fixtures(t *testing.T) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := strings.TrimPrefix(r.URL.Path, "/dm/open_api/")
		file := filepath.Join("testdata", "not_found.json")
		if path == "oauth/token" {
			file = filepath.Join("testdata", "token.json")
		} else if sn, rest, found := strings.Cut(strings.TrimPrefix(path, "v1/cloud_pbx/"), "/openapi/v1.0/"); found {
			file = fixtureOfPBX(sn, rest, r.URL.Query())
		} else if found, _ := filepath.Glob(filepath.Join("testdata", "*", "api", path+".json")); len(found) > 0 {
			file = found[0]
		}
		w.Header().Set("Content-Type", "application/json")
		http.ServeFile(w, r, file)
	}))
	t.Cleanup(server.Close)
	return server
}

// fixtureOfPBX answers for the fixtures' PBXs as YCM's proxy does: one answers every request, one refuses everything, and the
// others cannot be reached. A menu's file is named for its query: phone_model.Yealink.json. A request for which the first
// has no file is refused too.
func fixtureOfPBX(sn, path string, query url.Values) string {
	switch sn {
	case "3658B431119XXXXX":
		for _, part := range []string{"menu", "vendor", "model"} {
			if query.Has(part) {
				path += "." + query.Get(part)
			}
		}
		if found, _ := filepath.Glob(filepath.Join("testdata", "*", "pbx", path+".json")); len(found) > 0 {
			return found[0]
		}
		return filepath.Join("testdata", "refused.json")
	case "3658B431121XXXXX":
		return filepath.Join("testdata", "refused.json")
	default:
		return filepath.Join("testdata", "not_served.json")
	}
}

// everything is all collectors, enabled, with the settings of testdata/COLLECTOR/settings.yml if there are any.
func everything(t testing.TB) (all []collector.Configured) {
	t.Helper()
	for _, c := range collector.All() {
		one := collector.Configured{Collector: c, Schedule: collector.Schedule{Enabled: true, Interval: time.Hour, StaleAfter: 3 * time.Hour}}
		if c.Settings != nil {
			one.Settings = c.Settings()
			written, err := os.ReadFile(filepath.Join("testdata", c.Name, "settings.yml"))
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Fatal(err)
			}
			if err := yaml.Unmarshal(written, one.Settings); err != nil {
				t.Fatal(err)
			}
		}
		all = append(all, one)
	}
	return all
}

// private is what of the fixtures must be neither shown nor kept.
var private = []string{"Given", "creator@example.com", "user@example.com", "fixture-access-token", "fixture-provisioning-link", "sip.example.com", "805ec0", "5550100001", "1001"}

// shelf keeps the snapshot of each collector.
type shelf map[string]exposition.Source

func (s shelf) Publish(_, collector string, src exposition.Source, _ time.Time) error {
	s[collector] = src
	return nil
}
func (shelf) Withdraw(string, string) {}

// pollAll polls every collector once at a YCM, and returns the snapshots and the exporter's own metrics.
func pollAll(t *testing.T, ycm string, transport *http.Transport, store poll.Store) (shelf, *prometheus.Registry) {
	t.Helper()
	base, err := url.Parse(ycm)
	if err != nil {
		t.Fatal(err)
	}
	s, registry := shelf{}, prometheus.NewPedanticRegistry()
	metrics := poll.NewMetrics(registry)
	t.Cleanup(transport.CloseIdleConnections)
	account := poll.NewAccount(poll.Options{
		Account: "main", BaseURL: base, Collectors: everything(t), Publisher: s, Metrics: metrics, Logger: log.NewNopLogger(), Store: store,
		Client: ycmclient.New(ycmclient.Options{
			Servers: ycmclient.NewServers(nil),
			Account: "main", BaseURL: base, ClientID: "demo-client-id", Secret: secret.Static(secret.New("demo-client-secret")),
			RateLimit: ycmclient.RateLimit{Burst: 100_000, Rate: 100_000, Interval: time.Minute}, Timeout: 30 * time.Second,
			PageConcurrency: 1, Transport: transport, Observer: metrics.Observer("main"),
		}),
	})
	if err := account.Once(t.Context(), nil); err != nil {
		t.Errorf("not every collector succeeded; does the YCM of this test have all its endpoints? %v", err)
	}
	return s, registry
}

// exposed is what a scrape shows of a snapshot, which a set verifies first.
func exposed(t *testing.T, source exposition.Source) string {
	t.Helper()
	set := exposition.NewSet(prometheus.NewRegistry(), log.NewNopLogger())
	if err := set.Publish("main", "shown", source, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := set.WriteText(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// golden compares with a file of testdata, or with -update rewrites it.
func golden(t *testing.T, path, got string) {
	t.Helper()
	path = filepath.Join("testdata", path)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; write it with go test ./collector -update, and read it", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got); if that is meant, go test ./collector -update:\n%s", path, diff)
	}
}

// requestsOf finds the endpoints that were requested.
var requestsOf = regexp.MustCompile(`^ycm_api_requests_total\{.*endpoint="([a-z_]+)"`)

// What the fixtures' JSON becomes, to the letter. Every family of a collector has a sample there, and client_golang's
// linter has nothing against it.
func TestGoldenExpositions(t *testing.T) {
	for _, c := range collector.All() {
		if _, err := os.Stat(filepath.Join("testdata", c.Name)); err != nil {
			t.Fatalf("collector %s has no fixtures: put what the API answers into collector/testdata/%[1]s/api/PATH.json, or what a PBX "+
				"answers into collector/testdata/%[1]s/pbx/PATH.json, and run go test ./collector -update", c.Name)
		}
	}
	snapshots, registry := pollAll(t, fixtures(t).URL, &http.Transport{}, nil)
	for _, c := range collector.All() {
		t.Run(c.Name, func(t *testing.T) {
			if snapshots[c.Name] == nil {
				t.Fatalf("there is no snapshot; do the fixtures in collector/testdata/%s have all that it requests?", c.Name)
			}
			shown := exposed(t, snapshots[c.Name])
			for _, f := range c.Families {
				if !strings.Contains(shown, "\n"+f.Name+"{") {
					t.Errorf("no fixture in collector/testdata/%s makes a sample of %s", c.Name, f.Name)
				}
			}
			problems, err := promlint.New(strings.NewReader(shown)).Lint()
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range problems {
				t.Errorf("%s: %s", p.Metric, p.Text)
			}
			for _, private := range private {
				if strings.Contains(shown, private) {
					t.Errorf("the metrics show %q", private)
				}
			}
			golden(t, filepath.Join(c.Name, "metrics.txt"), ageOfBackup.ReplaceAllString(shown, "$1 AGE"))
		})
	}
	var unexpected strings.Builder
	set := exposition.NewSet(registry, log.NewNopLogger())
	var all bytes.Buffer
	if err := set.WriteText(&all); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(all.String()) {
		if strings.HasPrefix(line, "ycm_api_unexpected_values_total{") {
			unexpected.WriteString(line)
		}
		if requested := requestsOf.FindStringSubmatch(line); requested != nil && requested[1] != ycmclient.EndpointToken && !slices.ContainsFunc(collector.All(), func(c collector.Collector) bool {
			return slices.Contains(c.Endpoints, requested[1])
		}) {
			t.Errorf("endpoint %s is requested, but no collector has it among its Endpoints, so its counters do not start at 0", requested[1])
		}
	}
	golden(t, "unexpected.metrics", unexpected.String())
}

// A PBX without trunks, extensions and phones has none of them, however it reports that, and its polls succeed.
func TestEmptyPBX(t *testing.T) {
	for _, notFound := range []bool{false, true} {
		ycm := ycmtest.New(ycmtest.Options{PBXs: 1, Seed: 1})
		t.Cleanup(ycm.Close)
		ycm.Update(ycm.IDs()[0], func(p *ycmtest.PBX) {
			p.Status, p.Activation, p.Version, p.APIError, p.EmptyIsNotFound = ycmtest.Running, "Activated", "84.21.0.117", 0, notFound
			p.Trunks, p.Extensions, p.Phones = []ycmtest.Trunk{}, []ycmtest.Extension{}, []ycmtest.Phone{}
		})
		snapshots, _ := pollAll(t, "https://ycm.example.com", ycm.Transport(), nil)
		for name, want := range map[string][]string{
			"trunks": {"ycm_cloud_pbx_trunks_truncated"}, "extensions": {"ycm_cloud_pbx_extensions_reachable"}, "phones": {"ycm_cloud_pbx_phones_truncated"},
		} {
			var got []string
			for line := range strings.Lines(exposed(t, snapshots[name])) {
				if family, value, ok := strings.Cut(strings.TrimSpace(line), "{"); ok && strings.HasPrefix(line, "ycm_cloud_pbx_") && strings.HasSuffix(value, "} 0") {
					got = append(got, family)
				} else if strings.HasPrefix(line, "ycm_cloud_pbx_") {
					t.Errorf("an empty PBX (by 60001: %t) has %s", notFound, line)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("samples of %s of an empty PBX, by 60001: %t (-want +got):\n%s", name, notFound, diff)
			}
		}
	}
}

// The simulator has the endpoints of every collector, for the demo and for tests.
func TestSimulatorServesEveryCollector(t *testing.T) {
	ycm := ycmtest.New(ycmtest.Options{PBXs: 60, Seed: 1})
	t.Cleanup(ycm.Close)
	snapshots, _ := pollAll(t, "https://ycm.example.com", ycm.Transport(), nil)
	for _, c := range collector.All() {
		if snapshots[c.Name] == nil {
			t.Errorf("collector %s has no snapshot of the simulator: add its endpoints to ycmclient/ycmtest", c.Name)
			continue
		}
		shown := exposed(t, snapshots[c.Name])
		for _, f := range c.Families {
			if !strings.Contains(shown, "\n"+f.Name+"{") {
				t.Errorf("nothing that the simulator answers makes a sample of %s, of collector %s", f.Name, c.Name)
			}
		}
	}
	for _, v := range ycm.Violations() {
		t.Errorf("the simulator saw what an exporter must not do: %s", v)
	}
}
