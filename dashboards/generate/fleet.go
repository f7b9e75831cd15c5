package main

import "fmt"

// fleetOverview is where an operator starts: is anything wrong, where, since when, who is affected.
func fleetOverview() Dashboard {
	d := dashboard("ycm-fleet", "Every Cloud PBX of the YCM accounts: alerts and PBXs not running first, calls against last week, then capacity, backups, expiry, regions.",
		"24h", "1m", accountVariable, regionVariable, groupVariable)
	d.Annotations.List = firingOverTime()
	d.Panels = place(
		across(bannerHeight, freshness()),
		across(4, firingCount(), notRunningCount(), notAnswering().tile(), callsNow()),
		across(8, firingList(), notRunningList()),
		across(7, callsAgainstLastWeek().wide(15), notRunningOverTime().wide(9)),
		across(3, pbxCount(), nearCapacity().tile(), oldBackups().tile(), ended().tile()),
		across(3, endingSoon().tile(), behind().tile(), unactivated().tile()),
		folded("PBX APIs",
			across(8, notAnswering().table())),
		folded("Accounts and regions",
			across(9, byRegion().wide(columns)),
			across(8, byAccount().wide(14), byStatus().wide(10))),
		folded("Groups and resellers",
			across(9, byGroup().wide(columns))),
		folded("Near capacity, outdated backups, expiry, activation",
			across(8, nearCapacity().table(), oldBackups().table()),
			across(8, endingSoon().table(), ended().table()),
			across(8, unactivated().table(), fleetUse())),
		folded("Calls over the week",
			across(9, callsOverTheWeek().wide(columns)),
			across(8, movers("Largest increase in calls", true), movers("Largest decrease in calls", false))),
		folded("Endpoints and AI minutes",
			across(4, phonesLost().tile().wide(6), endpointsNow()),
			across(4, aiMinutes()),
			across(9, endpointsOverTime().wide(14), phonesLost().table().wide(10))),
	)
	return d
}

// pbxCount is orange for an empty list: usually the account has no rights to see PBXs.
func pbxCount() Panel {
	return stat("PBXs", "Cloud PBXs in YCM's list selected by the variables above. 0 for a whole account: check its rights in YCM.", "locale",
		now("sum("+pbxs()+") or sum("+noPBXs()+")")).mapped(word(0, "0: check rights", warning))
}

// noPBXs is 0 for each account whose list is known to be empty.
func noPBXs() string {
	return "max by (account) (" + account("ycm_cloud_pbxs") + ") == 0"
}

func callsNow() Panel {
	return stat("Calls now", "Active calls of the Running PBXs. YCM may report outdated calls for a PBX that is not Running: those are excluded.",
		"locale", now("sum("+recorded("account_region_group:ycm_cloud_pbx_active_calls:sum")+")"))
}

// byStatus counts the PBXs in each state.
func byStatus() Panel {
	return stat("PBXs by status", "PBXs in each status that YCM documents, if there are any. Unknown is a status that it does not document.", "locale",
		named("sort_desc(sum by (status) ("+recorded("account_region_group_status:ycm_cloud_pbxs:count")+"))", "{{status}}")).
		counted(pbxStates).option("orientation", "horizontal")
}

// statusNow is a recorded status of each PBX that is not Running.
func statusNow(matchers ...string) string {
	return chosen("max by (" + identity + ", status) (" + whileListed(selector("cloud_pbx:ycm_cloud_pbx_status:not_running", append([]string{inRegion}, matchers...)...)) + ")")
}

// overdue are the PBXs that have been in a status that ends by itself for longer than the threshold of the rules.
func overdue() string {
	return whileListed(selector("cloud_pbx:ycm_cloud_pbx_status:overdue", inRegion, planned))
}

const (
	planned   = `status=~"Starting|Upgrading|Restoring|Provisioning"`
	unplanned = `status!~"Starting|Upgrading|Restoring|Provisioning"`
)

// downPBXs are those that are Stopped or Unknown, or overdue in another status, which " overdue" then marks. A PBX that was
// never activated is not down: no alert reports it either.
func downPBXs() string {
	late := fmt.Sprintf(`label_replace((%s and on (account, cloud_pbx_id) %s), "status", "$1 overdue", "status", "(.*)")`, statusNow(planned), overdue())
	return "((" + statusNow(unplanned) + " or " + late + ") unless on (account, cloud_pbx_id) " + "(" + account("ycm_cloud_pbx_activated") + " == 0))"
}

