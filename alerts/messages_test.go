package alerts_test

import (
	"strings"
	"testing"
	"text/template"
	"time"

	"github.com/google/go-cmp/cmp"
)

// message is what Alertmanager gives a template.
type message struct {
	Status                    string
	Alerts                    alertsOf
	GroupLabels, CommonLabels map[string]string
}

type told struct {
	Labels, Annotations map[string]string
	StartsAt, EndsAt    time.Time
	firing              bool
}

type alertsOf []told

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

// What has ended is told by what it was and for how long: the numbers of its last moment, when the region was nearly well
// again, say nothing of the outage.
func TestMessagesTellOfTheEndWithoutTheNumbersOfTheLastMoment(t *testing.T) {
	templates, err := template.ParseFiles("ycm.tmpl")
	if err != nil {
		t.Fatal(err)
	}
	began := time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC)
	outage := told{
		Labels: map[string]string{"alertname": "YcmManyCloudPbxsNotRunning", "account": "main", "region": "Oslo"},
		Annotations: map[string]string{
			"summary": "37 Cloud PBXs of region Oslo are not running (account main)", "description": "37 Cloud PBXs of region Oslo, account main, are not Running.",
			"runbook_url": "https://runbook", "dashboard_url": "/d/ycm-fleet?var-account=main",
		},
		StartsAt: began, firing: true,
	}
	ended := outage
	ended.Annotations = map[string]string{"summary": "5 Cloud PBXs of region Oslo are not running (account main)", "description": "5 Cloud PBXs.", "runbook_url": "https://runbook"}
	ended.EndsAt, ended.firing = began.Add(83*time.Minute+11*time.Second), false
	trunk := told{
		Labels: map[string]string{"alertname": "YcmTrunkNotRegistered", "account": "main", "name": "Harbour", "region": "Oslo", "trunk": "Failover"},
		EndsAt: began.Add(time.Hour), StartsAt: began,
	}
	for _, c := range []struct {
		name        string
		message     message
		title, text string
	}{
		{
			"one fires",
			message{Status: "firing", Alerts: alertsOf{outage}},
			"37 Cloud PBXs of region Oslo are not running (account main)",
			"- 37 Cloud PBXs of region Oslo, account main, are not Running.\n  http://localhost:3000/d/ycm-fleet?var-account=main\nRunbook: https://runbook\n",
		},
		{
			"one has ended",
			message{Status: "resolved", Alerts: alertsOf{ended}},
			"RESOLVED: YcmManyCloudPbxsNotRunning, region Oslo, account main, after 1h23m0s",
			"Resolved:\n- YcmManyCloudPbxsNotRunning, region Oslo, account main, after 1h23m0s\nRunbook: https://runbook\n",
		},
		{
			"two have ended",
			message{
				Status: "resolved", Alerts: alertsOf{ended, trunk},
				GroupLabels: map[string]string{"alertname": "YcmX"}, CommonLabels: map[string]string{"account": "main"},
			},
			"RESOLVED: 2 x YcmX, account main",
			"Resolved:\n- YcmManyCloudPbxsNotRunning, region Oslo, account main, after 1h23m0s\n" +
				"- YcmTrunkNotRegistered, Cloud PBX \"Harbour\", trunk \"Failover\", region Oslo, account main, after 1h0m0s\nRunbook: https://runbook\n",
		},
		{
			"one fires and one has ended",
			message{Status: "firing", Alerts: alertsOf{outage, ended}},
			"37 Cloud PBXs of region Oslo are not running (account main)",
			"- 37 Cloud PBXs of region Oslo, account main, are not Running.\n  http://localhost:3000/d/ycm-fleet?var-account=main\n" +
				"Resolved:\n- YcmManyCloudPbxsNotRunning, region Oslo, account main, after 1h23m0s\nRunbook: https://runbook\n",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			for name, want := range map[string]string{"ycm.title": c.title, "ycm.text": c.text} {
				var got strings.Builder
				if err := templates.ExecuteTemplate(&got, name, c.message); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, got.String()); diff != "" {
					t.Errorf("%s is not what it should be (-want +got):\n%s", name, diff)
				}
			}
		})
	}
}
