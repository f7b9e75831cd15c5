package main

import "fmt"

// trunksAndPhones is what the PBXs themselves tell: whether they answer, how their trunks are, which phones they know.
func trunksAndPhones() Dashboard {
	d := dashboard("ycm-pbx-api", "What the Cloud PBXs tell themselves: whether they answer, the state of their trunks, the phones that their firmware knows.",
		"24h", "1m", accountVariable, regionVariable, groupVariable)
	d.Panels = place(
		heading("Reachability"),
		across(4, reachability()...),
		across(8, notAnsweringOverTime().wide(6), asked().wide(6), answers().wide(6), restarted().wide(6)),
		heading("Trunks"),
		across(4, trunksByStatus().wide(columns)),
		across(9, trunksOutOfService().wide(12), trunkFaultsOverTime().wide(8), trunksByType().wide(4)),
		heading("Phones that the firmware can provision"),
		across(8, requiredPhones().wide(7), phoneModels().wide(11), phoneVendors().wide(6)),
	)
	return d
}

// What a panel says when its collector is off, or has not been round.
const (
	notAsked = "not asked"
	notYet   = "none yet, or not asked"
)

func reachability() []Panel {
	up := fleet("ycm_cloud_pbx_api_up")
	running := chosen(of("ycm_cloud_pbx_status", `status="Running"`) + " == 1")
	round := account("ycm_collector_round_duration_seconds", `collector=~"pbx_api|trunks"`) + " / (" + account("ycm_collector_interval_seconds") + " > 0)"
	supported := account("ycm_autoprovisioning_phone_supported")
	return []Panel{
		stat("Answering", "PBXs that answered their own API when they were last asked. The collector pbx_api asks each Running PBX; it is off by default.", "locale",
			now("sum("+up+")")).stepped(unknown, at(0, good)).empty(notAsked).wide(3),
		stat("Not answering", "PBXs that YCM reports as Running but that did not answer.", "locale",
			now("count("+up+" == 0) or 0 * count("+up+")")).problem(bad).empty(notAsked).wide(3),
		stat("Not asked", "Running PBXs that were not asked yet, or could not be: the first round is under way, or the budget does not carry it.", "locale",
			now(count(running+" unless on (account, cloud_pbx_id) "+of("ycm_cloud_pbx_api_up")))).
			stepped(good, at(1, busy)).mapped(word(0, "none", good)).wide(3),
		stat("Round time", "How much of its interval the slowest round of asking all PBXs took. Above 100 % the budget does not carry the interval, which stretches.", "percentunit",
			now("max("+round+")")).decimals(0).stepped(unknown, at(0, good), at(0.8, warning), at(1.1, bad)).empty(notAsked).wide(3),
		stat("Restarted", "PBXs that have been up for less than 24 hours.", "locale",
			now(fmt.Sprintf("count(%[1]s < %[2]d) or 0 * count(%[1]s)", fleet("ycm_cloud_pbx_uptime_seconds"), day))).
			stepped(unknown, at(0, good), at(1, busy)).mapped(word(0, "none", good)).empty(notAsked).wide(3),
		stat("Trunks down", "Trunks that are switched on but take no calls: registering, failed, unreachable. The collector trunks asks each Running PBX; it is off by default.", "locale",
			now("sum("+fleet("ycm_cloud_pbx_trunk_status", trunkFault)+")")).problem(bad).empty(notAsked).wide(3),
		stat("Trunks cut off", "PBXs that have more trunks than the exporter shows of one PBX.", "locale",
			now("sum("+fleet("ycm_cloud_pbx_trunks_truncated")+")")).problem(warning).empty(notAsked).wide(3),
		stat("Phones missing", "Pairs of a phone that the configuration requires (required_phones) and a firmware version in use that does not know it.", "locale",
			now("count("+supported+" == 0) or 0 * count("+supported+")")).problem(bad).empty("none required").wide(3),
	}
}

func notAnsweringOverTime() Panel {
	up := fleet("ycm_cloud_pbx_api_up")
	return timeseries("Not answering over time", "Running PBXs that did not answer.", "locale",
		over("count("+up+" == 0) or 0 * count("+up+")", "Not answering")).
		series("Not answering", inColour(bad)).custom("lineInterpolation", "stepAfter").empty(notYet).coarse(120, "1m")
}

