package alerts_test

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the table of alerts in README.md")

const (
	tableBegins = "<!-- alerts: written by go test ./alerts -update -->\n"
	tableEnds   = "<!-- end of alerts -->\n"
)

// The table is generated from the rules and the example of Alertmanager's configuration.
func TestReadmeHasTheTableOfAlerts(t *testing.T) {
	content, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begins := strings.Cut(string(content), tableBegins)
	got, after, ends := strings.Cut(rest, tableEnds)
	if !begins || !ends {
		t.Fatalf("README.md has no %q or no %q", tableBegins, tableEnds)
	}
	want := alertTable(t)
	if *update {
		if err := os.WriteFile("README.md", []byte(before+tableBegins+want+tableEnds+after), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("README.md's table is not what the rules say (-rules +README); rewrite it with go test ./alerts -update:\n%s", diff)
	}
}

func alertTable(t *testing.T) string {
	t.Helper()
	var table strings.Builder
	table.WriteString("| Alert | Severity | for | keep_firing_for | Route | Inhibited by |\n|---|---|---|---|---|---|\n")
	all := alerts(t)
	inhibited := inhibitors(all, inhibitions(t))
	for _, a := range all {
		severity := a.Labels["severity"]
		route := map[string]string{"critical": "pager", "warning": "mail", bySize: "mail, large: pager", byData: "pager, no data: mail"}[severity]
		holds := a.For
		switch severity {
		case bySize:
			severity = "warning, large: critical"
		case byData:
			severity = "critical, no data: warning"
		}
		if notify := a.Labels["notify"]; notify != "" {
			route = notify
		}
		if strings.Contains(a.Expr, ":overdue") {
			holds = "`status_seconds`"
		}
		fmt.Fprintf(&table, "| [%s](../docs/runbooks.md#%s) | %s | %s | %s | %s | %s |\n",
			a.Alert, strings.ToLower(a.Alert), severity, holds, a.KeepFiringFor, route, strings.Join(inhibited[a.Alert], ", "))
	}
	return table.String()
}

// An on-call engineer finds in README.md every alert that may page, and no other.
func TestReadmeListsWhatPages(t *testing.T) {
	content, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(content), "\n## What pages\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var want, got []string
	for _, a := range alerts(t) {
		if severity := a.Labels["severity"]; severity == "critical" || severity == bySize || severity == byData {
			want = append(want, a.Alert)
		}
	}
	for _, line := range regexp.MustCompile(`(?m)^- \*\*(\w+)\*\*: `).FindAllStringSubmatch(section, -1) {
		got = append(got, line[1])
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("README.md lists other alerts that page than the rules (-rules +README):\n%s", diff)
	}
}

// noData are the alerts about an account whose PBXs are not monitored; the table calls them so.
var noData = []string{"YcmLoginRefused", "YcmAccountMissing", "YcmAccountDown", "YcmFleetDataStale", "YcmFirstWalkUnfinished"}

// inhibitors returns the alerts that inhibit each, without YcmExporterDown, which inhibits all of its account.
func inhibitors(all []rule, inhibits []inhibition) map[string][]string {
	found := map[string]map[string]bool{}
	for _, i := range inhibits {
		for _, target := range matching(all, i.TargetMatchers) {
			for _, source := range matching(all, i.SourceMatchers) {
				if source.Alert == target.Alert || source.Alert == "YcmExporterDown" {
					continue
				}
				if found[target.Alert] == nil {
					found[target.Alert] = map[string]bool{}
				}
				found[target.Alert][source.Alert] = true
			}
		}
	}
	names := map[string][]string{}
	for target, sources := range found {
		if !slices.ContainsFunc(noData, func(name string) bool { return !sources[name] }) {
			names[target] = append(names[target], "*no data*")
			for _, name := range noData {
				delete(sources, name)
			}
		}
		for _, a := range all {
			if sources[a.Alert] {
				names[target] = append(names[target], a.Alert)
			}
		}
	}
	return names
}

type inhibition struct {
	SourceMatchers []string `yaml:"source_matchers"`
	TargetMatchers []string `yaml:"target_matchers"`
	Equal          []string
}

func inhibitions(t *testing.T) []inhibition {
	t.Helper()
	var example struct {
		InhibitRules []inhibition `yaml:"inhibit_rules"`
	}
	readYAML(t, "alertmanager.example.yml", &example)
	return example.InhibitRules
}

// matching are the alerts that match all of Alertmanager's matchers, which stand for whole values.
func matching(all []rule, matchers []string) []rule {
	left := slices.Clone(all)
	for _, m := range matchers {
		parts := regexp.MustCompile(`^(\w+)(=~|!=|=)"(.*)"$`).FindStringSubmatch(m)
		pattern := parts[3]
		if parts[2] != "=~" {
			pattern = regexp.QuoteMeta(pattern)
		}
		whole := regexp.MustCompile("^(?:" + pattern + ")$")
		left = slices.DeleteFunc(left, func(a rule) bool {
			value := a.Labels[parts[1]]
			if parts[1] == "alertname" {
				value = a.Alert
			}
			return whole.MatchString(value) == (parts[2] == "!=")
		})
	}
	return left
}

// Nothing is inhibited beyond what its cause explains, and nothing in a circle: of two alerts that inhibit each other none would
// be notified.
func TestInhibitionsReachAsFarAsTheirCause(t *testing.T) {
	all, inhibitedBy := alerts(t), map[string][]string{}
	for _, i := range inhibitions(t) {
		if !slices.Contains(i.Equal, "account") {
			t.Errorf("%v inhibits %v in other accounts too: equal is %v", i.SourceMatchers, i.TargetMatchers, i.Equal)
		}
		for _, target := range matching(all, i.TargetMatchers) {
			for _, source := range matching(all, i.SourceMatchers) {
				if source.Alert != target.Alert {
					inhibitedBy[target.Alert] = append(inhibitedBy[target.Alert], source.Alert)
				}
			}
		}
	}
	for target, sources := range inhibitedBy {
		for _, source := range sources {
			if slices.Contains(inhibitedBy[source], target) {
				t.Errorf("%s and %s inhibit each other", source, target)
			}
		}
	}
}
