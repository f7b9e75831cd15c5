//go:build e2e

package e2e

import (
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// badState is a situation with little or no data, and what of the dashboards may be green all the same.
type badState struct {
	name       string
	pbxs       int
	staleAfter string
	// happen is what goes wrong once the fleet was exported.
	happen func(*stack, *httptest.Server)
	// reached is a query that answers once it has gone wrong for long enough to look at the dashboards.
	reached string
	// first is a part of the text that the banner must show.
	first string
	// green are the tiles, or dashboards, that have data even so; nil: no matter.
	green []string
	// dead means that nothing is scraped: then panels show no data, however long recorded series remain.
	dead bool
	// rulesAsWritten leaves the rules their own intervals, which takes two minutes.
	rulesAsWritten bool
}

// known are the panels that show something when nothing is scraped: the age of the data, alerts, history.
var known = []string{
	"Data freshness", "Alerts firing", "Alerts", "Alerts: critical", "Alerts: warning", "Alerts of this PBX", "By account", "Collectors", "Exporters", "Outages",
	"Availability", "Month to date", "Month to date: worst twenty PBXs", "PBXs below target", "Worst twenty PBXs",
	"Availability by account", "Availability by region", "Availability by group",
}

var badStates = []badState{
	{
		name: "exporter-dead", pbxs: 200, staleAfter: "10m",
		happen:  func(s *stack, _ *httptest.Server) { s.exporterProcess.interrupt() },
		reached: `up == 0 and max_over_time(up[2m]) == 0`,
		first:   "exporter down", green: []string{}, dead: true,
	},
	{
		name: "exporter-just-died", pbxs: 200, staleAfter: "10m", rulesAsWritten: true,
		happen:  func(s *stack, _ *httptest.Server) { s.exporterProcess.interrupt() },
		reached: `up == 0 and on () cloud_pbx:ycm_cloud_pbx_status:not_running`,
		first:   "exporter down", green: []string{}, dead: true,
	},
	{
		name: "account-fails", pbxs: 200, staleAfter: "10m",
		happen:  func(_ *stack, ycm *httptest.Server) { ycm.Close() },
		reached: `ycm_up == 0`, first: "polls failing",
	},
	{
		name: "login-refused", pbxs: 200, staleAfter: "10m",
		happen: func(_ *stack, ycm *httptest.Server) {
			simulator := ycm.Config.Handler.(*ycmtest.Server)
			simulator.SetSecret("demo-client-id", "another")
			simulator.ExpireTokens()
		},
		reached: `ycm_up == 0 and on (account) increase(ycm_collector_polls_total{result="auth"}[20m]) > 0`, first: "main: login refused, last success",
	},
	{
		name: "data-stale", pbxs: 200, staleAfter: "20s",
		happen:  func(_ *stack, ycm *httptest.Server) { ycm.Close() },
		reached: `ycm_up == 0 unless on (account) (ycm_cloud_pbxs or ycm_subscription_extensions_used or ycm_region_info)`,
		first:   "no data, last poll", green: []string{"ycm-exporter", "Alerts firing", "Alerts: critical", "Alerts: warning"},
	},
	{
		name: "empty-fleet", pbxs: -1, staleAfter: "10m", happen: func(*stack, *httptest.Server) {},
		reached: `ycm_cloud_pbxs == 0`, first: "check the account's rights", green: []string{"ycm-exporter", "Alerts firing", "Alerts: critical", "Alerts: warning"},
	},
	{
		name: "one-pbx", pbxs: 1, staleAfter: "10m", happen: func(*stack, *httptest.Server) {},
		reached: `account_region_group_status:ycm_cloud_pbxs:count`, first: "age of the data",
	},
}

// TestDashboardsShowMissingData opens every dashboard with little or no data. A tile may be green only because
// of data: at 3 a.m. each must be understood at once.
func TestDashboardsShowMissingData(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	grafana := &stack{prometheus: "http://127.0.0.1:9"} // each state brings a data source of its own
	grafana.startGrafana(t)
	for _, b := range badStates {
		t.Run(b.name, func(t *testing.T) {
			s := b.start(t, root)
			within(t, 6*time.Minute, func() error {
				reached, err := s.query(b.reached)
				if err == nil && len(reached) == 0 {
					err = fmt.Errorf("the state %s is not reached: no answer to %s", b.name, b.reached)
				}
				return err
			})
			time.Sleep(3 * scrapeEvery) // for rules and queries to see it
			b.judgeQueries(t, s)
			b.judgePanels(t, s, grafana.grafana)
		})
	}
}

// start runs an exporter of a simulated fleet with a Prometheus of its own until the fleet was exported, and then lets happen
// what the state is about.
func (b badState) start(t *testing.T, root string) *stack {
	t.Helper()
	ycm := httptest.NewServer(ycmtest.New(ycmtest.Options{PBXs: b.pbxs, Seed: 1, Live: true}))
	t.Cleanup(ycm.Close)
	schedule := "{enabled: true, interval: 5s, stale_after: " + b.staleAfter + "}"
	config := fmt.Sprintf(`
accounts:
  - name: main
    base_url: %s
    client_id: demo-client-id
    client_secret: demo-client-secret
    rate_limit: {burst: 1000000, rate: 1000000, interval: 1m}
collectors:
  cloud_pbx: %[2]s
  firmware: %[2]s
  subscription: %[2]s
  users: %[2]s
  pbx_api: %[2]s
  trunks: %[2]s
`, ycm.URL, schedule)
	file := filepath.Join(t.TempDir(), "config.yml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	s, address := &stack{rulesAsWritten: b.rulesAsWritten}, freePort(t)
	s.exporter = "http://" + address
	s.exporterProcess = launch(t, root, nil, filepath.Join(root, "ycm_exporter"), "--config.file="+file, "--web.listen-address="+address)
	s.launchPrometheus(t, root, 5*time.Second, fmt.Sprintf("scrape_configs: [{job_name: ycm_exporter, static_configs: [{targets: [%q]}]}]\n", address))
	known := `ycm_cloud_pbxs and on () (ycm_subscription_extensions_used and on () account:ycm_cloud_pbxs:max)`
	if b.dead {
		known += ` and on () cloud_pbx:ycm_cloud_pbx_status:not_running and on () account_region_group:ycm_cloud_pbx_extensions_used:sum`
	}
	within(t, 4*time.Minute, func() error {
		seen, err := s.query(known)
		if err == nil && len(seen) == 0 {
			err = fmt.Errorf("the fleet was not exported")
		}
		return err
	})
	b.happen(s, ycm)
	return s
}

// judgeQueries runs the queries of the tiles: none of them may come out green without data, and the first must show why.
func (b badState) judgeQueries(t *testing.T, s *stack) {
	for _, q := range boardQueries(t, "7700") {
		if b.dead && slices.Contains([]string{"stat", "bargauge", "table", "barchart"}, q.kind) && !slices.Contains(known, q.panel) {
			if answers, err := s.query(q.expr); err != nil || len(answers) > 0 {
				t.Errorf("%s: %q shows %v (%v), although nothing is scraped: %s", q.board, q.panel, answers, err, q.expr)
			}
		}
		if q.kind != "stat" || q.panel == "Data freshness" || b.green == nil || slices.Contains(b.green, q.panel) || slices.Contains(b.green, q.board) {
			continue
		}
		answers, err := s.query(q.expr)
		if err != nil {
			t.Errorf("%s, %s: %v", q.board, q.panel, err)
		}
		for _, a := range answers {
			value, err := strconv.ParseFloat(a.Value[1].(string), 64)
			if err != nil {
				t.Errorf("%s, %s: %v", q.board, q.panel, err)
			}
			if q.colour(value) == "green" {
				t.Errorf("%s: the tile %q is green, with %v, although there is no data: %s", q.board, q.panel, value, q.expr)
			}
		}
	}
}

// judgePanels opens every dashboard in a browser. The screenshots are kept in E2E_PICTURES.
func (b badState) judgePanels(t *testing.T, s *stack, grafana string) {
	pictures := t.TempDir()
	if folder := os.Getenv("E2E_PICTURES"); folder != "" {
		pictures = filepath.Join(folder, b.name)
	}
	green := "any"
	if b.green != nil {
		green = strings.Join(b.green, ",")
	}
	cmd := exec.CommandContext(t.Context(), "node", "panels.mjs", pictures)
	cmd.Env = append(os.Environ(), "GRAFANA_URL="+grafana, "PROMETHEUS_URL="+s.prometheus, "STATE="+b.name, "FIRST="+b.first, "GREEN="+green, "FROM=now-10m")
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Errorf("opening the dashboards: %v", err)
	}
}
