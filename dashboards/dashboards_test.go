// Package dashboards holds Grafana dashboards; its test keeps them true to the exporter.
package dashboards_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.yaml.in/yaml/v3"

	"github.com/ycm-exporter/ycm_exporter/collector"
	"github.com/ycm-exporter/ycm_exporter/internal/poll"
)

var (
	quoted   = regexp.MustCompile("\\[[^]]*\\]|\"(?:[^\"\\\\]|\\\\.)*\"|`[^`]*`")
	word     = regexp.MustCompile(`\b[a-zA-Z_:][a-zA-Z0-9_:]*`)
	named    = regexp.MustCompile(`fqName: "([^"]+)"`)
	recorded = regexp.MustCompile(`(?m)^\s+- record: (\S+)$`)
)

const rules = "../alerts/ycm.dashboards.yml"

// A metric that is renamed in the code, or a rule that is renamed, would leave a panel that shows nothing.
func TestPanelsUseMetricsThatExist(t *testing.T) {
	known := servedNames()
	for _, name := range recordedNames(t, "../alerts/*.yml") {
		known[name] = true
	}
	used := map[string]bool{}
	files, err := filepath.Glob("*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no dashboards are here: %v", err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var dashboard any
		if err := json.Unmarshal(content, &dashboard); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		queries := 0
		eachQuery(dashboard, func(query string) {
			queries++
			checkNames(t, file, query, known, used)
		})
		if queries == 0 {
			t.Errorf("%s has no query", file)
		}
	}
	for _, name := range recordedNames(t, rules) {
		if !used[name] {
			t.Errorf("%s records %s, which no panel reads", rules, name)
		}
	}
}

// The rules of the dashboards read metrics and other rules that may be renamed as well.
func TestRulesOfTheDashboardsUseMetricsThatExist(t *testing.T) {
	known := servedNames()
	for _, name := range recordedNames(t, "../alerts/*.yml") {
		known[name] = true
	}
	var file struct {
		Groups []struct {
			Rules []struct{ Record, Expr string }
		}
	}
	content, err := os.ReadFile(rules)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(content, &file); err != nil {
		t.Fatalf("%s: %v", rules, err)
	}
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			checkNames(t, r.Record, r.Expr, known, map[string]bool{})
		}
	}
}

// What Alertmanager inhibits is not counted as an alert of its own, and alerts that are renamed would no longer be found.
func TestAlertsOfTheDashboardsAreThoseOfTheRules(t *testing.T) {
	content, err := os.ReadFile("../alerts/alertmanager.example.yml")
	if err != nil {
		t.Fatal(err)
	}
	var alertmanager struct {
		Rules []struct {
			Source []string `yaml:"source_matchers"`
			Target []string `yaml:"target_matchers"`
			Equal  []string
		} `yaml:"inhibit_rules"`
	}
	if err := yaml.Unmarshal(content, &alertmanager); err != nil || len(alertmanager.Rules) == 0 {
		t.Fatalf("%d inhibit rules: %v", len(alertmanager.Rules), err)
	}
	var alerts []string
	for _, file := range []string{"../alerts/ycm.alerts.yml", "../alerts/ycm.global.yml"} {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^\s+- alert: (\S+)$`).FindAllSubmatch(content, -1) {
			alerts = append(alerts, string(m[1]))
		}
	}

	content, err = os.ReadFile("ycm-fleet.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard any
	if err := json.Unmarshal(content, &dashboard); err != nil {
		t.Fatal(err)
	}
	inhibited := 0
	eachQuery(dashboard, func(query string) {
		for _, m := range regexp.MustCompile(`alertname=~?"([^"]+)"`).FindAllStringSubmatch(query, -1) {
			if !slices.ContainsFunc(alerts, regexp.MustCompile("^(?:"+m[1]+")$").MatchString) {
				t.Errorf("no alert is called %s, in %s", m[1], query)
			}
		}
		n := strings.Count(query, " unless (ALERTS{")
		if n == 0 {
			return
		}
		inhibited++
		for _, rule := range alertmanager.Rules {
			want := `ALERTS{alertstate="firing", ` + strings.Join(rule.Target, ", ") + "} and on (" + strings.Join(rule.Equal, ", ") +
				`) ALERTS{alertstate="firing", ` + strings.Join(rule.Source, ", ") + "}"
			if !strings.Contains(query, want) {
				t.Errorf("alerts are counted without the inhibit rule %s: %s", want, query)
			}
		}
		if n%len(alertmanager.Rules) != 0 {
			t.Errorf("%d alerts are left out by %d inhibit rules: %s", n, len(alertmanager.Rules), query)
		}
	})
	if inhibited == 0 {
		t.Error("no panel leaves out what Alertmanager inhibits: this test has lost its subject")
	}
}

// checkNames reports names of metrics in a query that do not exist, and notes those that it uses.
func checkNames(t *testing.T, where, query string, known, used map[string]bool) {
	t.Helper()
	for _, name := range word.FindAllString(quoted.ReplaceAllString(query, `""`), -1) {
		used[name] = true
		if (strings.HasPrefix(name, "ycm_") || strings.Contains(name, ":")) && !known[name] && !known[strings.TrimSuffix(name, "_bucket")] {
			t.Errorf("%s uses %s, which is neither served nor recorded, in %s", where, name, query)
		}
	}
}

func recordedNames(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no rules in %s: %v", pattern, err)
	}
	var names []string
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range recorded.FindAllSubmatch(content, -1) {
			names = append(names, string(m[1]))
		}
	}
	return names
}

// eachQuery finds the queries of panels and of variables, wherever they are.
func eachQuery(node any, see func(query string)) {
	switch node := node.(type) {
	case []any:
		for _, child := range node {
			eachQuery(child, see)
		}
	case map[string]any:
		for key, child := range node {
			if query, ok := child.(string); ok && (key == "expr" || key == "query") {
				see(query)
				continue
			}
			eachQuery(child, see)
		}
	}
}

func servedNames() map[string]bool {
	served := map[string]bool{
		"ycm_exporter_build_info":                                   true,
		"ycm_exporter_storage_write_failures_total":                 true,
		"ycm_exporter_shard_info":                                   true,
		"ycm_exporter_config_last_reload_successful":                true,
		"ycm_exporter_config_last_reload_success_timestamp_seconds": true,
	}
	for _, c := range collector.All() {
		for _, f := range c.Families {
			served[f.Name] = true
		}
	}
	own := registrations{}
	poll.NewMetrics(own)
	for desc := range own {
		served[named.FindStringSubmatch(desc)[1]] = true
	}
	return served
}

// registrations notes the descriptions of all that is registered.
type registrations map[string]bool

func (r registrations) Register(c prometheus.Collector) error {
	descs := make(chan *prometheus.Desc)
	go func() {
		defer close(descs)
		c.Describe(descs)
	}()
	for desc := range descs {
		r[desc.String()] = true
	}
	return nil
}

func (r registrations) MustRegister(all ...prometheus.Collector) {
	for _, c := range all {
		_ = r.Register(c)
	}
}

func (registrations) Unregister(prometheus.Collector) bool { return false }
