package alerts_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"text/template"
	"time"

	"github.com/google/go-cmp/cmp"
	commontemplates "github.com/prometheus/common/helpers/templates"
)

// message is the data that Alertmanager passes to a template.
type message struct {
	Status                    string
	Alerts                    alertsOf
	GroupLabels, CommonLabels map[string]string
}

type notified struct {
	Labels, Annotations map[string]string
	StartsAt, EndsAt    time.Time
	firing              bool
}

type alertsOf []notified

func (all alertsOf) Firing() (some alertsOf)   { return all.that(true) }
func (all alertsOf) Resolved() (some alertsOf) { return all.that(false) }

func (all alertsOf) that(firing bool) (some alertsOf) {
	for _, a := range all {
		if a.firing == firing {
			some = append(some, a)
		}
	}
	return some
}

// functions are those of Alertmanager's that ycm.tmpl uses; it is 5:30 on March 1st.
var functions = template.FuncMap{
	"humanizeDuration": commontemplates.HumanizeDuration,
	"match":            regexp.MatchString,
	"reReplaceAll":     func(pattern, to, text string) string { return regexp.MustCompile(pattern).ReplaceAllString(text, to) },
	"since":            func(t time.Time) time.Duration { return time.Date(2026, 3, 1, 5, 30, 20, 0, time.UTC).Sub(t) },
	"stringSlice":      func(s ...string) []string { return s },
	"toUpper":          strings.ToUpper,
}

