package main

import (
	"fmt"
	"strings"
)

// alerts are the alerts of the alerting rules for what is chosen, in one state or, with .*, in any. Alerts about an exporter or an
// account have no region, and some have no account.
func alerts(state, matchers string) string {
	return fmt.Sprintf("ALERTS{alertname=~\"Ycm.+\", alertstate=~%q, account=~`|${account:regex}`, region=~`|${region:regex}`%s}", state, matchers)
}

// What the example configuration of Alertmanager inhibits: the sources, and what they inhibit of the same account or region.
const (
	accountOutages = `alertname=~"YcmLoginRefused|YcmAccountMissing|YcmAccountDown|YcmFleetDataStale|YcmFirstWalkUnfinished"`
	regionOutages  = `alertname=~"YcmManyCloudPbxsNotRunning|YcmManyCloudPbxsNotAnswering|YcmManyPhonesOffline"`
	partOfRegion   = `alertname=~"YcmCloudPbxStopped|YcmCloudPbxStuck|YcmCloudPbxNotAnswering|YcmTrunkDown|YcmAllTrunksDown|YcmPhonesOffline|YcmNoExtensionReachable"`
)

// firing are the alerts that fire, without those that a larger outage explains.
func firing(matchers string) string {
	all := func(m string) string { return alerts("firing", m) }
	return chosen(all(matchers) +
		" unless (" + all(`, alertname!="YcmExporterDown"`) + " and on (account) " + all(`, alertname="YcmExporterDown"`) + ")" +
		" unless (" + all(`, scope=~"fleet|cloud_pbx"`) + " and on (account) " + all(", "+accountOutages) + ")" +
		" unless (" + all(", "+partOfRegion) + " and on (account, region) " + all(", "+regionOutages) + ")")
}

// urgency is a severity, or how often an alert that is not urgent is notified.
type urgency struct {
	state
	matchers string
}

// urgencies are the most urgent first.
var urgencies = []urgency{
	{state{"critical", bad}, `, severity="critical"`},
	{state{"warning", warning}, `, severity!="critical", notify=""`},
	{state{"daily", plain}, `, severity!="critical", notify="daily"`},
	{state{"weekly", plain}, `, severity!="critical", notify="weekly"`},
}

// alertLabels distinguish alerts, however many Prometheus servers evaluate the rules.
const alertLabels = "alertname, account, cloud_pbx_id, name, region"

// alertsKnown is 0 while alerts would be known: an exporter is scraped and the rules are loaded.
func alertsKnown() string {
	return "0 * count(" + account("ycm_up") + ") and on () count(account:ycm_cloud_pbxs:max)"
}

func firingCount() Panel {
	targets := make([]Target, len(urgencies))
	for i, u := range urgencies {
		targets[i] = named("count(max by ("+alertLabels+") ("+firing(u.matchers)+")) or ("+alertsKnown()+")", u.name)
	}
	p := stat("Alerts firing", "Alerts of the exporter's rules by severity; daily and weekly ones are not urgent. Alerts that the example configuration of Alertmanager inhibits are not counted. –: no data, or the rules are not loaded.", "locale", targets...).
		stepped(unknown).option("textMode", "value_and_name").
		option("orientation", "vertical").opens("Alerts")
	for _, u := range urgencies {
		p = p.series(u.name, property("thresholds", thresholds(unknown, at(0, good), at(1, u.colour))))
	}
	return p
}

