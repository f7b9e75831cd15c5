package cli

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"

	"github.com/ycm-exporter/ycm_exporter/collector"
	"github.com/ycm-exporter/ycm_exporter/internal/exposition"
	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

var update = flag.Bool("update", false, "rewrite the tables of docs/metrics.md")

const (
	tablesBegin = "<!-- collectors: written by go test . -update -->\n"
	tablesEnd   = "<!-- end of collectors -->\n"
)

// docs/metrics.md is what users build dashboards on, so it must be what the code serves.
func TestDocsListEveryMetric(t *testing.T) {
	t.Parallel()
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
	want := metricsTables(t)
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

func metricsTables(t *testing.T) string {
	var out strings.Builder
	for _, c := range collector.All() {
		when := "Off by default. When it is enabled, it polls"
		if c.Schedule.Enabled {
			when = "Polls"
		}
		fmt.Fprintf(&out, "## Collector %s\n\n%s each `%s`, unless configured otherwise, and reads %s.\n\n| metric | labels | unit | meaning |\n|---|---|---|---|\n",
			c.Name, when, model.Duration(c.Schedule.Interval), pagesRead(t, c.Name))
		var rows []string
		for _, f := range c.Families {
			rows = append(rows, fmt.Sprintf("| `%s` | `%s` | %s | %s |\n", f.Name, strings.Join(f.Labels, "`, `"), unit(f), cell(f.Help)))
		}
		slices.Sort(rows)
		out.WriteString(strings.Join(rows, "") + "\n")
	}
	return out.String()
}

// pagesRead names the pages of the API that a collector reads, which are those of its golden test.
func pagesRead(t *testing.T, name string) string {
	var pages []string
	for folder, of := range map[string]string{"api": "", "pbx": " of each PBX"} {
		root := filepath.Join("collector", "testdata", name, folder)
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			page := strings.TrimPrefix(filepath.ToSlash(path), filepath.ToSlash(root)+"/")
			// The name of a file continues with what is requested, behind a dot.
			file := strings.LastIndex(page, "/") + 1
			base, _, _ := strings.Cut(page[file:], ".")
			pages = append(pages, "`"+number.ReplaceAllString(page[:file], "/{id}/")+base+"`"+of)
			return nil
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	slices.Sort(pages)
	if len(pages) == 0 {
		t.Errorf("collector/testdata/%s has neither api/ nor pbx/: what does the collector %s read?", name, name)
	}
	return strings.Join(slices.Compact(pages), ", ")
}

var number = regexp.MustCompile(`/\d+/`)

// flagged is how a help text shows that a value is 0 or 1.
var flagged = regexp.MustCompile(`\(1\)|: 1 |^1 if|1 or 0`)

// unit is that of a family's values, which follows from its name and its help.
func unit(f exposition.Family) string {
	switch {
	case strings.HasSuffix(f.Name, "_timestamp_seconds"):
		return "Unix time"
	case strings.HasSuffix(f.Name, "_seconds"):
		return "seconds"
	case strings.Contains(f.Help, "always 1"):
		return "1"
	case flagged.MatchString(f.Help):
		return "0 or 1"
	}
	return "count"
}

// cell makes text fit into a table's cell.
func cell(help string) string { return strings.ReplaceAll(help, "|", `\|`) }

// The list of metrics of the exporter itself is written by hand, and must be complete, with the types that the page has.
func TestDocsListTheExportersOwnMetrics(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## The exporter itself\n")
	ofCollectors := map[string]bool{}
	for _, c := range collector.All() {
		for _, f := range c.Families {
			ofCollectors[f.Name] = true
		}
	}
	y := simulate(t, 5)
	y.pollPBXs(t)
	odd := y.PBXs()[0].ID
	y.UpdateAll(func(p *ycmtest.PBX) {
		if p.ID == odd {
			p.Activation = "Perhaps"
		}
	})
	d := start(t, "--config.file="+y.configFile, "--storage.path="+filepath.Join(t.TempDir(), "storage"))
	d.waitFor("\nycm_up{")
	d.waitFor("\nycm_collector_sweep_duration_seconds{")
	d.waitFor("\nycm_collector_pbx_polls_total{")
	d.waitFor("\nycm_exporter_shard_info{")
	d.waitFor("\nycm_api_unexpected_values_total{")
	served := map[string]bool{}
	for _, found := range regexp.MustCompile(`(?m)^# TYPE (ycm_\w+) (\w+)$`).FindAllStringSubmatch(d.metrics(), -1) {
		name, kind := found[1], found[2]
		if ofCollectors[name] {
			continue
		}
		served[name] = true
		want := "gauge"
		switch {
		case strings.HasSuffix(name, "_total"):
			want = "counter"
		case name == "ycm_api_request_duration_seconds":
			want = "histogram"
		}
		if kind != want {
			t.Errorf("%s is a %s, but in docs/metrics.md it is a %s", name, kind, want)
		}
		if !strings.Contains(section, "\n| `"+name+"` | ") {
			t.Errorf("docs/metrics.md does not list %s, a %s, below \"The exporter itself\"", name, kind)
		}
	}
	for _, row := range regexp.MustCompile("(?m)^\\| `(\\w+)` ").FindAllStringSubmatch(section, -1) {
		if !served[row[1]] {
			t.Errorf("docs/metrics.md lists %s, which is not served", row[1])
		}
	}
}

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