func TestMessages(t *testing.T) {
	templates, err := template.New("").Option("missingkey=zero").Funcs(functions).ParseFiles("ycm.tmpl")
	if err != nil {
		t.Fatal(err)
	}
	began := time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC)
	outage := notified{
		Labels: map[string]string{"alertname": "YcmManyCloudPbxsNotRunning", "account": "main", "region": "Oslo", "severity": "critical"},
		Annotations: map[string]string{
			"summary": "37 Cloud PBXs of region Oslo are not running (account main)", "description": "37 Cloud PBXs of region Oslo, account main, are not Running.",
			"runbook_url": "https://runbook", "dashboard_url": "/d/ycm-fleet?var-account=main",
		},
		StartsAt: began, firing: true,
	}
	ended := outage
	ended.Annotations = map[string]string{"summary": "5 Cloud PBXs of region Oslo are not running (account main)", "description": "5 Cloud PBXs.", "runbook_url": "https://runbook"}
	ended.EndsAt, ended.firing = began.Add(83*time.Minute+11*time.Second), false
	trunk := notified{
		Labels: map[string]string{"alertname": "YcmTrunkDown", "account": "main", "cloud_pbx_id": "7", "name": "Harbour", "region": "Oslo", "trunk": "Failover"},
		EndsAt: began.Add(time.Hour), StartsAt: began,
	}
	ofPBX := func(name, rank string, daily bool) notified {
		a := notified{
			Labels: map[string]string{"alertname": "YcmX", "account": "main", "name": name, "severity": "warning"},
			Annotations: map[string]string{
				"summary": name + " expires", "description": name + " expires.", "rank": rank, "pbx": "60 extensions, group vip, host " + name + ".example",
				"runbook_url": "https://runbook", "dashboard_url": "/d/ycm-pbx?var-pbx=1", "list_url": "/d/ycm-capacity?var-account=main",
			},
			StartsAt: began.Add(-24 * time.Hour), firing: true,
		}
		if daily {
			a.Labels["notify"] = "daily"
		}
		return a
	}
	latest := ofPBX("latest", "", false)
	latest.StartsAt = began
	firing := "- 37 Cloud PBXs of region Oslo, account main, are not Running.\n  Firing since 2026-03-01 03:00 UTC, 2h 30m ago.\n" +
		"  http://localhost:3000/d/ycm-fleet?var-account=main&from=1772330400000&to=now\n"
	for _, c := range []struct {
		name        string
		message     message
		title, text string
	}{
		{
			"one alert has its severity, its start, and a link to that time",
			message{Status: "firing", Alerts: alertsOf{outage}},
			"CRITICAL: 37 Cloud PBXs of region Oslo are not running (account main)",
			firing + "Runbook: https://runbook\n",
		},
		{
			"one that has ended has its duration, without the numbers of its last moment",
			message{Status: "resolved", Alerts: alertsOf{ended}},
			"RESOLVED: YcmManyCloudPbxsNotRunning, region Oslo, account main, fired for 1h 23m",
			"Resolved:\n- YcmManyCloudPbxsNotRunning, region Oslo, account main, fired for 1h 23m\nRunbook: https://runbook\n",
		},
		{
			"two have ended",
			message{
				Status: "resolved", Alerts: alertsOf{ended, trunk},
				GroupLabels: map[string]string{"alertname": "YcmX"}, CommonLabels: map[string]string{"account": "main"},
			},
			"RESOLVED: 2 x YcmX, account main",
			"Resolved:\n- YcmManyCloudPbxsNotRunning, region Oslo, account main, fired for 1h 23m\n" +
				"- YcmTrunkDown, Cloud PBX \"Harbour\" (id 7), trunk \"Failover\", region Oslo, account main, fired for 1h 0m\nRunbook: https://runbook\n",
		},
		{
			"one fires and one has ended",
			message{Status: "firing", Alerts: alertsOf{outage, ended}},
			"CRITICAL: 37 Cloud PBXs of region Oslo are not running (account main), 1 resolved",
			firing + "Resolved:\n- YcmManyCloudPbxsNotRunning, region Oslo, account main, fired for 1h 23m\nRunbook: https://runbook\n",
		},
		{
			"many are listed by urgency, with one link to the list",
			message{
				Status: "firing", Alerts: alertsOf{ofPBX("later", "21", true), ofPBX("unranked", "", true), ofPBX("soon", "03", true)},
				GroupLabels: map[string]string{"alertname": "YcmX"}, CommonLabels: map[string]string{"account": "main"},
			},
			"WARNING: soon expires, and 2 more (account main)",
			"- soon expires. (60 extensions, group vip, host soon.example)\n  On this list since 2026-02-28.\n" +
				"- later expires. (60 extensions, group vip, host later.example)\n  On this list since 2026-02-28.\n" +
				"- unranked expires. (60 extensions, group vip, host unranked.example)\n  On this list since 2026-02-28.\n" +
				"List: http://localhost:3000/d/ycm-capacity?var-account=main\nRunbook: https://runbook\n",
		},
		{
			"the list of many that just began starts an hour before the first",
			message{
				Status: "firing", Alerts: alertsOf{latest, ofPBX("first", "", false)},
				GroupLabels: map[string]string{"alertname": "YcmX"}, CommonLabels: map[string]string{"account": "main"},
			},
			"WARNING: latest expires, and 1 more (account main)",
			"- latest expires. (60 extensions, group vip, host latest.example)\n  Firing since 2026-03-01 03:00 UTC, 2h 30m ago.\n" +
				"- first expires. (60 extensions, group vip, host first.example)\n  Firing since 2026-02-28 03:00 UTC, 1d 2h 30m ago.\n" +
				"List: http://localhost:3000/d/ycm-capacity?var-account=main&from=1772244000000&to=now\nRunbook: https://runbook\n",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			for name, want := range map[string]string{"ycm.title": c.title, "ycm.text": c.text} {
				var got strings.Builder
				if err := templates.ExecuteTemplate(&got, name, c.message); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, got.String()); diff != "" {
					t.Errorf("%s (-want +got):\n%s", name, diff)
				}
			}
		})
	}
}

// A metric that is renamed in the code would leave a message without its number, or a runbook with a query that finds nothing.
func TestMessagesAndRunbooksUseMetricsThatExist(t *testing.T) {
	known, texts := servedLabels(), map[string]string{}
	for _, r := range rules(t) {
		known[r.Record] = []string{}
		for name, text := range r.Annotations {
			texts[r.Alert+"'s "+name] = text
		}
	}
	content, err := os.ReadFile("../docs/runbooks.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range regexp.MustCompile("`[^`]+`").FindAllString(string(content), -1) {
		texts["the runbooks' "+code] = code
	}
	metric := regexp.MustCompile(`\b(?:[a-z_]+:)?ycm_[a-z_0-9:]+`)
	for where, text := range texts {
		for _, name := range metric.FindAllString(text, -1) {
			histogram := regexp.MustCompile("_(sum|count|bucket)$").ReplaceAllString(name, "")
			if known[name] == nil && known[histogram] == nil && name != "ycm_exporter" && name != "ycm_subscription_" {
				t.Errorf("%s uses %s, which the exporter does not serve and no rule records", where, name)
			}
		}
	}
}
