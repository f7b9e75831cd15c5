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

// inhibition is an inhibit rule of the example configuration of Alertmanager.
type inhibition struct{ source, target, equal string }

// inhibitions are all of its rules; a test compares them.
var inhibitions = []inhibition{
	{`alertname="YcmExporterDown"`, `alertname=~"Ycm.+", alertname!="YcmExporterDown"`, "account"},
	{`alertname=~"YcmLoginRefused|YcmAccountMissing"`, `alertname="YcmAccountDown"`, "account"},
	{
		`alertname=~"YcmLoginRefused|YcmAccountMissing|YcmAccountDown"`,
		`alertname=~"YcmFleetDataStale|YcmCollectorFailing|YcmFirstWalkUnfinished|YcmPollSlow|YcmDemandNearRateLimit|YcmRateLimitShared|YcmInconsistentData|YcmRateLimited|YcmFleetUnconfirmed"`,
		"account",
	},
	{`alertname=~"YcmLoginRefused|YcmAccountMissing|YcmAccountDown|YcmFleetDataStale|YcmFirstWalkUnfinished"`, `scope=~"fleet|cloud_pbx"`, "account"},
	{`alertname="YcmFirstWalkUnfinished"`, `alertname=~"YcmFleetDataStale|YcmPollSlow"`, "account"},
	{`alertname="YcmFleetDataStale"`, `alertname="YcmPollSlow"`, "account"},
	{`alertname="YcmShardMissing"`, `alertname=~"YcmExporterInstanceDown|YcmShardsDisagree|YcmFleetDataStale"`, "account"},
	{`alertname="YcmRateLimitShared"`, `alertname=~"YcmRateLimited|YcmPollSlow|YcmDemandNearRateLimit"`, "account"},
	{`alertname="YcmRateLimited"`, `alertname="YcmPollSlow"`, "account"},
	{`alertname="YcmCollectorFailing"`, `alertname="YcmPollSlow"`, "account, collector"},
	{`alertname="YcmFleetUnconfirmed"`, `alertname=~"YcmFleetShrunk|YcmInconsistentData"`, "account"},
	{
		`alertname=~"YcmManyCloudPbxs(NotRunning|NotAnswering)"`,
		`alertname=~"YcmCloudPbxStopped|YcmCloudPbxStuck|YcmCloudPbxNotAnswering|YcmTrunkDown|YcmAllTrunksDown"`,
		"account, region",
	},
	{`alertname="YcmManyCloudPbxsNotRunning"`, `alertname="YcmManyCloudPbxsNotAnswering"`, "account, region"},
	{`alertname=~"YcmManyCloudPbxs(NotRunning|NotAnswering)"`, `alertname="YcmManyPhonesOffline"`, "account, region"},
	{`alertname=~"YcmMany(CloudPbxsNotRunning|CloudPbxsNotAnswering|PhonesOffline)"`, `alertname=~"YcmPhonesOffline|YcmNoExtensionReachable"`, "account, region"},
	{`alertname="YcmCloudPbxExpired"`, `alertname=~"YcmPlanExpired|YcmBackup.+"`, onePBX},
	{`alertname=~"YcmCloudPbxStopped|YcmCloudPbxStuck"`, `alertname=~"YcmBackup.+|Ycm(Extensions|Recording)NearCapacity"`, onePBX},
	{`alertname=~"YcmCloudPbxNotAnswering|YcmAllTrunksDown"`, `alertname="YcmTrunkDown"`, "account, cloud_pbx_id, name, region"},
	{`alertname="YcmCloudPbxNotAnswering"`, `alertname=~"YcmPhonesOffline|YcmNoExtensionReachable"`, onePBX},
	{`alertname="YcmPhonesOffline"`, `alertname="YcmNoExtensionReachable"`, onePBX},
	{`alertname="YcmCallsAtCapacity"`, `alertname="YcmCallsNearCapacity"`, onePBX},
}

const onePBX = "account, cloud_pbx_id"

