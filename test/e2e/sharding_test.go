//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestTwoPrometheusServersShareAFleet runs what alerts/README.md shows: two servers that keep two of four shards each, and
// a third that reads both. Each PBX is scraped once, each server is quiet about the other's shards, and what needs the
// complete fleet is reported by the third: an outage of a region, and a server that is gone.
func TestTwoPrometheusServersShareAFleet(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	s := &stack{}
	s.startExporter(t, root, "--web.sd-shards=4")
	scraping, reading := documented(t, root, "prometheus-a.yml"), documented(t, root, "prometheus-global.yml")

	a := startDocumented(t, root, strings.ReplaceAll(scraping, "http://ycm-exporter:10055", s.exporter))
	other := strings.NewReplacer("http://ycm-exporter:10055", s.exporter, "server: a", "server: b", "'0|2'", "'1|3'")
	b := startDocumented(t, root, other.Replace(scraping))
	global := startDocumented(t, root, strings.NewReplacer("http://prometheus-a:9090", a.url, "http://prometheus-b:9090", b.url).Replace(reading))

	const perFleet = `YcmExporterDown|YcmNoExporter|YcmExporterInstanceDown|YcmAccountMissing|YcmFirstWalkUnfinished|YcmShard.*`
	quiet := `count(ALERTS{alertname=~"` + perFleet + `"}) or vector(0)`
	for _, c := range []struct {
		server *server
		name   string
		query  string
		want   string
	}{
		{a, "a", `count(up == 1)`, "2"},
		{b, "b", `count(up == 1)`, "2"},
		{global, "global", `count(ycm_cloud_pbx_info)`, "200"},
		{global, "global", `count(count by (cloud_pbx_id) (ycm_cloud_pbx_info))`, "200"},
		{global, "global", `count(ycm_cloud_pbxs)`, "1"},
		{global, "global", `account:ycm_cloud_pbxs:count`, "200"},
		{global, "global", `sum(account_region_status:ycm_cloud_pbxs:count)`, "200"},
		{global, "global", quiet, "0"},
		{a, "a", quiet, "0"},
		{b, "b", quiet, "0"},
	} {
		c.server.becomes(t, c.name, c.query, c.want)
	}

	pbxs, err := queryAt(global.url, `ycm_cloud_pbx_status{status="Running", region="Europe(Frankfurt)"} == 1`, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for _, pbx := range pbxs {
		s.steer(t, http.MethodPost, "/sim/pbx/"+pbx.Metric["cloud_pbx_id"]+"/status?value=Stopped")
	}
	global.becomes(t, "global", `count(ALERTS{alertname="YcmManyCloudPbxsNotRunning", alertstate="firing", region="Europe(Frankfurt)"})`, "1")

	b.process.interrupt()
	global.becomes(t, "global", `count(ALERTS{alertname="YcmShardMissing", alertstate="firing", account="demo", shards="4"})`, "1")
}

// server is a Prometheus of the test's.
type server struct {
	url     string
	process *process
}

// documented is the configuration that alerts/README.md shows under a name.
func documented(t *testing.T, root, name string) string {
	t.Helper()
	readme, err := os.ReadFile(filepath.Join(root, "alerts", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```yaml\n# " + regexp.QuoteMeta(name) + "(.*?)```").FindSubmatch(readme)
	if block == nil {
		t.Fatalf("alerts/README.md does not show %s", name)
	}
	return "#" + string(block[1])
}

// startDocumented runs Prometheus with a documented configuration, more often.
func startDocumented(t *testing.T, root, config string) *server {
	t.Helper()
	dir, address := t.TempDir(), freePort(t)
	if strings.Contains(config, "global:") {
		config = strings.Replace(config, "global:\n", "global:\n  scrape_interval: 2s\n  evaluation_interval: 5s\n", 1)
	} else {
		config += "global: {evaluation_interval: 5s}\n"
	}
	config = strings.ReplaceAll(config, "http_sd_configs:\n      - url:", "http_sd_configs:\n      - refresh_interval: 5s\n        url:")
	if err := os.Mkdir(filepath.Join(dir, "rules"), 0o700); err != nil {
		t.Fatal(err)
	}
	copyRules(t, root, filepath.Join(dir, "rules"), false)
	if err := os.WriteFile(filepath.Join(dir, "prometheus.yml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	p := launch(t, dir, nil, tool(t, "prometheus"), "--config.file=prometheus.yml", "--storage.tsdb.path=data", "--web.listen-address="+address)
	s := &server{url: "http://" + address, process: p}
	within(t, 60*time.Second, func() error { _, err := get(s.url + "/-/ready"); return err })
	return s
}

// becomes waits until a query gives a value.
func (s *server) becomes(t *testing.T, name, query, want string) {
	t.Helper()
	within(t, 2*time.Minute, func() error {
		got, err := queryAt(s.url, query, time.Now())
		if err == nil && (len(got) != 1 || fmt.Sprint(got[0].Value[1]) != want) {
			err = fmt.Errorf("on %s %s is %v, want %s", name, query, got, want)
		}
		return err
	})
}
