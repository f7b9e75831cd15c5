package alerts_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"
)

// rule is a recording or an alerting rule, as Prometheus reads it.
type rule struct {
	Record, Alert, Expr string
	For                 string
	KeepFiringFor       string `yaml:"keep_firing_for"`
	Labels, Annotations map[string]string
}

type ruleGroup struct {
	Name, Interval string
	Rules          []rule
}

// unitTests is what a file of promtool's unit tests holds of interest here.
type unitTests struct {
	RuleFiles      []string `yaml:"rule_files"`
	GroupEvalOrder []string `yaml:"group_eval_order"`
	Tests          []struct {
		Name           string
		AlertRuleTests []alertTest `yaml:"alert_rule_test"`
	}
}

type alertTest struct {
	AlertName string      `yaml:"alertname"`
	EvalTime  duration    `yaml:"eval_time"`
	Expected  []yaml.Node `yaml:"exp_alerts"`
}

type duration time.Duration

func (e *duration) UnmarshalText(text []byte) error {
	d, err := model.ParseDuration(string(text))
	*e = duration(d)
	return err
}

// route is a route of Alertmanager's, as far as times go.
type route struct {
	Matchers            []string
	GroupInterval       duration `yaml:"group_interval"`
	RepeatInterval      duration `yaml:"repeat_interval"`
	ActiveTimeIntervals []string `yaml:"active_time_intervals"`
	Routes              []route
}

func (r route) each(visit func(route)) {
	visit(r)
	for _, child := range r.Routes {
		child.each(visit)
	}
}

// clock is a time of day.
type clock time.Duration

func (c *clock) UnmarshalText(text []byte) error {
	at, err := time.Parse("15:04", string(text))
	*c = clock(time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute)
	return err
}

func readYAML(t *testing.T, file string, into any) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(content, into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// everyFile is every rule file, also those of dashboards.
func everyFile(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("ycm.*.yml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no rule files found: %v", err)
	}
	return files
}

// groups reads the groups of the rule files in their order.
func groups(t *testing.T, files ...string) []ruleGroup {
	t.Helper()
	all := []ruleGroup{}
	for _, file := range files {
		var content struct{ Groups []ruleGroup }
		readYAML(t, file, &content)
		all = append(all, content.Groups...)
	}
	return all
}

func rules(t *testing.T) []rule {
	t.Helper()
	all := []rule{}
	for _, g := range groups(t, "ycm.rules.yml", "ycm.alerts.yml", "ycm.global.yml", "ycm.availability.yml") {
		all = append(all, g.Rules...)
	}
	return all
}

func alerts(t *testing.T) []rule {
	t.Helper()
	all := []rule{}
	for _, r := range rules(t) {
		if r.Alert != "" {
			all = append(all, r)
		}
	}
	return all
}

func allUnitTests(t *testing.T) map[string]unitTests {
	t.Helper()
	files, err := filepath.Glob("*.test.yml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no unit tests found: %v", err)
	}
	all := map[string]unitTests{}
	for _, file := range files {
		var tests unitTests
		readYAML(t, file, &tests)
		all[file] = tests
	}
	return all
}