// firing are the alerts that fire and that Alertmanager does not inhibit.
func firing(matchers string) string {
	var b strings.Builder
	b.WriteString(alerts("firing", matchers))
	for _, i := range inhibitions {
		fmt.Fprintf(&b, ` unless (ALERTS{alertstate="firing", %s} and on (%s) ALERTS{alertstate="firing", %s})`, i.target, i.equal, i.source)
	}
	return chosen(b.String())
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

// ending shows that the condition of alerts is over: what they are about has data and is well. Missing data shows nothing.
type ending struct{ alerts, equal, well string }

var endings = []ending{
	{"YcmCloudPbx(Stopped|Stuck|StatusUnknown)", onePBX, `ycm_cloud_pbx_status{status="Running"} == 1`},
	{"YcmCloudPbxNotAnswering", "account, cloud_pbx_id, name, region", "ycm_cloud_pbx_api_up == 1"},
	{"YcmTrunkDown", "account, cloud_pbx_id, name, region, trunk", "ycm_cloud_pbx_trunk_up == 1"},
	{"YcmAllTrunksDown", "account, cloud_pbx_id, name, region", "ycm_cloud_pbx_trunk_up == 1"},
	{"YcmNoExtensionReachable", onePBX, "ycm_cloud_pbx_extensions_reachable > 0"},
	{"YcmPhonesOffline", onePBX, `ycm_cloud_pbx_endpoints{endpoint="sip_phone", state="online"} unless on (account, cloud_pbx_id) cloud_pbx:ycm_cloud_pbx_sip_phones:lost_ratio`},
	{"YcmManyCloudPbxsNotRunning", "account, region", "ycm_cloud_pbx_info" + fewIn("cloud_pbx:ycm_cloud_pbx_status:not_running")},
	{"YcmManyCloudPbxsNotAnswering", "account, region", "ycm_cloud_pbx_api_up" + fewIn("cloud_pbx:ycm_cloud_pbx_api_up:not_answering")},
	{"YcmManyPhonesOffline", "account, region", "ycm_cloud_pbx_endpoints" + fewIn("cloud_pbx:ycm_cloud_pbx_sip_phones:lost_ratio")},
	{"YcmAccountDown|YcmLoginRefused", "account", "ycm_up == 1"},
	{"YcmExporterDown|YcmAccountMissing", "account", "ycm_exporter_shard_info"},
	{"YcmExporterInstanceDown", "job, instance", "up == 1"},
}

// fewIn excludes the regions in which enough PBXs are in trouble for an outage of the region.
func fewIn(trouble string) string {
	return " unless on (account, region) (count by (account, region) (" + trouble + ") >= on (account) group_left () ycm:threshold:region_outage_cloud_pbxs)"
}

// endedAlerts are those that still fire only because of keep_firing_for, which ALERTS does not show.
func endedAlerts(matchers string) string {
	vectors := make([]string, len(endings))
	for i, e := range endings {
		vectors[i] = fmt.Sprintf(`(ALERTS{alertname=~"%s", alertstate="firing"%s} and on (%s) (%s))`, e.alerts, matchers, e.equal, e.well)
	}
	return "(" + either(vectors...) + ")"
}

// alertColumn shows the name of an alert, which leads to its runbook.
func alertColumn() column {
	return col("alertname", "Alert", atLeast(180), property("links", []Link{{Title: "Runbook", URL: runbook, TargetBlank: true}}))
}

// beganAt is a column of times in milliseconds, shown as "8 minutes ago".
func beganAt() []Option {
	return []Option{width(125), unit("dateTimeFromNow"), property("custom.align", "right")}
}

// firingList has one row for each name of an alert.
func firingList() Panel {
	now := firing("")
	terms := make([]string, len(urgencies))
	for i, u := range urgencies {
		terms[i] = fmt.Sprintf("%d * %s", i+1, alerts("firing", u.matchers))
	}
	count := func(vector string) string {
		return "count by (alertname) (max by (" + alertLabels + ") (" + vector + "))"
	}
	return table("Alerts", "One row for each alert that fires: how many PBXs or accounts, in how many regions, and when the oldest began. Ended: the condition is over, but the alert fires "+
		"for up to 15 more minutes (keep_firing_for). Daily and weekly alerts are not urgent. Inhibited alerts are not shown. A name leads to the runbook.", "locale",
		inColumn("Severity", "min by (alertname) (("+strings.Join(terms, " or ")+") and "+now+") or on () ("+alertsKnown()+")"),
		inColumn("Count", count(now)), inColumn("Ended", count(endedAlerts("")+" and "+now)),
		inColumn("Regions", "count by (alertname) (count by (alertname, place) ("+onePlace(now+` and ALERTS{region!=""}`)+"))"),
		inColumn("Oldest since", `1000 * min by (alertname) (ALERTS_FOR_STATE{alertname=~"Ycm.+"} and ignoring (alertstate) `+now+")")).
		merged().
		columns(
			shown("Severity", append(inText(urgencyMapping()), width(80), property("custom.align", "left"))...),
			alertColumn(),
			shown("Count", width(65)), shown("Ended", width(70), property("custom.align", "right")), shown("Regions", width(75)),
			shown("Oldest since", beganAt()...)).
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
	const same = "alertname, account, cloud_pbx_id, severity, trunk"
	in := func(vector string) string { return "max by (" + same + ", alertstate) (" + vector + ")" }
	of := func(metric, matchers string) string {
		return metric + `{alertname=~"Ycm.+", ` + thisPBX + matchers + "}"
	}
	now := strings.Join([]string{
		labelled(in(endedAlerts(", "+thisPBX)), "alertstate", "ended"), in(of("ALERTS", `, alertstate="firing"`)), in(of("ALERTS", `, alertstate="pending"`)),
	}, " or on ("+same+") ")
	vector := "max by (alertname, alertstate, severity) (1000 * " + of("ALERTS_FOR_STATE", "") + " * on (" + same + ") group_left (alertstate) (" + now + "))"
	none := labelled(labelled("0 * "+pbx("ycm_cloud_pbx_info")+" and on () count(account:ycm_cloud_pbxs:max)", "alertstate", "none"), "alertname", " ")
	return table("Alerts of this PBX", "Alerts about the PBX and when they began, pending ones included. Ended: the condition is over, but the alert fires for up to 15 more minutes (keep_firing_for).", "locale",
		rows("sort("+vector+") or on () ("+none+")")).
		columns(
			col("alertstate", "State", append(inText(nameMapping([]state{{"firing", bad}, {"pending", warning}, {"ended", unknown}, {"none", good}})), width(75))...),
			col("severity", "Severity", append(inText(nameMapping([]state{{"critical", bad}, {"warning", warning}, {"info", plain}})), width(80))...),
			alertColumn(),
			col("Value", "Since", append(beganAt(), property("mappings", []Mapping{word(0, " ", unknown)}))...),
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
