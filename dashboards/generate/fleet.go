package main

import "fmt"

// fleetOverview is where an operator starts: what needs attention, then what is going on.
func fleetOverview() Dashboard {
	d := dashboard("ycm-fleet", "Every Cloud PBX of the YCM accounts: what needs attention first, calls now and over the week, regions.",
		"24h", "1m", accountVariable, regionVariable, groupVariable)
	d.Annotations.List = firingOverTime()
	d.Panels = place(
		across(4, seen(), firingCount(), notRunning().tile(), notAnswering().tile()),
		across(3, nearCapacity().tile(), oldBackups().tile(), pbxCount(), callsNow()),
		across(3, endingSoon().tile(), ended().tile(), unactivated().tile(), behind().tile()),
		across(9, firingList().wide(16), byStatus().wide(8)),
		across(8, notRunning().table(), notAnswering().table()),
		across(8, callsAgainstLastWeek().wide(12), callsOverTheWeek().wide(12)),
		across(8, byAccount().wide(14), notRunningOverTime().wide(10)),
		across(9, byRegion().wide(columns)),
		across(8, nearCapacity().table(), oldBackups().table()),
		across(8, endingSoon().table(), ended().table()),
		across(8, unactivated().table(), fleetUse()),
		heading("Endpoints and AI minutes"),
		across(4, phonesLost().tile().wide(6), endpointsNow()),
		across(4, aiMinutes()),
		across(9, endpointsOverTime().wide(14), phonesLost().table().wide(10)),
	)
	return d
}

func pbxCount() Panel {
	return stat("PBXs", "Cloud PBXs in YCM's list that the variables above choose.", "locale",
		now("sum("+pbxs()+") or sum("+noPBXs()+")"))
}

// noPBXs is 0 for each account whose list is known to be empty.
func noPBXs() string {
	return "max by (account) (" + account("ycm_cloud_pbxs") + ") == 0"
}

func callsNow() Panel {
	return stat("Calls now", "Active calls of the Running PBXs. YCM may keep the calls of long ago on a PBX that is not Running: those are left out.",
		"locale", now("sum("+recorded("account_region_group:ycm_cloud_pbx_active_calls:sum")+")"))
}

// byStatus counts the PBXs in each state.
func byStatus() Panel {
	return stat("PBXs by status", "PBXs in each state that YCM documents, as far as there are any. Unknown is a state that it does not document.", "locale",
		named("sort_desc(sum by (status) ("+recorded("account_region_group_status:ycm_cloud_pbxs:count")+"))", "{{status}}")).
		counted(pbxStates).option("orientation", "horizontal")
}

func notRunning() list {
	stopped := chosen("max by (" + identity + ", status) (" + whileListed(selector("cloud_pbx:ycm_cloud_pbx_status:not_running", inRegion)) + ")")
	size := "max by (account, cloud_pbx_id) (" + selector("ycm_cloud_pbx_extensions_used", inRegion) + ")"
	return list{
		title: "Not running", colour: bad, unit: "locale", worst: "Ext.", descending: true, witness: pbxs(),
		description: "PBXs in a state other than Running, those with most extensions first: more people notice.",
		vector:      fmt.Sprintf("(%s * on (account, cloud_pbx_id) group_left () %s or -1 * %s)", stopped, size, stopped),
		columns: pbxColumns(col("status", "Status", append(inText(nameMapping(pbxStates)), width(110))...),
			col("Value", "Ext.", width(65), property("mappings", []Mapping{word(-1, "–", unknown)}))),
	}
}

func notAnswering() list {
	return list{
		title: "Not answering", colour: bad, unit: "none", worst: "Region", witness: each("ycm_cloud_pbx_api_up"),
		description: "PBXs that YCM reports as Running but that did not answer their own API. The collector pbx_api asks them; it is off by default.",
		vector:      each("ycm_cloud_pbx_api_up") + " == 0",
		columns:     pbxColumns(hidden("Value")),
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
		title: "Ending soon", colour: warning, unit: "suffix:d", worst: "Left", witness: pbxs(),
		description: "Plans and terms of PBXs that end within the notice that the thresholds of the rules give, the next ones first.",
		vector:      "(" + daysUntil(attention("cloud_pbx_what:ycm_cloud_pbx_end:soon")) + ")",
		columns:     pbxColumns(col("what", "What", width(60)), col("Value", "Left", width(70))),
	}
}

func ended() list {
	return list{
		title: "Ended", colour: bad, unit: "suffix:d", worst: "Ago", witness: pbxs(),
		description: "Plans and terms of PBXs that ended in the last 90 days, the last ones first.",
		vector:      "(" + daysSince(attention("cloud_pbx_what:ycm_cloud_pbx_end:ended")) + ")",
		columns:     pbxColumns(col("what", "What", width(60)), col("Value", "Ago", width(70))),
	}
}

func oldBackups() list {
	last := "max by (" + identity + ") (" + recorded("cloud_pbx:ycm_cloud_pbx_backup:old") + ")"
	return list{
		title: "Backup old", colour: warning, unit: "suffix:d", worst: "Age", descending: true, witness: pbxs(),
		description: "PBXs whose last backup by a YCM task is older than the threshold of the rules, or that never had one. Backups made on the PBX itself are not known to YCM.",
		vector:      fmt.Sprintf("(%s or -1 + 0 * %s)", daysSince("("+last+" > 0)"), last),
		columns:     pbxColumns(col("Value", "Age", width(80), property("mappings", []Mapping{word(-1, "never", warning)}))),
	}
}

