// Package alerts_test checks what promtool does not: that on-call finds out from an alert what to do, that each alert is tested,
// and that rules and metrics match.
package alerts_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"
)

// bySize is the severity of an alert about one PBX: a large one pages on-call. byData is that of YcmFleetDataStale.
const (
	bySize = `{{ if eq $labels.size "large" }}critical{{ else }}warning{{ end }}`
	byData = `{{ if eq $labels.data "missing" }}warning{{ else }}critical{{ end }}`
)

const runbooks = "https://github.com/ycm-exporter/ycm_exporter/blob/main/docs/runbooks.md#"

func TestEveryAlertSaysWhatItIsAboutAndWhatToDo(t *testing.T) {
	sections := runbookSections(t)
	known := map[string]bool{}
	for _, a := range alerts(t) {
		if known[a.Alert] {
			t.Errorf("there are two alerts %s", a.Alert)
		}
		known[a.Alert] = true
		if !regexp.MustCompile(`^Ycm([A-Z][a-z]+)+$`).MatchString(a.Alert) {
			t.Errorf("%s is not a CamelCase name that begins with Ycm", a.Alert)
		}
		if !slices.Contains([]string{"critical", "warning", "info", bySize, byData}, a.Labels["severity"]) {
			t.Errorf("%s has severity %q, not critical, warning or info, nor a known template", a.Alert, a.Labels["severity"])
		}
		if notify := a.Labels["notify"]; !slices.Contains([]string{"", "daily", "weekly"}, notify) ||
			a.Labels["severity"] == "info" && notify == "" || strings.Contains(a.Labels["severity"], "critical") && notify != "" {
			t.Errorf("%s is %s and has notify %q; info waits for the daily or weekly message, critical never does", a.Alert, a.Labels["severity"], a.Labels["notify"])
		}
		if !slices.Contains([]string{"exporter", "account", "fleet", "cloud_pbx"}, a.Labels["scope"]) {
			t.Errorf("%s has scope %q, which no inhibition rule uses", a.Alert, a.Labels["scope"])
		}
		for _, annotation := range []string{"summary", "description"} {
			if a.Annotations[annotation] == "" {
				t.Errorf("%s has no %s", a.Alert, annotation)
			}
		}
		if a.Labels["scope"] == "cloud_pbx" {
			for _, label := range []string{"name", "cloud_pbx_id", "region", "account"} {
				if !strings.Contains(a.Annotations["description"], "{{ $labels."+label+" }}") {
					t.Errorf("the description of %s does not show the PBX's %s", a.Alert, label)
				}
			}
		}
		if want := runbooks + strings.ToLower(a.Alert); a.Annotations["runbook_url"] != want {
			t.Errorf("%s has runbook_url %q, want %q", a.Alert, a.Annotations["runbook_url"], want)
		}
		if want := dashboardOf(a); !strings.HasPrefix(a.Annotations["dashboard_url"], want) {
			t.Errorf("%s has dashboard_url %q, want one that begins with %q", a.Alert, a.Annotations["dashboard_url"], want)
		}
		if !slices.Contains(sections, a.Alert) {
			t.Errorf("docs/runbooks.md has no section ## %s", a.Alert)
		}
	}
	for _, section := range sections {
		if !known[section] {
			t.Errorf("docs/runbooks.md has a section %s, but there is no such alert", section)
		}
	}
}

// dashboardOf is the beginning of the path of an alert's dashboard. Templates put Grafana's address before it.
func dashboardOf(a rule) string {
	if a.Labels["scope"] == "cloud_pbx" {
		return "/d/ycm-pbx?var-account={{ $labels.account }}&var-pbx={{ $labels.cloud_pbx_id }}"
	}
	return "/d/ycm-"
}

func TestAlertsLinkToDashboardsAndVariablesThatExist(t *testing.T) {
	for _, a := range alerts(t) {
		checkLink(t, a.Alert, a.Annotations["dashboard_url"])
		if list := a.Annotations["list_url"]; list != "" || a.Labels["scope"] == "cloud_pbx" {
			checkLink(t, a.Alert, list)
		}
	}
}

