// Package alerts_test checks what promtool does not: that whoever is woken by an alert finds out what to do, that each
// alert is tested, and that rules and metrics go together.
package alerts_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const runbooks = "https://github.com/ycm-exporter/ycm_exporter/blob/main/docs/runbooks.md#"

func TestEveryAlertTellsWhatItIsAboutAndWhatToDo(t *testing.T) {
	sections := runbookSections(t)
	seen := map[string]bool{}
	for _, a := range alerts(t) {
		if seen[a.Alert] {
			t.Errorf("there are two alerts %s", a.Alert)
		}
		seen[a.Alert] = true
		if !regexp.MustCompile(`^Ycm([A-Z][a-z]+)+$`).MatchString(a.Alert) {
			t.Errorf("%s is not a CamelCase name that begins with Ycm", a.Alert)
		}
		if !slices.Contains([]string{"critical", "warning", "info"}, a.Labels["severity"]) {
			t.Errorf("%s has severity %q, not critical, warning or info", a.Alert, a.Labels["severity"])
		}
		if !slices.Contains([]string{"exporter", "account", "fleet", "cloud_pbx"}, a.Labels["scope"]) {
			t.Errorf("%s has scope %q, which no inhibition knows", a.Alert, a.Labels["scope"])
		}
		for _, annotation := range []string{"summary", "description"} {
			if a.Annotations[annotation] == "" {
				t.Errorf("%s has no %s", a.Alert, annotation)
			}
		}
		if a.Labels["scope"] == "cloud_pbx" {
			for _, label := range []string{"name", "cloud_pbx_id", "region", "account"} {
				if !strings.Contains(a.Annotations["description"], "{{ $labels."+label+" }}") {
					t.Errorf("the description of %s does not tell the PBX's %s", a.Alert, label)
				}
			}
		}
		if want := runbooks + strings.ToLower(a.Alert); a.Annotations["runbook_url"] != want {
			t.Errorf("%s has runbook_url %q, want %q", a.Alert, a.Annotations["runbook_url"], want)
		}
		if !slices.Contains(sections, a.Alert) {
			t.Errorf("docs/runbooks.md has no section ## %s", a.Alert)
		}
	}
	for _, section := range sections {
		if !seen[section] {
			t.Errorf("docs/runbooks.md has a section %s, but there is no such alert", section)
		}
	}
}

// runbookSections returns the headings of the second level; GitHub makes an anchor of each by writing it in lower case.
func runbookSections(t *testing.T) []string {
	t.Helper()
	content, err := os.ReadFile("../docs/runbooks.md")
	if err != nil {
		t.Fatal(err)
	}
	sections := []string{}
	for _, heading := range regexp.MustCompile(`(?m)^## (.+)$`).FindAllStringSubmatch(string(content), -1) {
		sections = append(sections, heading[1])
	}
	return sections
}

// An alert is tested by one story in which it does not fire yet, fires, and fires no more.
func TestEveryAlertIsTestedBeforeDuringAndAfter(t *testing.T) {
	tested := map[string]bool{}
	for _, file := range allUnitTests(t) {
		for _, test := range file.Tests {
			byAlert := map[string][]alertTest{}
			for _, at := range test.AlertRuleTests {
				byAlert[at.AlertName] = append(byAlert[at.AlertName], at)
			}
			for name, cases := range byAlert {
				slices.SortStableFunc(cases, func(a, b alertTest) int { return int(a.EvalTime - b.EvalTime) })
				firing := slices.IndexFunc(cases, func(c alertTest) bool { return len(c.Expected) > 0 })
				if firing > 0 && len(cases[firing-1].Expected) == 0 && len(cases[len(cases)-1].Expected) == 0 {
					tested[name] = true
				}
			}
		}
	}
	for _, a := range alerts(t) {
		if !tested[a.Alert] {
			t.Errorf("no unit test sees %s not yet firing, firing and resolved", a.Alert)
		}
	}
}

// promtool evaluates groups in no particular order unless it is told one.
func TestUnitTestsEvaluateTheGroupsInOrder(t *testing.T) {
	want := []string{}
	for _, g := range groups(t) {
		want = append(want, g.Name)
	}
	for file, tests := range allUnitTests(t) {
		if diff := cmp.Diff(want, tests.GroupEvalOrder); diff != "" {
			t.Errorf("%s: group_eval_order is not the order of the groups (-want +got):\n%s", file, diff)
		}
	}
}

// A pattern in the example that matches no alert silences or routes nothing, and nobody would notice.
func TestAlertmanagerExampleNamesAlertsThatExist(t *testing.T) {
	var example struct {
		InhibitRules []struct {
			SourceMatchers []string `yaml:"source_matchers"`
			TargetMatchers []string `yaml:"target_matchers"`
		} `yaml:"inhibit_rules"`
	}
	readYAML(t, "alertmanager.example.yml", &example)
	if len(example.InhibitRules) == 0 {
		t.Fatal("alertmanager.example.yml inhibits nothing")
	}
	for _, inhibition := range example.InhibitRules {
		for _, matcher := range slices.Concat(inhibition.SourceMatchers, inhibition.TargetMatchers) {
			name, patterns, found := strings.Cut(matcher, "=")
			if !found || name != "alertname" && name != "alertname!" {
				continue
			}
			for pattern := range alternatives(strings.Trim(patterns, `~"`)) {
				matches := regexp.MustCompile("^(?:" + pattern + ")$").MatchString
				if !slices.ContainsFunc(alerts(t), func(a rule) bool { return matches(a.Alert) }) {
					t.Errorf("matcher %s: no alert is called %s", matcher, pattern)
				}
			}
		}
	}
}

// alternatives splits a pattern at the bars that are not in parentheses.
func alternatives(pattern string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		depth, start := 0, 0
		for i, c := range pattern {
			switch c {
			case '(':
				depth++
			case ')':
				depth--
			case '|':
				if depth == 0 {
					if !yield(pattern[start:i]) {
						return
					}
					start = i + 1
				}
			}
		}
		yield(pattern[start:])
	}
}