func unactivated() list {
	return list{
		title: "Not activated", colour: warning, unit: "suffix:d", worst: "Created", descending: true, witness: pbxs(),
		description: "PBXs that were created but not activated yet, with the days since they were created.",
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
	return bars("Use of all capacity", "What the PBXs use together, as a part of what their plans allow together: active calls, extensions, recording time.", targets...).decimals(0).leadsTo("ycm-capacity")
}

func callsAgainstLastWeek() Panel {
	calls := recorded("account_region_group:ycm_cloud_pbx_active_calls:sum")
	return timeseries("Calls, against a week before", "Active calls of the Running PBXs over the time shown, and at the same time a week before.", "locale",
		over("sum("+calls+")", "Calls"), over("sum("+selector("account_region_group:ycm_cloud_pbx_active_calls:sum", inGroup)+" offset 1w)", "A week before")).
		axis("calls").series("Calls", inColour(busy)).series("A week before", append(dashed(), inColour(past))...)
}

func callsOverTheWeek() Panel {
	return timeseries("Calls over the week, by region", "Active calls of the Running PBXs over the last 7 days, one point each hour, by region.", "locale",
		over(regions("account_region_group:ycm_cloud_pbx_active_calls:sum"), "{{region}}")).
		axis("calls").stacked().shades().during("7d", "1h")
}

func byAccount() Panel {
	by := func(title, expr string) Target { return inColumn(title, "max by (account) ("+expr+")") }
	count := "(sum by (account) (" + pbxs() + ") or " + noPBXs() + ")"
	return table("By account", "For each account that was seen within the last day: whether the last walk of its list succeeded and how long ago the last good one was, its PBXs, how many are not running, active calls.", "locale",
		by("Last walk", account("ycm_up")),
		by("Age", "time() - (last_over_time("+account("ycm_collector_last_success_timestamp_seconds", `collector="cloud_pbx"`)+"[1d]) > 0)"),
		inColumn("PBXs", count),
		inColumn("Not running", "sum by (account) ("+recorded("account_region_group_status:ycm_cloud_pbxs:count", `status!="Running"`)+") or 0 * "+count),
		inColumn("Calls", "sum by (account) ("+recorded("account_region_group:ycm_cloud_pbx_active_calls:sum")+")")).
		merged().
		columns(col("account", "Account", atLeast(75)),
			shown("Last walk", append(inText(yesNo("ok", "failed", bad)), width(85))...),
			shown("Age", width(65), unit("s"), property("decimals", 0)),
			shown("PBXs", width(55)),
			shown("Not running", append(inSteps(unknown, at(0, good), at(1, bad)), width(100))...),
			shown("Calls", width(60))).
		sorted("Not running", true)
}

func byRegion() Panel {
	count := regions("account_region_group:ycm_cloud_pbxs:count")
	stopped := "(sum by (region) (" + recorded("account_region_group_status:ycm_cloud_pbxs:count", `status!="Running"`) + ") or 0 * " + count + ")"
	share := func(title, used, capacity string) Target {
		return inColumn(title, "("+regions("account_region_group:ycm_cloud_pbx_"+used+":sum")+" / ("+regions("account_region_group:ycm_cloud_pbx_"+capacity+":sum")+" > 0))")
	}
	bar := func(colour string) []Option {
		return append(asBar(colour), unit("percentunit"), property("decimals", 0))
	}
	return table("By region", "For each region, those first of whose PBXs most are not running: PBXs, active calls, use of calls and extensions, and PBXs with a newer firmware.", "locale",
		inColumn("PBXs", count), inColumn("Not running", stopped), inColumn("Share not running", stopped+" / "+count),
		inColumn("Calls", regions("account_region_group:ycm_cloud_pbx_active_calls:sum")),
		share("Calls used", "active_calls", "concurrent_calls_capacity"), share("Extensions used", "extensions_used", "extensions_capacity"),
		inColumn("Updates", "sum by (region) ("+recorded("account_region_group_behind:ycm_cloud_pbxs:count", newerIs)+")")).
		merged().
		columns(col("region", "Region"), shown("PBXs", width(80)),
			shown("Not running", append(inSteps(unknown, at(0, good), at(1, bad)), width(110))...),
			shown("Share not running", append(asBar(unknown, at(some, bad)), unit("percentunit"), property("decimals", 0))...),
			shown("Calls", width(80)), shown("Calls used", bar(busy)...), shown("Extensions used", bar(busy)...),
			shown("Updates", width(90))).
		sorted("Share not running", true)
}

func notRunningOverTime() Panel {
	stopped := recorded("account_region_group_status:ycm_cloud_pbxs:count", `status!="Running"`)
	return timeseries("Not running over time", "PBXs in a state other than Running, by state.", "locale",
		over(byStatusOrNone(stopped, pbxs()), "{{status}}")).
		axis("PBXs").stacked().stateColours(pbxStates).custom("lineInterpolation", "stepAfter")
}
