package main

import "fmt"

// fleetOverview is where an operator starts: what needs attention, then what is going on.
func fleetOverview() Dashboard {
	d := dashboard("ycm-fleet", "Every Cloud PBX of the YCM accounts: what needs attention first, calls now and over the week, regions.",
		"24h", "1m", accountVariable, regionVariable, groupVariable)
	d.Panels = place(
		across(4, attention()...),
		across(4,
			stat("PBXs", "Cloud PBXs in YCM's list that the variables above choose.", "locale", now(count(info()))).wide(3),
			byStatus().wide(12),
			stat("Calls now", "Active calls of the Running PBXs. YCM may keep the calls of long ago on a PBX that is not Running: those are left out.",
				"locale", now("sum("+calls()+")")).wide(4).empty("none"),
			fleetUse().wide(5),
		),
		across(9, notRunning().wide(6), expiringSoon().wide(6), oldBackups().wide(6), nearCapacity().wide(6)),
		across(8, callsAgainstLastWeek().wide(12), callsOverTheWeek().wide(12)),
		across(8, byRegion().wide(14), notRunningOverTime().wide(10)),
	)
	return d
}

// attention is one number for each kind of trouble, the worst first. All of them should say "none".
func attention() []Panel {
	expiring := func(metric string) string {
		return chosen(fmt.Sprintf("%s < time() + %d", of(metric), 30*day))
	}
	neverBackedUp := info() + " unless on (account, cloud_pbx_id) " + of("ycm_cloud_pbx_last_backup_timestamp_seconds")
	return []Panel{
		stat("Accounts down", "YCM accounts whose last walk of the PBX list failed: what is shown of their PBXs is the last good state, until it is too old.",
			"locale", now(count(account("ycm_up")+" == 0"))).problem(bad).leadsTo("ycm-exporter").wide(3),
		stat("Not running", "PBXs that YCM reports in a state other than Running.",
			"locale", now(count(chosen(of("ycm_cloud_pbx_status", `status="Running"`)+" == 0")))).problem(bad).wide(3),
		stat("Not answering", "PBXs that YCM reports as Running but that did not answer their own API. The collector pbx_api asks them; it is off by default.",
			"locale", now("count("+chosen(of("ycm_cloud_pbx_api_up")+" == 0")+") or 0 * count("+of("ycm_cloud_pbx_api_up")+")")).
			problem(bad).empty("not asked").leadsTo("ycm-pbx-api").wide(3),
		stat("Near capacity", "PBXs that use 90 % or more of their concurrent calls, extensions or recording time.",
			"locale", now(count(either(use("calls")+" >= 0.9", use("extensions")+" >= 0.9", use("recording")+" >= 0.9")))).
			problem(warning).leadsTo("ycm-capacity").wide(3),
		stat("Expiring soon", "PBXs whose plan or own term ends within 30 days or has ended.",
			"locale", now(count(either(expiring("ycm_cloud_pbx_plan_expiration_timestamp_seconds"), expiring("ycm_cloud_pbx_expiration_timestamp_seconds"))))).
			problem(warning).leadsTo("ycm-capacity").wide(3),
		stat("Backup old", "PBXs whose last backup by a YCM task is more than 7 days old, or that have none. Backups made on the PBX itself are not known to YCM.",
			"locale", now(fmt.Sprintf("(%s) + (%s)",
				count(chosen(fmt.Sprintf("%s < time() - %d", of("ycm_cloud_pbx_last_backup_timestamp_seconds"), week))), count(neverBackedUp)))).
			problem(warning).wide(3),
		stat("Not activated", "PBXs that were created but not activated yet.",
			"locale", now(count(chosen(of("ycm_cloud_pbx_activated")+" == 0")))).problem(warning).wide(3),
		stat("Updates", "PBXs for whose region YCM lists a newer firmware than the one they run.",
			"locale", now("sum("+fleet("ycm_cloud_pbx_firmware_update_available")+") or vector(0)")).
			stepped(good, at(1, busy)).mapped(word(0, "none", good)).leadsTo("ycm-firmware").wide(3),
	}
}

// byStatus counts the PBXs in each state, those without any as well.
func byStatus() Panel {
	return stat("PBXs by status", "PBXs in each state that YCM documents. Unknown is a state that it does not.",
		"locale", named("sort_desc(sum by (status) ("+fleet("ycm_cloud_pbx_status")+"))", "{{status}}")).
		counted(pbxStates).empty("none")
}

// fleetUse is what all PBXs together use of what all together may.
func fleetUse() Panel {
	share := func(resource string) string {
		used, capacity := usedAndCapacity(resource)
		used = fleet(used)
		if resource == "calls" {
			used = calls()
		}
		return orUnknown("sum(" + used + ") / sum(" + fleet(capacity) + ")")
	}
	return bars("Use of all capacity", "What the PBXs use together, as a part of what their plans allow together: active calls, extensions, recording time.",
		"percentunit", 1, named(share("calls"), "Calls"), named(share("extensions"), "Extensions"), named(share("recording"), "Recording")).
		stepped(good, at(0.8, warning), at(0.9, bad)).decimals(0).empty("none").leadsTo("ycm-capacity")
}

