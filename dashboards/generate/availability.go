package main

import "fmt"

// availability is for reports to customers: the share of the known time in which PBXs were available.
func availability() Dashboard {
	d := dashboard("ycm-availability", "Availability of the Cloud PBXs over the time range, per PBX, region, group and account, month to date against a target, and outages.",
		"30d", "1h", accountVariable, regionVariable, groupVariable, targetVariable)
	d.Panels = place(
		across(bannerHeight, freshness()),
		across(4, availabilityNow("Availability", "Availability of all PBXs over the time range."),
			availabilityNow("Month to date", "Availability of all PBXs since the first of the month.").during(thisMonth, ""),
			belowTarget(), timeWithoutData()),
		across(9, worstAvailability(worstTitle, "PBXs with the lowest availability over the time range."), outages()),
		across(8, availabilityBy("account", "Account").wide(7), availabilityBy("region", "Region").wide(9), availabilityBy("group", "Group").wide(8)),
		across(9, worstAvailability("Month to date: worst twenty PBXs", "PBXs with the lowest availability since the first of the month.").during(thisMonth, ""),
			availabilityPerDay()),
	)
	return d
}

const worstTitle = "Worst twenty PBXs"

// targetVariable is the promised availability in percent.
var targetVariable = Variable{
	Name: "target", Label: "Target, %", Description: "The promised availability in percent.", Type: "custom",
	Query: "99,99.5,99.9,99.95,99.99", Current: map[string]any{"selected": true, "text": "99.9", "value": "99.9"}, Options: []any{},
}

// thisMonth is a time range of Grafana, from the first of the month in the time zone of the dashboard.
const thisMonth = "now/M"

// minutes of the time range: the rules record one sample per hour and PBX, the number of minutes. A PBX that was renamed or moved
// has more than one series.
func minutes(series, by string) string {
	return sumBy(by, "sum_over_time("+selector("cloud_pbx:ycm_cloud_pbx_"+series, inGroup)+"[$__range])")
}

// available is the share of the minutes with data in which a PBX was Running and, if that is polled, its API responded.
func available(by string) string {
	return "(" + minutes("available:sum1h", by) + " / " + minutes("status:count1h", by) + ")"
}

// unavailable is how many seconds that were not.
func unavailable(by string) string {
	return "60 * (" + minutes("status:count1h", by) + " - " + minutes("available:sum1h", by) + ")"
}

// withoutData is how many seconds of the time range have no data, of PBXs that are still listed, counted from their creation. What is
// less than two hours is only the difference between the time range and whole hours. A PBX that was renamed or moved has the time with
// data of all its names and places; what is missing counts for the present place.
func withoutData(by string) string {
	lived := "max by (account, cloud_pbx_id) (clamp_max(time() - " + account("ycm_cloud_pbx_created_timestamp_seconds") + ", $__range_s))"
	known := "60 * sum by (account, cloud_pbx_id) (sum_over_time(" + account("cloud_pbx:ycm_cloud_pbx_status:count1h") + "[$__range]))"
	place := "topk by (account, cloud_pbx_id) (1, max by (account, cloud_pbx_id, region, group) (" + selector("ycm_cloud_pbx_info", inGroup) + "))"
	missing := fmt.Sprintf("(%s - on (account, cloud_pbx_id) %s + on (account, cloud_pbx_id) group_left (region, group) 0 * %s)", lived, known, place)
	return sumBy(by, missing+" > 7200 or 0 * "+missing)
}

func shareWithoutData(by string) string {
	return withoutData(by) + " / (" + withoutData(by) + " + 60 * " + minutes("status:count1h", by) + ")"
}

// byTarget shows an availability in green or red.
func byTarget(expr string) []Target {
	return []Target{
		named(expr+" >= ${target} / 100", "target met"), named(expr+" < ${target} / 100", "below target"),
	}
}

func availabilityNow(title, description string) Panel {
	return stat(title, description+" Time without data is excluded.", "percentunit", byTarget(available(""))...).
		decimals(3).stepped(unknown).option("textMode", "value_and_name").
		series("target met", inColour(good)).series("below target", inColour(bad))
}

const byPBX = "account, cloud_pbx_id"

// namedPBXs gives the series of PBXs their present name and region, or the ones that a deleted PBX had for the most time.
func namedPBXs(vector string) string {
	names := "topk by (account, cloud_pbx_id) (1, 1e9 * max by (" + identity + ") (" + selector("ycm_cloud_pbx_info", inRegion) + ") or " + minutes("status:count1h", identity) + ")"
	return "(" + vector + " + on (account, cloud_pbx_id) group_left (name, region) 0 * " + names + ")"
}

func belowTarget() Panel {
	all := available(byPBX)
	return stat("PBXs below target", "PBXs whose availability over the time range is below the target.", "locale",
		now(number("("+all+" < ${target} / 100)", all))).problem(bad).opens(worstTitle)
}

func timeWithoutData() Panel {
	return stat("Time without data", "Share of the time range for which nothing was recorded, of the PBXs that are still listed. It counts neither as available nor as unavailable.", "percentunit",
		now(shareWithoutData(""))).
		decimals(2).stepped(unknown, at(0, good), at(some, warning)).mapped(word(0, "none", good))
}

// availabilityColumns are the columns of a table with one row for each value of labels.
func (p Panel) availabilityColumns(first ...column) Panel {
	met := Mapping{Type: "value", Options: map[string]any{"1": result{Text: "met", Color: good}, "0": result{Text: "missed", Color: bad, Index: 1}}}
	return p.merged().sortedBy("Availability", false).columns(append(first,
		shown("Availability", width(100), unit("percentunit"), property("decimals", 3)),
		shown("Target", append(inText(met), width(70))...),
		shown("Down", width(85), unit("s"), property("decimals", 1)),
		shown("Excluded", width(85), unit("s"), property("decimals", 0)))...)
}

