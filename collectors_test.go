package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"

	"github.com/ycm-exporter/ycm_exporter/collector"
)

var update = flag.Bool("update", false, "rewrite the tables of docs/metrics.md")

const (
	tablesBegin = "<!-- collectors: written by go test . -update -->\n"
	tablesEnd   = "<!-- end of collectors -->\n"
)

// docs/metrics.md is what users build dashboards on, so it must be what the code serves.
func TestDocsListEveryMetric(t *testing.T) {
	const file = "docs/metrics.md"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), tablesBegin)
	tables, after, closed := strings.Cut(rest, tablesEnd)
	if !found || !closed {
		t.Fatalf("%s has no tables between %q and %q", file, tablesBegin, tablesEnd)
	}
	want := metricsTables()
	if *update {
		if err := os.WriteFile(file, []byte(before+tablesBegin+want+tablesEnd+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, tables); diff != "" {
		t.Errorf("%s is not what the code serves (-code +file); rewrite it with go test . -update:\n%s", file, diff)
	}
}

func metricsTables() string {
	var out strings.Builder
	for _, c := range collector.All() {
		when := "Off by default. When it is enabled, it polls"
		if c.Schedule.Enabled {
			when = "Polls"
		}
		fmt.Fprintf(&out, "## Collector %s\n\n%s each `%s`, unless configured otherwise.\n\n| metric | labels | meaning |\n|---|---|---|\n", c.Name, when, model.Duration(c.Schedule.Interval))
		var rows []string
		for _, f := range c.Families {
			rows = append(rows, fmt.Sprintf("| `%s` | `%s` | %s |\n", f.Name, strings.Join(f.Labels, "`, `"), cell(f.Help)))
		}
		slices.Sort(rows)
		out.WriteString(strings.Join(rows, "") + "\n")
	}
	return out.String()
}

// cell makes text fit into a table's cell.
func cell(help string) string { return strings.ReplaceAll(help, "|", `\|`) }

// The example is where operators see what there is, so it must have every collector, and say of it what the code does.
func TestExampleHasEveryCollector(t *testing.T) {
	text, err := os.ReadFile("config.example.yml")
	if err != nil {
		t.Fatal(err)
	}
	var example struct {
		Collectors map[string]struct {
			Enabled  bool           `yaml:"enabled"`
			Interval model.Duration `yaml:"interval"`
		} `yaml:"collectors"`
	}
	if err := yaml.Unmarshal(text, &example); err != nil {
		t.Fatal(err)
	}
	for _, c := range collector.All() {
		shown, ok := example.Collectors[c.Name]
		if !ok {
			t.Errorf("config.example.yml does not have the collector %s: add it below collectors, with what it costs", c.Name)
			continue
		}
		if shown.Enabled != c.Schedule.Enabled || shown.Interval != model.Duration(c.Schedule.Interval) {
			t.Errorf("config.example.yml says that collector %s is enabled: %v, each %s; by default it is %v, each %s",
				c.Name, shown.Enabled, shown.Interval, c.Schedule.Enabled, model.Duration(c.Schedule.Interval))
		}
	}
}

// What a collector declares must be consistent, so that a mistake is told by name and not by a poll that fails.
func TestCollectorsAreWellDeclared(t *testing.T) {
	families := map[string]string{}
	providers := map[collector.Role]string{}
	for _, c := range collector.All() {
		for _, f := range c.Families {
			if other, twice := families[f.Name]; twice {
				t.Errorf("%s is a family of the collectors %s and %s", f.Name, other, c.Name)
			}
			families[f.Name] = c.Name
			if !slices.IsSorted(f.Labels) || len(slices.Compact(slices.Clone(f.Labels))) != len(f.Labels) {
				t.Errorf("the labels of %s, of collector %s, are %q; a column must not name an identity's label, or one twice", f.Name, c.Name, f.Labels)
			}
			if f.Labels[0] != "account" {
				t.Errorf("the labels of %s, of collector %s, are %q, of which account must be the first", f.Name, c.Name, f.Labels)
			}
			if f.Help == "" {
				t.Errorf("%s, of collector %s, has no help", f.Name, c.Name)
			}
		}
		if other, twice := providers[c.Provides]; twice && c.Provides != "" {
			t.Errorf("collectors %s and %s both provide the %s", other, c.Name, c.Provides)
		}
		providers[c.Provides] = c.Name
		if c.Settings != nil {
			if problems := c.Settings().Check(); len(problems) > 0 {
				t.Errorf("the default settings of collector %s are wrong: %v", c.Name, problems)
			}
		}
	}
}
