package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/ycm-exporter/ycm_exporter/collector"
)

// seriesSuffix is what the series of a histogram add to its name.
var seriesSuffix = regexp.MustCompile("_(bucket|count|sum)$")

var metricName = regexp.MustCompile(`[a-zA-Z_:][a-zA-Z0-9_:]*`)

// usersOfMetrics lists for each metric the alerts and dashboards that need it, also through recording rules.
func usersOfMetrics(t *testing.T) map[string][]string {
	t.Helper()
	files, err := filepath.Glob("alerts/ycm.*.yml")
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no rules in alerts/ (%v)", err)
	}
	records, alerts, dashboards := map[string][]string{}, map[string]map[string]bool{}, map[string]map[string]bool{}
	expressions := map[string]string{} // of alerts
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var rules struct {
			Groups []struct {
				Rules []struct{ Record, Alert, Expr string }
			}
		}
		if err := yaml.Unmarshal(content, &rules); err != nil {
			t.Fatal(file, ": ", err)
		}
		for _, group := range rules.Groups {
			for _, rule := range group.Rules {
				if rule.Alert != "" {
					expressions[rule.Alert] += " " + rule.Expr
				} else {
					records[rule.Record] = append(records[rule.Record], metricName.FindAllString(rule.Expr, -1)...)
				}
			}
		}
	}
	var use func(user string, names []string, users map[string]map[string]bool)
	use = func(user string, names []string, users map[string]map[string]bool) {
		for _, series := range names {
			name := seriesSuffix.ReplaceAllString(series, "")
			if users[name] == nil {
				users[name] = map[string]bool{}
			}
			if !users[name][user] {
				users[name][user] = true
				use(user, records[series], users)
			}
		}
	}
	for alert, expression := range expressions {
		use(alert, metricName.FindAllString(expression, -1), alerts)
	}
	files, err = filepath.Glob("dashboards/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no dashboards (%v)", err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		use(strings.TrimSuffix(filepath.Base(file), ".json"), metricName.FindAllString(string(content), -1), dashboards)
	}
	used := map[string][]string{}
	for _, kind := range []string{"alerts", "dashboards"} {
		for name, by := range map[string]map[string]map[string]bool{"alerts": alerts, "dashboards": dashboards}[kind] {
			var all []string
			for user := range by {
				all = append(all, user)
			}
			slices.Sort(all)
			if len(all) > 3 {
				all = []string{fmt.Sprintf("%d %s", len(all), kind)}
			}
			used[name] = append(used[name], all...)
		}
	}
	return used
}

// The documentation names no metric that does not exist.
func TestDocsNameExistingMetrics(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(metricsPage)
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, row := range regexp.MustCompile("(?m)^\\| `(ycm_\\w+)` \\| ").FindAllStringSubmatch(string(page), -1) {
		known[row[1]] = true
	}
	for _, c := range collector.All() {
		for _, f := range c.Families {
			known[f.Name] = true
		}
	}
	pages, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range append(pages, "README.md", "SECURITY.md", "alerts/README.md", "dashboards/README.md") {
		content, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range regexp.MustCompile(`(^|[^\w:/."])(ycm_[a-z0-9_]+)([^\w:(*./-]|$)`).FindAllStringSubmatch(string(content), -1) {
			name := seriesSuffix.ReplaceAllString(found[2], "")
			if !known[name] && !strings.HasPrefix(name, "ycm_exporter") {
				t.Errorf("%s names the metric %s, which does not exist", page, found[2])
			}
		}
	}
}