func checkLink(t *testing.T, alert, path string) {
	t.Helper()
	parts := regexp.MustCompile(`^/d/([a-z-]+)(?:\?(.*))?$`).FindStringSubmatch(path)
	if parts == nil {
		t.Errorf("%s has the link %q, which is not the path of a dashboard", alert, path)
		return
	}
	var dashboard struct {
		UID        string
		Templating struct{ List []struct{ Name string } }
	}
	readYAML(t, "../dashboards/"+parts[1]+".json", &dashboard)
	if dashboard.UID != parts[1] {
		t.Errorf("%s links to dashboard %q, whose uid is %q", alert, parts[1], dashboard.UID)
	}
	for _, parameter := range strings.FieldsFunc(parts[2], func(r rune) bool { return r == '&' }) {
		name, _, _ := strings.Cut(strings.TrimPrefix(parameter, "var-"), "=")
		if !slices.ContainsFunc(dashboard.Templating.List, func(v struct{ Name string }) bool { return v.Name == name }) {
			t.Errorf("%s sets variable %q of dashboard %q, which has none of that name", alert, name, parts[1])
		}
	}
}

// The alert for a dead exporter must inhibit the account's alerts before they resolve: detection takes a scrape, the alert's own
// for, two evaluations and the grouping. And a cause must last longer than what it inhibits.
func TestAlertsOutlastTheDetectionOfADeadExporter(t *testing.T) {
	all := map[string]rule{}
	for _, a := range alerts(t) {
		all[a.Alert] = a
	}
	parse := func(a rule, s string) time.Duration {
		if s == "" {
			return 0
		}
		d, err := model.ParseDuration(s)
		if err != nil {
			t.Fatalf("%s: %v", a.Alert, err)
		}
		return time.Duration(d)
	}
	detection := parse(all["YcmExporterDown"], all["YcmExporterDown"].For) + 4*time.Minute
	for name, a := range all {
		if keep := parse(a, a.KeepFiringFor); a.Labels["scope"] != "exporter" && keep < detection {
			t.Errorf("%s is kept firing for %v, less than the %v until its dead exporter is detected", name, keep, detection)
		}
	}
	for _, cause := range []string{"YcmExporterDown", "YcmAccountMissing", "YcmLoginRefused", "YcmAccountDown", "YcmManyCloudPbxsNotRunning", "YcmManyCloudPbxsNotAnswering"} {
		if keep := parse(all[cause], all[cause].KeepFiringFor); keep < 15*time.Minute {
			t.Errorf("%s is kept firing for %v; what it inhibits lasts longer and is notified when the cause resolves", cause, keep)
		}
	}
}

// Each runbook has the sections of kube-prometheus's, in their order.
func TestRunbooksHaveTheUsualSections(t *testing.T) {
	content, err := os.ReadFile("../docs/runbooks.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, section := range regexp.MustCompile(`(?m)^## `).Split(string(content), -1)[1:] {
		name, _, _ := strings.Cut(section, "\n")
		found := regexp.MustCompile(`(?m)^### (.+)$`).FindAllStringSubmatch(section, -1)
		var titles []string
		for _, f := range found {
			titles = append(titles, f[1])
		}
		if diff := cmp.Diff([]string{"Meaning", "Impact", "Diagnosis", "Mitigation"}, titles); diff != "" {
			t.Errorf("the runbook of %s has other sections (-want +got):\n%s", name, diff)
		}
	}
}

// Mimir accepts 20 rules per group, unless it is configured otherwise.
func TestGroupsHaveAtMost20Rules(t *testing.T) {
	for _, g := range groups(t, everyFile(t)...) {
		if len(g.Rules) > 20 {
			t.Errorf("group %s has %d rules", g.Name, len(g.Rules))
		}
	}
}

