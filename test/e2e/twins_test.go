//go:build e2e

package e2e

import (
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestDashboardsCountEachPBXOnce sends every query of every dashboard to a Prometheus that scrapes one exporter of the
// account, of one that scrapes two, and, where it can be had, of VictoriaMetrics: all must give the same.
func TestDashboardsCountEachPBXOnce(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	// What is scraped stands still, so that the answers can be compared.
	metrics, err := exec.CommandContext(t.Context(), filepath.Join(root, "ycm_exporter"), "--once", "--demo", "--demo.incidents").Output()
	if err != nil {
		t.Fatal(err)
	}
	exporter := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		_, _ = w.Write(metrics)
	}))
	t.Cleanup(exporter.Close)
	target := strings.TrimPrefix(exporter.URL, "http://")
	job := func(name string) string {
		return fmt.Sprintf("  - {job_name: %s, static_configs: [{targets: [%q]}]}\n", name, target)
	}
	victoria, write := startVictoria(t)
	one, two := &stack{}, &stack{}
	const every = 10 * time.Second
	one.launchPrometheus(t, root, every, "scrape_configs:\n"+job("ycm_exporter")+write)
	two.launchPrometheus(t, root, every, "scrape_configs:\n"+job("ycm_exporter")+job("ycm_exporter_twin"))
	// A moment at which both had been scraped and had evaluated the rules for a while.
	var at time.Time
	within(t, 5*time.Minute, func() error {
		at = time.Now().Add(-30 * time.Second)
		for _, s := range []*stack{one, two} {
			settled, err := queryAt(s.prometheus, `count(cloud_pbx:ycm_cloud_pbx_backup:old offset 30s) and on () account_region_group_behind:ycm_cloud_pbxs:count offset 30s
				and on () min(min_over_time(up[1m])) == 1`, at)
			if err != nil {
				return err
			}
			if len(settled) == 0 {
				return fmt.Errorf("the rules have not been evaluated for a minute")
			}
		}
		return nil
	})
	pbx, err := one.query(`topk(1, ycm_cloud_pbx_extensions_used)`)
	if err != nil || len(pbx) != 1 {
		t.Fatalf("there is no PBX: %v, %v", pbx, err)
	}
	compared, answered := 0, 0
	for _, q := range boardQueries(t, pbx[0].Metric["cloud_pbx_id"]) {
		if strings.Contains(q.expr, "instance") && !strings.Contains(q.expr, "group_left () up") {
			continue // a query about each exporter by itself
		}
		want, err := queryAt(one.prometheus, q.expr, at)
		if err != nil {
			t.Errorf("%s, %s: Prometheus refuses %s: %v", q.board, q.panel, q.expr, err)
			continue
		}
		compared++
		if len(want) > 0 {
			answered++
		}
		got, err := queryAt(two.prometheus, q.expr, at)
		if err != nil {
			t.Errorf("%s, %s: with two exporters Prometheus refuses %s: %v", q.board, q.panel, q.expr, err)
		} else if diff := cmp.Diff(plain(q, want), plain(q, got)); diff != "" {
			t.Errorf("%s, %s: two exporters give another answer to %s (-one +two):\n%s", q.board, q.panel, q.expr, diff)
		}
		if victoria == "" {
			continue
		}
		got, err = queryAt(victoria, q.expr, at)
		if err != nil {
			t.Errorf("%s, %s: VictoriaMetrics refuses %s: %v", q.board, q.panel, q.expr, err)
		} else if diff := cmp.Diff(plain(q, want), plain(q, got)); diff != "" && !strings.Contains(q.expr, "increase(") {
			// VictoriaMetrics counts a counter's first value as an increase.
			t.Errorf("%s, %s: VictoriaMetrics gives another answer to %s (-Prometheus +VictoriaMetrics):\n%s", q.board, q.panel, q.expr, diff)
		}
	}
	t.Logf("%d queries were compared, %d of them had an answer", compared, answered)
	if answered < compared/2 {
		t.Errorf("only %d of %d queries had an answer: there is nothing to compare", answered, compared)
	}
}

// startVictoria starts a VictoriaMetrics, if there is one, and returns its address and what makes Prometheus write to it.
func startVictoria(t *testing.T) (address, write string) {
	program, err := exec.LookPath("victoria-metrics")
	if err != nil {
		t.Log("SKIPPED: nothing is compared with VictoriaMetrics, which is not on the PATH (Debian: apt-get install victoria-metrics)")
		return "", ""
	}
	listen := freePort(t)
	address = "http://" + listen
	launch(t, t.TempDir(), nil, program, "-httpListenAddr="+listen, "-storageDataPath=data", "-search.latencyOffset=0s", "-retentionPeriod=1")
	within(t, 30*time.Second, func() error { _, err := get(address + "/health"); return err })
	return address, "remote_write: [{url: '" + address + "/api/v1/write'}]\n"
}

// ownHistory matches what each Prometheus records from its own start on, and they were not started at once.
var ownHistory = regexp.MustCompile(`ALERTS_FOR_STATE|:since\{|:(?:sum|count)1h\{`)

// plain is an answer without order, without digits that come of the order of additions, and without what is no number,
// which VictoriaMetrics leaves out. Of the 20 greatest only the values count: which of two equals is the last is chance.
func plain(q boardQuery, samples []sample) []string {
	cut := strings.Contains(q.expr, "topk(20,") || strings.Contains(q.expr, "bottomk(20,")
	lines := make([]string, 0, len(samples))
	for _, s := range samples {
		labels := make([]string, 0, len(s.Metric))
		for name, value := range s.Metric {
			if !cut && name != "__name__" && value != "" {
				labels = append(labels, fmt.Sprintf("%s=%q", name, value))
			}
		}
		slices.Sort(labels)
		value, _ := strconv.ParseFloat(fmt.Sprint(s.Value[1]), 64)
		if math.IsNaN(value) {
			continue
		}
		if math.Abs(value) < 1e9 {
			value = math.Round(value*1e4) / 1e4
		}
		if ownHistory.MatchString(q.expr) {
			value = 0
		}
		lines = append(lines, fmt.Sprintf("{%s} %v", strings.Join(labels, ", "), value))
	}
	slices.Sort(lines)
	return lines
}
