//go:build e2e

// Package e2e runs the exporter's demo with real Prometheus, Alertmanager and Grafana, as an operator would.
package e2e

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// stack is everything that an operator runs.
type stack struct {
	exporter, simulator                string
	prometheus, alertmanager, grafana  string
	prometheusData                     string
	prometheusProcess, exporterProcess *process
	// rulesAsWritten leaves the rules their own waits and intervals.
	rulesAsWritten bool
}

// scrapeEvery is short, so that a run takes minutes; rules wait a few scrapes instead of their own times.
const scrapeEvery = 2 * time.Second

func start(t *testing.T) *stack {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	s := &stack{}
	s.startExporter(t, root, "--demo.incidents")
	s.startAlertmanager(t, root)
	s.startPrometheus(t, root)
	return s
}

func (s *stack) startExporter(t *testing.T, root string, flags ...string) {
	address := freePort(t)
	s.exporter = "http://" + address
	s.exporterProcess = launch(t, root, nil, filepath.Join(root, "ycm_exporter"), append(flags, "--demo", "--web.listen-address="+address)...)
	within(t, 30*time.Second, func() error { _, err := get(s.exporter + "/-/ready"); return err })
	m := regexp.MustCompile(`'(http://\S+)/sim/pbx/`).FindStringSubmatch(s.exporterProcess.output())
	if m == nil {
		t.Fatalf("the demo does not print where its simulator is:\n%s", s.exporterProcess.output())
	}
	s.simulator = m[1]
}

func (s *stack) startAlertmanager(t *testing.T, root string) {
	address := freePort(t)
	s.alertmanager = "http://" + address
	launch(t, t.TempDir(), nil, tool(t, "alertmanager"),
		"--config.file="+filepath.Join(root, "alerts", "alertmanager.example.yml"),
		"--storage.path=data", "--web.listen-address="+address, "--cluster.listen-address=")
	within(t, 30*time.Second, func() error { _, err := get(s.alertmanager + "/-/ready"); return err })
}

// forTimes are how long alerts wait before they fire, which would take an end-to-end run hours.
var forTimes = regexp.MustCompile(`(?m)^(\s+(?:for|keep_firing_for): ).*$`)

func (s *stack) startPrometheus(t *testing.T, root string) {
	// The first job is the one that dashboards and rules see; the other two prove the other formats.
	target := strings.TrimPrefix(s.exporter, "http://")
	job := func(name, protocol, more string) string {
		return fmt.Sprintf("  - job_name: %s\n    scrape_protocols: [%s]\n%s    static_configs: [{targets: [%q]}]\n", name, protocol, more, target)
	}
	keepNothing := "    metric_relabel_configs: [{source_labels: [__name__], regex: go_info, action: keep}]\n"
	s.launchPrometheus(t, root, scrapeEvery, "scrape_configs:\n"+
		job("ycm_exporter", "PrometheusProto", "    scrape_native_histograms: true\n")+
		job("text", "PrometheusText0.0.4", keepNothing)+
		job("openmetrics", "OpenMetricsText1.0.0", keepNothing)+
		fmt.Sprintf("alerting: {alertmanagers: [{static_configs: [{targets: [%q]}]}]}\n", strings.TrimPrefix(s.alertmanager, "http://")))
}

// copyRules puts every rule of the repository into a folder, their waits shortened unless they shall be as written.
func copyRules(t *testing.T, root, dir string, asWritten bool) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "alerts", "ycm.*.yml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no rules: %v", err)
	}
	for _, file := range files {
		rules, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !asWritten {
			rules = forTimes.ReplaceAll(rules, []byte("${1}5s"))
			rules = regexp.MustCompile(`\d+ \* 60 \+ 0`).ReplaceAll(rules, []byte("5 + 0"))          // ycm:threshold:status_seconds
			rules = regexp.MustCompile(`(\[1d\]\)) >= 30\)`).ReplaceAll(rules, []byte("${1} >= 3)")) // history of YcmManyCloudPbxsNotRunning
			rules = regexp.MustCompile(`(?m)^(\s+interval: ).*$`).ReplaceAll(rules, []byte("${1}5s"))
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(file)), rules, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// launchPrometheus starts a Prometheus with every rule of the repository and the rest of its
// configuration as given.
func (s *stack) launchPrometheus(t *testing.T, root string, every time.Duration, rest string) {
	t.Helper()
	dir, address := t.TempDir(), freePort(t)
	copyRules(t, root, dir, s.rulesAsWritten)
	config := fmt.Sprintf("global: {scrape_interval: %v, evaluation_interval: 5s}\nrule_files: [ycm.*.yml]\n", every) + rest
	if err := os.WriteFile(filepath.Join(dir, "prometheus.yml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	s.prometheus, s.prometheusData = "http://"+address, filepath.Join(dir, "data")
	s.prometheusProcess = launch(t, dir, nil, tool(t, "prometheus"), "--config.file=prometheus.yml",
		"--storage.tsdb.path=data", "--web.listen-address="+address, "--storage.tsdb.retention.time=30d")
	within(t, 60*time.Second, func() error { _, err := get(s.prometheus + "/-/ready"); return err })
}

// sample is one series of an instant query's answer.
type sample struct {
	Metric map[string]string `json:"metric"`
	Value  []any             `json:"value"`
}

// query sends a query to Prometheus about the present moment.
func (s *stack) query(expr string) ([]sample, error) {
	return queryAt(s.prometheus, expr, time.Now())
}

// queryAt sends a query about one moment to a server with Prometheus's API.
func queryAt(server, expr string, at time.Time) ([]sample, error) {
	body, err := get(fmt.Sprintf("%s/api/v1/query?time=%d&query=%s", server, at.Unix(), url.QueryEscape(expr)))
	if err != nil {
		return nil, err
	}
	var answer struct {
		Data struct {
			Result []sample `json:"result"`
		} `json:"data"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, fmt.Errorf("query %s: %w", expr, err)
	}
	return answer.Data.Result, nil
}