// firingList has one row for each name of an alert.
func firingList() Panel {
	by := func(title, expr string) Target { return inColumn(title, expr) }
	terms := make([]string, len(urgencies))
	for i, u := range urgencies {
		terms[i] = fmt.Sprintf("%d * max by (alertname) (%s)", i+1, firing(u.matchers))
	}
	instances := "max by (" + alertLabels + ") (" + firing("") + ")"
	since := `(time() - min by (alertname) (ALERTS_FOR_STATE{alertname=~"Ycm.+"} and ignoring (alertstate) ` + firing("") + "))"
	return table("Alerts", "One row for each alert that fires: how many PBXs or accounts, in how many regions, and the time since the oldest began. Daily and weekly alerts are not urgent. A name leads to the runbook.", "locale",
		by("Severity", strings.Join(terms, " or ")+" or on () ("+alertsKnown()+")"),
		by("Count", "count by (alertname) ("+instances+")"),
		by("Regions", `count by (alertname) (count by (alertname, region) (`+firing(`, region!=""`)+"))"),
		by("Oldest", since)).
		merged().
		columns(
			shown("Severity", append(inText(urgencyMapping()), width(80))...),
			col("alertname", "Alert", atLeast(180), property("links", []Link{{Title: "Runbook", URL: runbook, TargetBlank: true}})),
			shown("Count", width(65)), shown("Regions", width(75)),
			shown("Oldest", width(85), unit("s"), property("decimals", 0))).
		option("sortBy", []any{
			map[string]any{"displayName": "Severity", "desc": false}, map[string]any{"displayName": "Count", "desc": true},
		})
}

// urgencyMapping shows urgencies as words, and 0 where nothing fires.
func urgencyMapping() Mapping {
	options := map[string]any{"0": result{Text: "none", Color: good}}
	for i, u := range urgencies {
		options[fmt.Sprint(i+1)] = result{Text: u.name, Color: u.colour, Index: i + 1}
	}
	return Mapping{Type: "value", Options: options}
}

const runbook = "https://github.com/ycm-exporter/ycm_exporter/blob/main/docs/runbooks.md#:~:text=${__data.fields.alertname:percentencode}"

// pbxAlerts lists the alerts of one PBX, the pending ones too.
func pbxAlerts() Panel {
	of := "{alertname=~\"Ycm.+\", " + thisPBX + "}"
	vector := "max by (alertname, alertstate, severity) ((time() - ALERTS_FOR_STATE" + of + ") * on (alertname, account, cloud_pbx_id, severity, trunk) group_left (alertstate) max by (alertname, account, cloud_pbx_id, severity, trunk, alertstate) (ALERTS" + of + "))"
	none := labelled("0 * "+pbx("ycm_cloud_pbx_info")+" and on () count(account:ycm_cloud_pbxs:max)", "alertstate", "none")
	return table("Alerts of this PBX", "Alerts about the PBX, pending ones included, and how long ago they began. A firing alert may have ended up to 15 minutes ago (keep_firing_for).", "s",
		rows("sort_desc("+vector+") or on () ("+none+")")).decimals(0).
		columns(
			col("alertstate", "State", append(inText(nameMapping([]state{{"firing", bad}, {"pending", warning}, {"none", good}})), width(75))...),
			col("severity", "Severity", append(inText(nameMapping([]state{{"critical", bad}, {"warning", warning}, {"info", plain}})), width(80))...),
			col("alertname", "Alert", atLeast(180), property("links", []Link{{Title: "Runbook", URL: runbook, TargetBlank: true}})),
			col("Value", "Since", width(90), property("mappings", []Mapping{word(0, " ", unknown)})),
			hidden("account"), hidden("cloud_pbx_id"))
}

// firingOverTime marks on every panel over time when alerts began to fire. Their whole duration would cover the panels
// in a fleet where something always fires.
func firingOverTime() []Annotation {
	annotations := make([]Annotation, 0, 2)
	for _, u := range urgencies[:2] {
		now := alerts("firing", u.matchers)
		annotations = append(annotations, Annotation{
			Name: u.name + " alerts", Enable: true, Hide: true, IconColor: u.colour, Datasource: datasource(),
			Expr:        "count by (alertname, account) (" + now + " unless " + now + " offset 1m)",
			TitleFormat: "{{alertname}}", TextFormat: "{{account}}", Step: "1m",
		})
	}
	return annotations
}