func asked() Panel {
	return timeseries("PBXs asked, by result", "How many times a minute a PBX was asked by the collectors that do, by how it went. denied: its API is off, or not allowed.", "cpm",
		over("60 * sum by (result) (rate("+account("ycm_collector_pbx_polls_total")+"[$__rate_interval]))", "{{result}}")).
		resultColours().stacked().empty(notYet)
}

func answers() Panel {
	return table("Answers, worst first", "Whether the PBXs answered when they were last asked, those that did not first. At most 50.", "none",
		rows(bottom(50, identity, fleet("ycm_cloud_pbx_api_up")))).
		columns(narrowPBXColumns(col("Value", "Answers", append(inText(yesNo("yes", "no", bad)), width(90))...))...).
		sorted("Answers", false).empty(notAsked)
}

func restarted() Panel {
	return table("Restarted last", "PBXs that have been up for the shortest time. At most 20.", "s",
		rows(bottom(20, identity, fleet("ycm_cloud_pbx_uptime_seconds")))).
		columns(narrowPBXColumns(col("Value", "Up for", append(inSteps(busy, at(day, good)), width(100))...))...).
		decimals(1).sorted("Up for", false).empty(notAsked)
}

func trunksByStatus() Panel {
	return stat("Trunks by status", "Trunks of all PBXs that were asked, in each state that a PBX documents.", "locale",
		named("sort_desc(sum by (status) ("+fleet("ycm_cloud_pbx_trunk_status")+"))", "{{status}}")).
		counted(trunkStates).empty(notAsked)
}

// trunksByType counts each trunk once, by one of its states: it has a sample for every state.
func trunksByType() Panel {
	return stat("Trunks by type", "Trunks of all PBXs that were asked, by how they are connected.", "locale",
		named("sort_desc(count by (trunk_type) ("+fleet("ycm_cloud_pbx_trunk_status", `status="Idle"`)+"))", "{{trunk_type}}")).
		counted(nil).stepped(busy).option("orientation", "horizontal").empty(notAsked)
}

func trunksOutOfService() Panel {
	return table("Trunks out of service now", "Trunks that are switched on but take no calls, with their PBX. At most 100.", "none",
		rows(top(100, identity+", trunk, trunk_type, status", chosen(of("ycm_cloud_pbx_trunk_status", trunkFault)+" == 1")))).
		columns(pbxColumns(
			col("trunk", "Trunk"), col("trunk_type", "Type", width(110)),
			col("status", "Status", append(inText(nameMapping(trunkStates)), width(190))...), hidden("Value"))...).
		sorted("PBX", false).empty("none")
}

func trunkFaultsOverTime() Panel {
	return timeseries("Trunks out of service over time", "Trunks that were switched on but took no calls, by state.", "locale",
		over("sum by (status) ("+fleet("ycm_cloud_pbx_trunk_status", trunkFault)+")", "{{status}}")).
		stacked().stateColours(trunkStates).custom("lineInterpolation", "stepAfter").empty(notYet).coarse(48, "5m")
}

func requiredPhones() Panel {
	phones := account("ycm_autoprovisioning_phone_supported")
	return table("Required phones", "Whether each firmware version in use still knows the phones that the configuration requires (required_phones): look here before an upgrade.", "none",
		rows(inOrder(`min by (version, phone) (label_join(`+phones+`, "phone", " ", "vendor", "model"))`))).
		mapped(yesNo("✓", "missing", bad)).stepped(unknown).custom("align", "center").custom("cellOptions", map[string]any{"type": "color-text"}).
		matrix("version", "phone", "Version", "order", true).empty("none required")
}

func phoneModels() Panel {
	return table("Phone models by vendor", "How many models of each vendor each firmware version in use can provision.", "locale",
		rows(inOrder("sum by (version, vendor) (max by (version, vendor, type) ("+account("ycm_autoprovisioning_phone_models")+"))"))).
		sortedBy("order", true).matrix("vendor", "version", "Vendor", "vendor", false).empty(notAsked)
}

func phoneVendors() Panel {
	return table("Phone vendors", "How many vendors each firmware version in use knows, by type of phone.", "locale",
		rows(inOrder("max by (version, type) ("+account("ycm_autoprovisioning_phone_vendors")+")"))).
		matrix("version", "type", "Version", "order", true).empty(notAsked)
}
