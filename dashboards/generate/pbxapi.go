package main

import "fmt"

// trunksAndPhones is what the PBXs themselves tell: whether they answer, how their trunks are, which phones they know.
func trunksAndPhones() Dashboard {
	d := dashboard("ycm-pbx-api", "What the Cloud PBXs tell themselves: whether they answer, the state of their trunks, the phones that their firmware knows.",
		"24h", "1m", accountVariable, regionVariable, groupVariable)
	d.Panels = place(
		across(4, seen(), notAnswering().tile(), restarts()),
		across(3, trunksDown().tile(), trunksTruncated(), phonesMissing()),
		heading("Reachability"),
		across(3, answering(), notAsked(), sweepTime()),
		across(8, notAnsweringOverTime(), asked()),
		across(8, notAnswering().table(), restarted()),
		heading("Trunks"),
		across(4, trunksByStatus()),
		across(4, trunksByType()),
		across(9, trunksDown().table()),
		across(7, trunkFaultsOverTime()),
		heading("Phones that the firmware can provision"),
		across(8, requiredPhones(), phoneVendors()),
		across(8, phoneModels()),
		heading("Phones in use"),
		across(8, phonesByModel().wide(15), phonesOverTime().wide(9)),
	)
	return d
}

// answers are how many PBXs answered, answers="1", or did not.
func answers(matchers ...string) string {
	return recorded("account_region_group_answers:ycm_cloud_pbxs:count", matchers...)
}

func trunks(matchers ...string) string {
	return recorded("account_region_group_status_type:ycm_cloud_pbx_trunks:count", matchers...)
}

func answering() Panel {
	return stat("Answering", "PBXs that answered their own API when they were last asked. The collector pbx_api asks each Running PBX; it is off by default.", "locale",
		now("sum("+answers(`answers="1"`)+") or 0 * sum("+answers()+")"))
}

func notAsked() Panel {
	running := recorded("account_region_group_status:ycm_cloud_pbxs:count", `status="Running"`)
	return stat("Not asked", "Running PBXs that were not asked yet, or could not be: the first sweep is under way, or the rate limit is too low for it.", "locale",
		now("clamp_min(sum("+running+") - sum("+answers()+"), 0)")).stepped(unknown, at(0, good), at(1, busy)).mapped(word(0, "none", good))
}

func trunksDown() list {
	return list{
		title: "Trunks down", colour: bad, unit: "none", worst: "Region", witness: each("ycm_cloud_pbx_trunk_status", `status="Idle"`),
		description: "Trunks that are switched on but take no calls: registering, failed, unreachable.",
		vector:      eachBy(", trunk, trunk_type, status", "ycm_cloud_pbx_trunk_status", trunkFault) + " == 1",
		columns: pbxColumns(
			col("trunk", "Trunk"), col("trunk_type", "Type", width(110)),
			col("status", "Status", append(inText(nameMapping(trunkStates)), width(190))...), hidden("Value")),
	}
}

func phonesMissing() Panel {
	supported := "max by (account, version, vendor, model) (" + account("ycm_autoprovisioning_phone_supported") + ")"
	return stat("Phones missing", "Pairs of a phone that the configuration requires (required_phones) and a firmware version in use that does not know it.", "locale",
		now(number(supported+" == 0", supported))).problem(bad)
}

// sweepTime is that of the collectors whose PBXs answer: how long a sweep took tells nothing once there are no more, and one
// that asked no PBX took no time.
func sweepTime() Panel {
	const sweeps = `collector=~"pbx_api|trunks"`
	sweep := ofInterval("("+account("ycm_collector_sweep_duration_seconds", sweeps)+" > 0)") + " unless on (account, collector) " + account("ycm_collector_success", sweeps) + " == 0"
	return stat("Sweep time", "How much of its interval the slowest sweep of all PBXs took. Above 100 % the answers get older than their interval.", "percentunit",
		inTime(sweep)...).decimals(0).slowInRed()
}

func restarts() Panel {
	up := each("ycm_cloud_pbx_uptime_seconds")
	return stat("Restarted", "PBXs that have been up for less than a day.", "locale",
		now(number(up+fmt.Sprintf(" < %d", day), up)))
}

func trunksTruncated() Panel {
	truncated := each("ycm_cloud_pbx_trunks_truncated")
	return stat("Trunks cut off", "PBXs that have more trunks than the exporter serves.", "locale",
		now(number(truncated+" == 1", truncated))).problem(warning)
}

func notAnsweringOverTime() Panel {
	return timeseries("Not answering over time", "Running PBXs that did not answer.", "locale",
		over("sum("+answers(`answers="0"`)+") or 0 * sum("+answers()+")", "Not answering")).
		axis("PBXs").series("Not answering", inColour(bad)).custom("lineInterpolation", "stepAfter")
}

func asked() Panel {
	return timeseries("PBXs asked, by result", "How many times a minute a PBX was asked by the collectors that do, by how it went. denied: its API is off, or not allowed.", "cpm",
		over("60 * sum by (result) (rate("+account("ycm_collector_pbx_polls_total")+"[$__rate_interval]))", "{{result}}")).
		axis("a minute").resultColours().stacked()
}

func restarted() Panel {
	return worst(20, each("ycm_cloud_pbx_uptime_seconds"), "Restarted last", "PBXs that have been up for the shortest time.", "s", false).
		columns(pbxColumns(col("Value", "Up for", width(80)))...).
		decimals(1).sorted("Up for", false)
}

func trunksByStatus() Panel {
	return stat("Trunks by status", "Trunks of all PBXs that were asked, in each state that a PBX documents, as far as there are any.", "locale",
		named("sort_desc(sum by (status) ("+trunks()+"))", "{{status}}")).
		counted(trunkStates)
}

func trunksByType() Panel {
	return stat("Trunks by type", "Trunks of all PBXs that were asked, by how they are connected.", "locale",
		named("sort_desc(sum by (trunk_type) ("+trunks()+"))", "{{trunk_type}}")).
		counted(nil).stepped(unknown, at(least, busy))
}

func trunkFaultsOverTime() Panel {
	return timeseries("Trunks down over time", "Trunks that were switched on but took no calls, by state.", "locale",
		over(byStatusOrNone(trunks(trunkFault), trunks()), "{{status}}")).
		axis("trunks").stacked().stateColours(trunkStates).custom("lineInterpolation", "stepAfter")
}

func requiredPhones() Panel {
	phones := account("ycm_autoprovisioning_phone_supported")
	return table("Required phones", "Whether each firmware version in use still knows the phones that the configuration requires (required_phones): look here before an upgrade.", "none",
		rows(inOrder(`min by (version, phone) (label_join(`+phones+`, "phone", " ", "vendor", "model"))`))).
		mapped(yesNo("✓", "missing", bad)).stepped(unknown).custom("align", "center").custom("cellOptions", map[string]any{"type": "color-text"}).
		matrix("version", "phone", "Version", "order", true)
}

func phoneModels() Panel {
	return table("Phone models by vendor", "How many models of each vendor each firmware version in use can provision.", "locale",
		rows(inOrder("sum by (version, vendor) (max by (version, vendor, type) ("+account("ycm_autoprovisioning_phone_models")+"))"))).
		sortedBy("order", true).matrix("vendor", "version", "Vendor", "vendor", false)
}

func phoneVendors() Panel {
	return table("Phone vendors", "How many vendors each firmware version in use knows, by type of phone.", "locale",
		rows(inOrder("max by (version, type) ("+account("ycm_autoprovisioning_phone_vendors")+")"))).
		matrix("version", "type", "Version", "order", true)
}