// plannedPBXs are the others that are not Running.
func plannedPBXs() string {
	return "(" + statusNow() + " unless on (account, cloud_pbx_id) " + downPBXs() + ")"
}

const notRunningTitle = "PBXs not running"

func notRunningCount() Panel {
	return stat(notRunningTitle, "Down: PBXs that are Stopped, in an unknown status, or starting, upgrading, restoring or provisioning for longer than the threshold of the rules. Planned: the others that are not Running, or not activated yet.", "locale",
		named(number(downPBXs(), pbxs()), "down"), named("count("+plannedPBXs()+") > 0", "planned")).
		problem(bad).option("textMode", "value_and_name").
		option("orientation", "vertical").series("planned", inColour(busy)).opens(notRunningTitle)
}

// notRunningList is sorted by gravity, then by extensions: Stopped, then other outages, then planned ones.
func notRunningList() Panel {
	size := "max by (account, cloud_pbx_id) (" + selector("ycm_cloud_pbx_extensions_used", inRegion) + ")"
	begin := "max by (account, cloud_pbx_id) (" + whileListed(selector("cloud_pbx:ycm_cloud_pbx_status:since", inRegion)) + ")"
	all := "(" + downPBXs() + " or " + plannedPBXs() + ")"
	order := fmt.Sprintf(`(1e6 * %s + 1e6 * (%s or 0 * %s) + 1e6 * (%s or 0 * %s))`, all, downPBXs(), all, statusNow(`status="Stopped"`), all)
	join := func(metric string) string {
		return fmt.Sprintf("(0 * %s + on (account, cloud_pbx_id) group_left () %s)", all, metric)
	}
	return table(notRunningTitle, "PBXs in a status other than Running: outages first, by their extensions; then planned ones, in blue. For: time since the status began, or since Prometheus first saw it.", "locale",
		inColumn("Order", fmt.Sprintf("topk(%d, %s + (%s or 0 * %s)) or on () %s", most, order, join(size), all, labelled("0 * count("+pbxs()+")", "name", "none"))),
		inColumn("For", "time() - "+join(begin)), inColumn("Ext.", join(size))).
		merged().sortedBy("Order", true).
		columns(
			col("name", "PBX", atLeast(120), property("links", []Link{{Title: "Open this PBX", URL: pbxPage}})),
			col("status", "Status", append(inText(statusMappings()...), width(165))...),
			shown("For", width(80), unit("s"), property("decimals", 0)), shown("Ext.", width(60)),
			col("region", "Region", regionNames(), atLeast(100)), hidden("account"), hidden("cloud_pbx_id"), hidden("Order"))
}

// statusMappings colour a status, red where it is overdue.
func statusMappings() []Mapping {
	return []Mapping{nameMapping(pbxStates), {Type: "regex", Options: map[string]any{
		"pattern": "(.*) overdue", "result": result{Text: "$1, overdue", Color: bad},
	}}}
}

func notAnswering() list {
	return list{
		title: "API not responding", colour: bad, unit: "none", worst: "Region", witness: each("ycm_cloud_pbx_api_up"),
		description: "PBXs that YCM reports as Running but whose own API did not respond. Needs the collector pbx_api.",
		vector:      each("ycm_cloud_pbx_api_up") + " == 0",
		columns:     pbxColumns(hidden("Value")),
		collector:   "pbx_api",
	}
}

func nearCapacity() list {
	return list{
		title: "Near capacity", colour: warning, unit: "percentunit", worst: "Used", descending: true, witness: pbxs(),
		description: "PBXs that use more of their concurrent calls, extensions or recording time than the thresholds of the rules allow.",
		vector:      attention("cloud_pbx_what:ycm_cloud_pbx_use:near"),
		columns:     pbxColumns(col("what", "What", width(105)), col("Value", "Used", width(70))),
	}
}

// attention is a recorded list of PBXs that need attention.
func attention(series string) string {
	return "max by (" + identity + ", what) (" + recorded(series) + ")"
}

func endingSoon() list {
	return list{
		title: "Expiring soon", colour: warning, unit: "suffix:d", worst: "Left", witness: pbxs(),
		description: "Plans and PBXs that expire within the notice of the rules, the next ones first.",
		vector:      "(" + daysUntil(attention("cloud_pbx_what:ycm_cloud_pbx_end:soon")) + ")",
		columns:     pbxColumns(col("what", "What", width(60)), col("Value", "Left", width(70))),
	}
}