// A group with a longer interval is not visible in ALERTS for minutes after a start of Prometheus, and beyond the lookback of 5
// minutes its series have holes.
func TestGroupsAreEvaluatedWithinTheLookback(t *testing.T) {
	history := []string{"ycm-growth", "ycm-availability", "ycm-busy-hour"} // read with range selectors only
	for _, g := range groups(t, everyFile(t)...) {
		interval, err := model.ParseDuration(g.Interval)
		if err != nil {
			t.Fatalf("group %s: %v", g.Name, err)
		}
		most := 4 * time.Minute
		if slices.ContainsFunc(g.Rules, func(r rule) bool { return r.Alert != "" }) {
			most = 2 * time.Minute
		}
		if time.Duration(interval) > most && !slices.Contains(history, g.Name) {
			t.Errorf("group %s is evaluated every %v, want %v at most", g.Name, interval, most)
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

// One unit test sees each alert not yet firing, firing, and resolved.
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

// promtool evaluates groups in random order unless group_eval_order is set. fresh.test.yml has an order of its own, the worst.
func TestUnitTestsEvaluateTheGroupsInOrder(t *testing.T) {
	for file, tests := range allUnitTests(t) {
		want := []string{}
		for _, g := range groups(t, tests.RuleFiles...) {
			want = append(want, g.Name)
		}
		if file == "fresh.test.yml" {
			slices.Sort(want)
			slices.Sort(tests.GroupEvalOrder)
		}
		if diff := cmp.Diff(want, tests.GroupEvalOrder); diff != "" {
			t.Errorf("%s: group_eval_order is not the order of the groups (-want +got):\n%s", file, diff)
		}
	}
}

// A pattern in the example that matches no alert inhibits or routes nothing.
func TestAlertmanagerExampleNamesAlertsThatExist(t *testing.T) {
	if len(inhibitions(t)) == 0 {
		t.Fatal("alertmanager.example.yml inhibits nothing")
	}
	var example struct{ Route route }
	readYAML(t, "alertmanager.example.yml", &example)
	var matchers []string
	example.Route.each(func(r route) { matchers = append(matchers, r.Matchers...) })
	for _, inhibition := range inhibitions(t) {
		matchers = slices.Concat(matchers, inhibition.SourceMatchers, inhibition.TargetMatchers)
	}
	all := alerts(t)
	for _, matcher := range matchers {
		name, patterns, found := strings.Cut(matcher, "=")
		if !found || name != "alertname" && name != "alertname!" {
			continue
		}
		for pattern := range alternatives(strings.Trim(patterns, `~"`)) {
			matches := regexp.MustCompile("^(?:" + pattern + ")$").MatchString
			if !slices.ContainsFunc(all, func(a rule) bool { return matches(a.Alert) }) {
				t.Errorf("matcher %s: no alert is called %s", matcher, pattern)
			}
		}
	}
}

// A group is flushed once every group_interval, counted from its creation. If that is longer than the active time, a group that was
// created at night is never notified.
func TestDailyGroupsAreFlushedWithinTheirTime(t *testing.T) {
	var example struct {
		Route         route
		TimeIntervals []struct {
			Name          string
			TimeIntervals []struct {
				Times []struct {
					Start clock `yaml:"start_time"`
					End   clock `yaml:"end_time"`
				}
			} `yaml:"time_intervals"`
		} `yaml:"time_intervals"`
	}
	readYAML(t, "alertmanager.example.yml", &example)
	lasts := map[string]time.Duration{}
	for _, interval := range example.TimeIntervals {
		for _, times := range interval.TimeIntervals[0].Times {
			lasts[interval.Name] = time.Duration(times.End - times.Start)
		}
	}
	daily := 0
	example.Route.each(func(r route) {
		for _, active := range r.ActiveTimeIntervals {
			daily++
			if interval := time.Duration(r.GroupInterval); interval == 0 || interval >= lasts[active] {
				t.Errorf("route %v flushes its groups every %v, but %q lasts %v", r.Matchers, interval, active, lasts[active])
			}
			if repeat := time.Duration(r.RepeatInterval); repeat == 0 || repeat >= 5*24*time.Hour {
				t.Errorf("route %v repeats after %v, but Alertmanager forgets after 5 days", r.Matchers, repeat)
			}
		}
	})
	if daily == 0 {
		t.Error("no route has an active time: this test checks nothing")
	}
}

// alternatives splits a pattern at the bars that are outside parentheses.
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
