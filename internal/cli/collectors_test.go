package cli

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"

	"github.com/ycm-exporter/ycm_exporter/collector"
)

var update = flag.Bool("update", false, "rewrite the tables of docs/metrics.md")

// The example is where operators see what there is, so it must have every collector, and say of it what the code does.
func TestExampleHasEveryCollector(t *testing.T) {
	t.Parallel()
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
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range collector.All() {
		when := "every " + model.Duration(c.Schedule.Interval).String()
		if !c.Schedule.Enabled {
			when = "off (" + model.Duration(c.Schedule.Interval).String() + ")"
		}
		if row := "\n| `" + c.Name + "` | " + when + " |"; !strings.Contains(string(readme), row) {
			t.Errorf("README.md has no row %q in its table of collectors", row)
		}
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

// What a collector declares must be consistent, so that a mistake is reported by name and not by a poll that fails.
func TestCollectorsAreWellDeclared(t *testing.T) {
	t.Parallel()
	families := map[string]string{}
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
		if c.Settings != nil {
			if problems := c.Settings().Check(); len(problems) > 0 {
				t.Errorf("the default settings of collector %s are wrong: %v", c.Name, problems)
			}
		}
	}
}
