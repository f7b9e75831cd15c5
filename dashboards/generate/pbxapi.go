package main

import "fmt"

// trunksAndPhones is what the PBXs' own APIs report: whether they respond, their trunks, their phones.
func trunksAndPhones() Dashboard {
	d := dashboard("ycm-pbx-api", "What the APIs of the Cloud PBXs report: whether they respond, the status of trunks, phones and supported models.",
		"24h", "1m", accountVariable, regionVariable, groupVariable)
	d.Panels = place(
		across(bannerHeight, freshness()),
		across(4, notAnswering().tile(), trunksDown().tile(), restarts(), answering()),
		across(8, notAnswering().table().wide(9), trunksDown().table().wide(15)),
		across(8, notAnsweringOverTime().wide(9), trunkFaultsOverTime().wide(15)),
		folded("Polls of PBX APIs",
			across(3, notPolled(), sweepTime(), trunksTruncated()),
			across(8, pbxPolls(), restarted())),
		folded("Trunks by status and type",
			across(4, trunksByStatus()),
			across(4, trunksByType())),
		folded("Provisioned phones",
			across(8, phonesByModel().wide(15), phonesOverTime().wide(9))),
		folded("Phones that the firmware supports",
			across(3, phonesMissing().wide(columns)),
			across(9, requiredPhones().wide(15), phoneVendors().wide(9)),
			across(8, phoneModels().wide(columns))),
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
	return stat("API responding", "PBXs whose own API responded to the last request. Needs the collector pbx_api.", "locale",
		now("sum("+answers(`answers="1"`)+") or 0 * sum("+answers()+")")).orOff("pbx_api", pbxs())
}

func notPolled() Panel {
	running := recorded("account_region_group_status:ycm_cloud_pbxs:count", `status="Running"`)
	return stat("Not polled yet", "Running PBXs whose API was not polled yet: the first sweep is in progress, or the rate limit is too low. Needs the collector pbx_api.", "locale",
		now("clamp_min(sum("+running+") - sum("+answers()+"), 0)")).stepped(unknown, at(0, good), at(1, busy)).mapped(word(0, "none", good)).orOff("pbx_api", pbxs())
}

func trunksDown() list {
	down := "max by (account, cloud_pbx_id, name, region, trunk, trunk_type) (" + selector("ycm_cloud_pbx_trunk_up", inRegion) + ") == 0"
	return list{
		title: "Trunks down", colour: bad, unit: "none", worst: "Region", witness: each("ycm_cloud_pbx_trunks_truncated"),
		description: "Trunks that are enabled but cannot carry calls: registering, failed, unreachable. Needs the collector trunks.",
		vector: "(" + eachBy(", trunk, trunk_type, status", "ycm_cloud_pbx_trunk_status", `status!="Disabled"`) +
			" == 1 and on (account, cloud_pbx_id, name, region, trunk, trunk_type) " + down + ")",
		columns: pbxColumns(
			col("trunk", "Trunk"), col("trunk_type", "Type", width(110)),
			col("status", "Status", append(inText(nameMapping(trunkStates)), width(190))...), hidden("Value")),
		collector: "trunks",
	}
}

func phonesMissing() Panel {
	supported := "max by (account, version, vendor, model) (" + account("ycm_autoprovisioning_phone_supported") + ")"
	return stat("Required phones not supported", "Pairs of a phone that the configuration requires (required_phones) and a firmware version in use that does not support it. Needs the collector autoprovisioning.", "locale",
		now(number(supported+" == 0", supported))).problem(warning).orOff("autoprovisioning", pbxs())
}

// sweepTime is of the collectors that work: the duration of an old sweep means nothing, and one without PBXs took no time.
func sweepTime() Panel {
	const sweeps = `collector=~"pbx_api|trunks"`
	sweep := ofInterval("("+account("ycm_collector_sweep_duration_seconds", sweeps)+" > 0)") + " unless on (account, collector) " + account("ycm_collector_success", sweeps) + " == 0"
	return stat("Interval used by sweeps", "Duration of the slowest sweep of all PBXs in percent of its interval. Above 100 % data is older than its interval.", "percentunit",
		inTime(sweep)...).decimals(0).slowInRed().orOff("pbx_api", pbxs())
}

func restarts() Panel {
	up := each("ycm_cloud_pbx_uptime_seconds")
	return stat("Restarted in 24 h", "PBXs with an uptime below a day. Needs the collector pbx_api.", "locale",
		now(number(up+fmt.Sprintf(" < %d", day), up))).orOff("pbx_api", pbxs())
}

func trunksTruncated() Panel {
	truncated := whileListed(each("ycm_cloud_pbx_trunks_truncated"))
	return stat("Trunk lists truncated", "PBXs that have more trunks than the exporter exports. Needs the collector trunks.", "locale",
		now(number(truncated+" == 1", truncated))).problem(warning).orOff("trunks", pbxs())
}

func notAnsweringOverTime() Panel {
	return timeseries("API not responding over time", "Running PBXs whose API did not respond. Needs the collector pbx_api.", "locale",
		over("sum("+answers(`answers="0"`)+") or 0 * sum("+answers()+")", "not responding")).
		axis("PBXs").series("not responding", inColour(bad)).custom("lineInterpolation", "stepAfter").orOff("pbx_api", pbxs())
}

func pbxPolls() Panel {
	return timeseries("Polls of PBXs by result", "Polls of single PBXs per minute by result. denied: the API of the PBX is disabled, or not allowed.", "cpm",
		over("60 * sum by (result) (rate("+account("ycm_collector_pbx_polls_total")+"[$__rate_interval]))", "{{result}}")).
		axis("per minute").resultColours().stacked()
}

func restarted() Panel {
	return worst(20, each("ycm_cloud_pbx_uptime_seconds"), answers(), "Latest restarts", "PBXs with the shortest uptime. Needs the collector pbx_api.", "s", false).
		columns(pbxColumns(col("Value", "Uptime", width(80)))...).
		decimals(1).sorted("Uptime", false).orOffRow("pbx_api", pbxs(), "name")
}

func trunksByStatus() Panel {
	return stat("Trunks by status", "Trunks of all polled PBXs by present status. Needs the collector trunks.", "locale",
		named("sort_desc(sum by (status) ("+trunks()+"))", "{{status}}")).
		counted(trunkStates).orOff("trunks", pbxs())
}

func trunksByType() Panel {
	return stat("Trunks by type", "Trunks of all polled PBXs by type. Needs the collector trunks.", "locale",
		named("sort_desc(sum by (trunk_type) ("+trunks()+"))", "{{trunk_type}}")).
		counted(nil).stepped(unknown, at(least, busy)).orOff("trunks", pbxs())
}

func trunkFaultsOverTime() Panel {
	return timeseries("Trunks down over time", "Trunks that were enabled but could not carry calls, by status. Needs the collector trunks.", "locale",
		over(byStatusOrNone(trunks(trunkFault), trunks()), "{{status}}")).
		axis("trunks").stacked().stateColours(trunkStates).series("none", inColour(good)).custom("lineInterpolation", "stepAfter").orOff("trunks", pbxs())
}

func requiredPhones() Panel {
	phones := account("ycm_autoprovisioning_phone_supported")
	return table("Required phones", "Whether each firmware version in use supports the phones that the configuration requires (required_phones). Check before an upgrade. Needs the collector autoprovisioning.", "none",
		rows(inOrder(`min by (version, phone) (label_join(`+phones+`, "phone", " ", "vendor", "model"))`))).
		mapped(yesNo("✓", "no", warning)).stepped(unknown).custom("align", "center").custom("cellOptions", map[string]any{"type": "color-text"}).
		matrix("phone", "version", "Phone", "order", true).orOffRow("autoprovisioning", pbxs(), "phone", "version")
}

func phoneModels() Panel {
	return table("Phone models by vendor", "Number of models of each vendor that each firmware version in use can provision. Needs the collector autoprovisioning.", "locale",
		rows(inOrder("sum by (version, vendor) (max by (version, vendor, type) ("+account("ycm_autoprovisioning_phone_models")+"))"))).
		sortedBy("order", true).matrix("vendor", "version", "Vendor", "vendor", false).orOffRow("autoprovisioning", pbxs(), "vendor", "version")
}

func phoneVendors() Panel {
	return table("Phone vendors", "Number of vendors that each firmware version in use supports, by type of phone. Needs the collector autoprovisioning.", "locale",
		rows(inOrder("max by (version, type) ("+account("ycm_autoprovisioning_phone_vendors")+")"))).
		matrix("version", "type", "Version", "order", true).orOffRow("autoprovisioning", pbxs(), "version", "type")
}