func notRunning() Panel {
	stopped := of("ycm_cloud_pbx_status", `status!="Running"`) + " == 1"
	size := "(" + stopped + ") * on (account, cloud_pbx_id) group_left () max by (account, cloud_pbx_id) (" + of("ycm_cloud_pbx_extensions_used") + ")"
	return table("Not running", "PBXs in a state other than Running, those with most extensions first: more people notice. At most 20.", "locale",
		rows(top(20, identity+", status", chosen(fmt.Sprintf("(%s or 0 * (%s))", size, stopped))))).
		columns(narrowPBXColumns(
			col("status", "Status", append(inText(nameMapping(pbxStates)), width(110))...),
			col("Value", "Ext.", width(75)))...).
		sorted("Ext.", true).empty("none")
}

func expiringSoon() Panel {
	soon := func(metric, what string) string {
		return labelled(chosen(fmt.Sprintf("(%s > -30 < 30)", daysUntil(of(metric)))), "what", what)
	}
	return table("Expiring next", "Plans and terms of PBXs that end within 30 days, or ended in the last 30. At most 20.", "suffix: d",
		rows(bottom(20, identity+", what", either(
			soon("ycm_cloud_pbx_plan_expiration_timestamp_seconds", "plan"), soon("ycm_cloud_pbx_expiration_timestamp_seconds", "PBX"))))).
		decimals(0).
		columns(narrowPBXColumns(
			col("what", "What", width(55)),
			col("Value", "Left", append(inSteps(bad, at(7, warning), at(30, good)), width(75))...))...).
		sorted("Left", false).empty("none")
}

func oldBackups() Panel {
	last := of("ycm_cloud_pbx_last_backup_timestamp_seconds")
	never := info() + " * 0 - 1 unless on (account, cloud_pbx_id) " + last
	return table("Oldest backups", "PBXs whose last backup by a YCM task is longest ago; below them those that never had one. At most 20.", "suffix: d",
		rows(top(20, identity, fmt.Sprintf("%s or (%s)", chosen("("+daysSince(last)+")"), never)))).
		decimals(0).
		columns(narrowPBXColumns(
			col("Value", "Age", append(inSteps(good, at(7, warning), at(30, bad)), width(70),
				property("mappings", []Mapping{word(-1, "never", warning)}))...))...).
		sorted("Age", true).empty("none")
}

func nearCapacity() Panel {
	return table("Nearest capacity", "PBXs that use most of their concurrent calls, extensions or recording time now. At most 20.", "percentunit",
		rows(top(20, identity+", what", either(
			labelled(use("calls"), "what", "calls"), labelled(use("extensions"), "what", "ext."), labelled(use("recording"), "what", "rec."))))).
		decimals(0).
		columns(narrowPBXColumns(
			col("what", "What", width(60)),
			col("Value", "Used", append(inSteps(good, at(0.8, warning), at(0.9, bad)), width(75))...))...).
		sorted("Used", true).empty("none")
}

func callsAgainstLastWeek() Panel {
	return timeseries("Calls, against a week before", "Active calls of the Running PBXs over the time shown, and at the same time a week before.", "locale",
		over("sum("+calls()+")", "Calls"), over("sum("+callsAgo(" offset 1w")+")", "A week before")).
		series("Calls", inColour(busy)).series("A week before", append(dashed(), inColour(past))...).
		empty("none yet").coarse(120, "1m")
}

func callsOverTheWeek() Panel {
	return timeseries("Calls over the week, by region", "Active calls of the Running PBXs over the last 7 days, one point each hour, by region.", "locale",
		over("sum by (region) ("+calls()+")", "{{region}}")).
		stacked().empty("none yet").during("7d", "1h")
}

func byRegion() Panel {
	by := func(aggregation, vector string) Target {
		return rows(aggregation + " by (region) (" + vector + ")")
	}
	return table("By region", "For each region: PBXs, how many are not running, active calls, use of calls and extensions, and PBXs with a newer firmware.", "locale",
		rows(orRow("count by (region) ("+info()+")", "region", "none")),
		rows("count by (region) ("+info()+") - sum by (region) ("+fleet("ycm_cloud_pbx_status", `status="Running"`)+")"),
		by("sum", calls()),
		rows("sum by (region) ("+calls()+") / sum by (region) ("+fleet("ycm_cloud_pbx_concurrent_calls_capacity")+")"),
		rows("sum by (region) ("+fleet("ycm_cloud_pbx_extensions_used")+") / sum by (region) ("+fleet("ycm_cloud_pbx_extensions_capacity")+")"),
		by("sum", fleet("ycm_cloud_pbx_firmware_update_available"))).
		merged().
		columns(
			col("region", "Region"),
			col("Value #A", "PBXs", width(80)),
			col("Value #B", "Not running", append(inSteps(good, at(1, bad)), width(110))...),
			col("Value #C", "Calls", width(80)),
			col("Value #D", "Calls used", append(asBar(at(0.8, warning), at(0.9, bad)), unit("percentunit"), property("decimals", 0))...),
			col("Value #E", "Extensions used", append(asBar(at(0.8, warning), at(0.9, bad)), unit("percentunit"), property("decimals", 0))...),
			col("Value #F", "Updates", width(90))).
		sorted("PBXs", true)
}

func notRunningOverTime() Panel {
	return timeseries("Not running over time", "PBXs in a state other than Running.", "locale",
		over("count("+chosen(of("ycm_cloud_pbx_status", `status="Running"`)+" == 0")+") or 0 * count("+info()+")", "Not running")).
		series("Not running", inColour(bad)).custom("lineInterpolation", "stepAfter").decimals(0).coarse(120, "1m")
}
