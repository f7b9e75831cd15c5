package main

import "fmt"

// firing are the alerts of the alerting rules that fire about what is chosen. Those about an exporter or an account have
// no region, and some have no account.
func firing(matchers string) string {
	return fmt.Sprintf("ALERTS{alertname=~\"Ycm.+\", alertstate=\"firing\", account=~`|${account:regex}`, region=~`|${region:regex}`%s}", matchers)
}

// alertLabels are what tells one row of the list from another.
const alertLabels = "severity, alertname, name, account, cloud_pbx_id, region"

// firingBy is a series for each row of the list.
func firingBy(matchers string) string {
	return "max by (" + alertLabels + ") (" + chosen(firing(matchers)) + ")"
}

// severities in the order in which somebody must look, with their colours.
var severities = []state{{"critical", bad}, {"warning", warning}, {"info", busy}}

func firingCount() Panel {
	targets := make([]Target, len(severities))
	for i, s := range severities {
		known := "0 * count(" + account("ycm_up") + ") and on () count(account:ycm_cloud_pbxs:max)"
		targets[i] = named("count("+firingBy(fmt.Sprintf(", severity=%q", s.name))+") or ("+known+")", s.name)
	}
	p := stat("Alerts firing", "Alerts of the exporter's rules that fire now, by severity. Grey without a number: the rules are not loaded, or nothing is scraped.", "locale", targets...).
		stepped(unknown).option("textMode", "value_and_name").option("text", map[string]any{"titleSize": 11, "valueSize": 26}).
		option("orientation", "vertical").opens("Alerts firing")
	for _, s := range severities {
		p = p.series(s.name, property("thresholds", thresholds(unknown, at(0, good), at(1, s.colour))))
	}
	return p
}

// firingList lists them, the most severe and the newest first. Prometheus keeps since when in a series of its own.
func firingList() Panel {
	vector := fmt.Sprintf("max by (%s) ((time() - ALERTS_FOR_STATE{alertname=~\"Ycm.+\"}) and ignoring (alertstate) %s)", alertLabels, chosen(firing("")))
	for i, s := range severities {
		vector = fmt.Sprintf("label_replace(%s, \"order\", \"%d\", \"severity\", %q)", vector, i+1, s.name)
	}
	return table("Alerts firing", "Alerts that fire now, the most severe first, then the newest, with the time since they became true. The name of an alert leads to what to do about it, that of a PBX to its page. At most 500, and how many of how many.",
		"s", rows("sort(bottomk(500, "+vector+"))")).
		decimals(0).withCount(most, firingBy(""), "Alert", "alertname").sortedBy("order", false).columns(
		col("alertname", "", property("links", []Link{{Title: "What to do", URL: runbook, TargetBlank: true}})),
		col("severity", "Severity", append(inText(nameMapping(severities)), width(75))...),
		col("Value", "Since", width(75)),
		col("name", "PBX", atLeast(110), property("links", []Link{{Title: "Open this PBX", URL: pbxPage}})),
		col("region", "Region", atLeast(90)), col("account", "Account", atLeast(70)), hidden("cloud_pbx_id"), hidden("order"))
}

const runbook = "https://github.com/ycm-exporter/ycm_exporter/blob/main/docs/runbooks.md#:~:text=${__data.fields.alertname:percentencode}"

// firingOverTime marks on every panel over time when alerts began to fire. How long they went on would cover the panels
// in a fleet where something always fires.
func firingOverTime() []Annotation {
	annotations := make([]Annotation, 0, len(severities))
	for _, s := range severities[:2] {
		now := firing(fmt.Sprintf(", severity=%q", s.name))
		annotations = append(annotations, Annotation{
			Name: s.name + " alerts", Enable: true, IconColor: s.colour, Datasource: datasource(),
			Expr:        "count by (alertname, account) (" + now + " unless " + now + " offset 1m)",
			TitleFormat: "{{alertname}}", TextFormat: "{{account}}", Step: "1m",
		})
	}
	return annotations
}