func ended() list {
	return list{
		title: "Expired", colour: bad, unit: "suffix:d", worst: "Ago", witness: pbxs(),
		description: "Plans and PBXs that expired in the last 90 days, the last ones first.",
		vector:      "(" + daysSince(attention("cloud_pbx_what:ycm_cloud_pbx_end:ended")) + ")",
		columns:     pbxColumns(col("what", "What", width(60)), col("Value", "Ago", width(70))),
	}
}

func oldBackups() list {
	last := "max by (" + identity + ") (" + recorded("cloud_pbx:ycm_cloud_pbx_backup:old") + ")"
	return list{
		title: "Outdated backups", colour: warning, unit: "suffix:d", worst: "Age", descending: true, witness: pbxs(),
		description: "PBXs whose last backup by a YCM task is older than the threshold of the rules, or that have none. YCM does not list backups made on the PBX itself.",
		vector:      fmt.Sprintf("(%s or -1 + 0 * %s)", daysSince("("+last+" > 0)"), last),
		columns:     pbxColumns(col("Value", "Age", width(80), property("mappings", []Mapping{word(-1, "never", warning), blank}))),
	}
}

func unactivated() list {
	return list{
		title: "Not activated", colour: warning, unit: "suffix:d", worst: "Created", descending: true, witness: pbxs(),
		description: "PBXs that were created and are not activated, with the days since their creation.",
		vector:      "(" + daysSince("max by ("+identity+") ("+recorded("cloud_pbx:ycm_cloud_pbx_created:unactivated")+")") + ")",
		columns:     pbxColumns(col("Value", "Created", width(80))),
	}
}

// fleetUse is what all PBXs together use of what all together may.
func fleetUse() Panel {
	targets := make([]Target, len(resources))
	for i, r := range resources {
		targets[i] = named(fmt.Sprintf("sum(%s) / (sum(%s) > 0)",
			recorded("account_region_group:ycm_cloud_pbx_"+r.used+":sum"), recorded("account_region_group:ycm_cloud_pbx_"+r.capacity+":sum")), r.title)
	}
	return bars("Capacity used", "Share of the capacity of all plans that the PBXs use: active calls, extensions, recording time.", targets...).decimals(0).leadsTo("ycm-capacity")
}

func callsAgainstLastWeek() Panel {
	calls := recorded("account_region_group:ycm_cloud_pbx_active_calls:sum")
	return timeseries("Calls against last week", "Active calls of the Running PBXs over the time shown, and at the same time a week ago.", "locale",
		over("sum("+calls+")", "Calls"), over("sum("+selector("account_region_group:ycm_cloud_pbx_active_calls:sum", inGroup)+" offset 1w)", "Last week")).
		axis("calls").series("Calls", inColour(busy)).series("Last week", append(dashed(), inColour(past))...)
}

func callsOverTheWeek() Panel {
	return timeseries("Calls over the week, by region", "Active calls of the Running PBXs over the last 7 days, one point each hour, by region.", "locale",
		over(regions("account_region_group:ycm_cloud_pbx_active_calls:sum"), "{{region}}")).
		axis("calls").stacked().during("7d", "1h")
}

func byAccount() Panel {
	by := func(title, expr string) Target { return inColumn(title, "max by (account) ("+expr+")") }
	count := "(sum by (account) (" + pbxs() + ") or " + noPBXs() + ")"
	return table("By account", "One row for each account of the last 24 hours: result of the last poll of its PBX list, age of the data, PBXs, those that are down, those in a planned status, active calls.", "locale",
		by("Last poll", account("ycm_up")),
		by("Age", "time() - (last_over_time("+account("ycm_collector_last_success_timestamp_seconds", `collector="cloud_pbx"`)+"[1d]) > 0)"),
		inColumn("PBXs", count),
		inColumn("Down", "count by (account) ("+downPBXs()+") or 0 * "+count),
		inColumn("Planned", "count by (account) ("+plannedPBXs()+") or 0 * "+count),
		inColumn("Calls", "sum by (account) ("+recorded("account_region_group:ycm_cloud_pbx_active_calls:sum")+")")).
		merged().
		columns(col("account", "Account", atLeast(75)),
			shown("Last poll", append(inText(yesNo("ok", "failed", bad)), width(85))...),
			shown("Age", width(65), unit("s"), property("decimals", 0)),
			shown("PBXs", width(55)),
			shown("Down", append(inSteps(at(0, good), at(1, bad)), width(60))...),
			shown("Planned", append(inSteps(at(1, busy)), width(75))...),
			shown("Calls", width(60))).
		sorted("Down", true)
}