func worstAvailability(title, description string) Panel {
	chosenPBXs := "bottomk(20, " + available(byPBX) + ")"
	column := func(title, expr string) Target { return inColumn(title, namedPBXs("("+expr+")")) }
	of := func(expr string) string { return "(" + expr + ") and on (account, cloud_pbx_id) " + chosenPBXs }
	return table(title, description+" Excluded: time of the range, or since the creation, without data; –: the PBX was deleted.", "none",
		column("Availability", chosenPBXs), column("Target", chosenPBXs+" >= bool ${target} / 100"),
		column("Down", of(unavailable(byPBX))), column("Excluded", of(withoutData(byPBX)))).
		availabilityColumns(
			col("name", "PBX", atLeast(110), property("links", []Link{{Title: "Open this PBX", URL: pbxPage}})),
			col("region", "Region", regionNames(), atLeast(90)), hidden("account"), hidden("cloud_pbx_id"))
}

func availabilityBy(label, title string) Panel {
	row := func(expr string) string {
		return fmt.Sprintf(`label_replace(%s, "%[2]s", "none", "%[2]s", "")`, expr, label)
	}
	return table("Availability by "+label, "Availability of the PBXs of each "+label+" over the time range, weighted by the time with data. Down: the sum over its PBXs. Excluded: the share of time without data.", "none",
		inColumn("Availability", row(available(label))), inColumn("Target", row(available(label)+" >= bool ${target} / 100")),
		inColumn("Down", row(unavailable(label))), inColumn("Excluded", row(shareWithoutData(label)))).
		availabilityColumns(col(label, title, regionNames(), atLeast(90))).
		series("Excluded", unit("percentunit"), property("decimals", 1))
}

func availabilityPerDay() Panel {
	sum := func(series string) string {
		return sumBy("region", "sum_over_time("+selector("cloud_pbx:ycm_cloud_pbx_"+series, inGroup)+"[$__interval])")
	}
	p := timeseries("Availability per day, by region", "Availability of the PBXs of each region on the day before each point.", "percentunit",
		over(sum("available:sum1h")+" / "+sum("status:count1h"), "{{region}}")).
		axis("availability").custom("fillOpacity", 0).custom("showPoints", "always").during("", "1d")
	p.FieldConfig.Defaults.Min = nil
	p.FieldConfig.Defaults.Max = new(1.0)
	return p
}

// outages reads the start of each outage over time: one row for each start, with the longest duration seen.
func outages() Panel {
	status, api := selector("cloud_pbx:ycm_cloud_pbx_status:since", inRegion), selector("ALERTS_FOR_STATE", `alertname="YcmCloudPbxNotAnswering"`, inRegion)
	// Each point is about the step after it: the last step of the time range would be missing else, with the outages of the moment.
	inStep := func(expr string) string {
		return "max by (" + identity + ", status) (max_over_time((" + expr + ")[$__interval:1m] offset -$__interval) unless on (account, cloud_pbx_id) " + notChosen + " @ end())"
	}
	// last is the greatest of what a function makes of the starts of all outages.
	last := func(of func(since string) string) string {
		return "(" + inStep(of(status)) + " or " + inStep(labelled("("+of(api)+" and on (account, cloud_pbx_id) "+
			selector("cloud_pbx:ycm_cloud_pbx_api_up:not_answering", inRegion)+")", "status", noAPI)) + ")"
	}
	start := last(func(since string) string { return since })
	seen := last(func(since string) string { return "timestamp(" + since + ")" })
	series := func(expr string) Target {
		t := over(expr, "")
		t.Format = "table"
		return t
	}
	group := map[string]any{"operation": "groupby", "aggregations": []string{}}
	p := table("Outages", "Times in which a PBX was not Running, planned ones included, or its own API did not respond, the last first. "+
		"Several outages of a PBX within one step of the time range (20 minutes in 30 days) are one row, the last of them: zoom in. API outages need ycm.alerts.yml.", "none",
		series("1000 * "+start+" or "+rangeStart()), series(seen+" - "+start)).
		transformed("merge", map[string]any{}).
		transformed("groupBy", map[string]any{"fields": map[string]any{
			"name": group, "status": group, "region": group, "account": group, "cloud_pbx_id": group, "Value #A": group,
			"Value #B": map[string]any{"operation": "aggregate", "aggregations": []string{"max"}},
		}}).
		sortedBy("Value #A", true).during("", "5m").
		columns(col("Value #A", "Start", width(112), unit(sinceUnit)), col("Value #B (max)", "Duration", width(78), unit("s"), property("decimals", 1)),
			col("name", "PBX", atLeast(215), property("links", []Link{{Title: "Open this PBX", URL: pbxPage}})),
			col("status", "Status", append(inText(nameMapping(pbxStates), noAPIMapping), width(150))...),
			col("region", "Region", regionNames(), atLeast(178)), hidden("account"), hidden("cloud_pbx_id"))
	p.MaxDataPoints = 2000
	return p
}

const noAPI = "API not responding"

var noAPIMapping = Mapping{Type: "value", Options: map[string]any{noAPI: result{Text: noAPI, Color: bad}}}

// rangeStart makes the last row of the outages: Grafana's groupBy fails without any row.
func rangeStart() string {
	known := "last_over_time(" + account("account:ycm_cloud_pbxs:max") + "[$__range] @ end())"
	return labelled("($__from + 0 * count("+known+"))", "name", "no earlier outage") + " or on () " + labelled(noRow, "name", "no data")
}

const noRow = "vector($__from)"