func byRegion() Panel { return bySize("region", "Region") }

func byGroup() Panel { return bySize("group", "Group") }

// bySize is a table with a row for each value of a label of the PBXs.
func bySize(label, title string) Panel {
	sum := func(series string, matchers ...string) string {
		return fmt.Sprintf(`label_replace(%[1]s, "%[2]s", "none", "%[2]s", "")`, sumBy(label, recorded(series, matchers...)), label)
	}
	count := sum("account_region_group:ycm_cloud_pbxs:count")
	among := func(pbxs string) string {
		if label == "group" {
			pbxs = "(" + pbxs + " * on (account, cloud_pbx_id) group_left (group) max by (account, cloud_pbx_id, group) (" + selector("ycm_cloud_pbx_info", inGroup) + "))"
		}
		return fmt.Sprintf(`label_replace(%[1]s, "%[2]s", "none", "%[2]s", "")`, sumBy(label, pbxs), label)
	}
	down := "(" + among(downPBXs()) + " or 0 * " + count + ")"
	share := func(title, used, capacity string) Target {
		return inColumn(title, "("+sum("account_region_group:ycm_cloud_pbx_"+used+":sum")+" / ("+sum("account_region_group:ycm_cloud_pbx_"+capacity+":sum")+" > 0))")
	}
	bar := func(colour string) []Option {
		return append(asBar(colour), unit("percentunit"), property("decimals", 0))
	}
	return table("By "+label, "One row for each "+label+", those with the largest share of PBXs down first: PBXs, those that are down, those in a planned status, active calls, used share of calls and extensions, and PBXs with newer firmware available.", "locale",
		inColumn("PBXs", count), inColumn("Down", down), inColumn("Planned", among(plannedPBXs())+" or 0 * "+count), inColumn("Share down", down+" / "+count),
		inColumn("Calls", sum("account_region_group:ycm_cloud_pbx_active_calls:sum")),
		share("Calls used", "active_calls", "concurrent_calls_capacity"), share("Extensions used", "extensions_used", "extensions_capacity"),
		inColumn("Updates", sum("account_region_group_behind:ycm_cloud_pbxs:count", newerIs))).
		merged().
		columns(col(label, title), shown("PBXs", width(80)),
			shown("Down", append(inSteps(at(0, good), at(1, bad)), width(70))...),
			shown("Planned", append(inSteps(at(1, busy)), width(85))...),
			shown("Share down", append(asBar(unknown, at(some, bad)), unit("percentunit"), property("decimals", 0))...),
			shown("Calls", width(80)), shown("Calls used", bar(busy)...), shown("Extensions used", bar(busy)...),
			shown("Updates", width(90))).
		sorted("Share down", true)
}

// movers are the PBXs whose calls of the last day differ most from those of the same day a week ago.
func movers(title string, more bool) Panel {
	calls := selector("ycm_cloud_pbx_active_calls", inRegion)
	average := func(offset string) string {
		return "max by (" + identity + ") (avg_over_time(" + calls + "[1d:30m]" + offset + "))"
	}
	vector := chosen("(" + average("") + " - " + average(" offset 1w") + ")")
	description := "PBXs whose average of concurrent calls in the last 24 hours fell most against the same 24 hours a week ago."
	if more {
		description = "PBXs whose average of concurrent calls in the last 24 hours rose most against the same 24 hours a week ago."
		vector = "(" + vector + " > 0)"
	} else {
		vector = "(" + vector + " < 0)"
	}
	return worst(20, vector, pbxs(), title, description, "locale", more).decimals(1).
		columns(pbxColumns(col("Value", "Calls", width(80)))...).sorted("Calls", more)
}

func notRunningOverTime() Panel {
	stopped := recorded("account_region_group_status:ycm_cloud_pbxs:count", `status!="Running"`)
	return timeseries("PBXs not running over time", "PBXs in a status other than Running, by status.", "locale",
		over(byStatusOrNone(stopped, pbxs()), "{{status}}")).
		axis("PBXs").stacked().stateColours(pbxStates).series("none", inColour(good)).custom("lineInterpolation", "stepAfter")
}
