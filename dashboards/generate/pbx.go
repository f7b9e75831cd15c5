package main

import "fmt"

// pbxDetail is everything about one PBX, over time.
func pbxDetail() Dashboard {
	d := dashboard("ycm-pbx", "One Cloud PBX: status and since when, alerts, calls, extensions, recording, expiry, backup, firmware, features, trunks.",
		"24h", "1m", accountVariable, regionVariable, groupVariable, pbxVariable, homeVariable)
	d.Annotations.List = pbxEvents()
	d.Panels = place(
		across(bannerHeight, freshness()),
		across(4, pbxState(), pbxStateSince(), pbxExtensionsNow(), pbxCallsNow()),
		across(3, pbxAnswers(), pbxTrunksDown(), pbxBackup(), pbxBehind()),
		across(5, pbxAlerts(), pbxNeighbours()),
		across(4, pbxIdentity().wide(columns)),
		across(4, pbxStateHistory().wide(columns)),
		across(8, pbxCalls().wide(8), pbxExtensions().wide(8), pbxRecording().wide(8)),
		folded("Expiry, capacity and firmware",
			across(4, pbxEnds("Plan", "plan", planEnd).wide(6), pbxEnds("PBX", "PBX", termEnd).wide(6), pbxUse().wide(12)),
			across(7, pbxDates(), pbxFirmware())),
		folded("Backup and features",
			across(7, pbxBackupAge(), pbxFeatures())),
		folded("Trunks",
			across(8, pbxTrunkHistory(), pbxTrunks())),
		folded("Endpoints, phones and AI minutes",
			across(8, pbxEndpoints(), pbxPhones()),
			across(4, pbxAIMinutes())),
	)
	return d
}

// pbxEvents mark on every panel over time when alerts of the PBX began, upgrades and restarts.
func pbxEvents() []Annotation {
	mark := func(name, colour, expr, title, text string) Annotation {
		return Annotation{Name: name, Enable: true, Hide: true, IconColor: colour, Datasource: datasource(), Expr: expr, TitleFormat: title, TextFormat: text, Step: "1m"}
	}
	alerts := "ALERTS{alertname=~\"Ycm.+\", alertstate=\"firing\", " + thisPBX + "}"
	info := selector("ycm_cloud_pbx_info", thisPBX)
	// While a PBX is not Running its uptime is absent.
	uptime := selector("ycm_cloud_pbx_uptime_seconds", thisPBX)
	before := "last_over_time(" + info + "[1h] offset 1m)"
	return []Annotation{
		mark("Alerts", bad, "count by (alertname) ("+alerts+" unless "+alerts+" offset 1m)", "{{alertname}}", "alert"),
		mark("Upgrades", busy, "count by (version) ("+info+") unless on (version) "+before+" and on () "+before, "Upgrade", "{{version}}"),
		mark("Restarts", past, "max("+uptime+" < last_over_time("+uptime+"[6h] offset 1m))", "Restart", "uptime began again"),
	}
}

// pbxStatus is the PBX's status as one series of numbers, for stateMapping.
func pbxStatus() string {
	return encoded("account, cloud_pbx_id", "ycm_cloud_pbx_status", pbxStates)
}

func pbxState() Panel {
	return stat("Status", "The status that YCM reports for the PBX.", "none", now(pbxStatus())).
		stepped(unknown).mapped(stateMapping(pbxStates)).option("colorMode", "background")
}

// pbxNotRunning are the recorded series of the PBX, while its list is scraped; it is empty for a Running PBX.
func pbxNotRunning(series string, matchers ...string) string {
	return "max by (account, cloud_pbx_id) (" + whileListed(selector(series, append([]string{thisPBX}, matchers...)...)) + ")"
}

func pbxStateSince() Panel {
	since := pbxNotRunning("cloud_pbx:ycm_cloud_pbx_status:since")
	late := "on (account, cloud_pbx_id) (" + pbxNotRunning("cloud_pbx:ycm_cloud_pbx_status:overdue", planned) + " or " + pbxNotRunning("cloud_pbx:ycm_cloud_pbx_status:not_running", unplanned) + ")"
	return stat("In this status since", "When the status began, or when Prometheus first saw it, for a PBX that is not Running; else how long it has been up (needs the collector pbx_api).", sinceUnit,
		named("1000 * "+since+" and "+late, "down"), named("1000 * "+since+" unless "+late, "planned"),
		named("("+pbx("ycm_cloud_pbx_uptime_seconds")+") unless on (account, cloud_pbx_id) "+since, "uptime")).
		stepped(unknown).option("textMode", "value_and_name").
		series("down", inColour(bad)).series("planned", inColour(busy)).
		series("uptime", inColour(good), unit("s"), property("decimals", 0)).
		orOff("pbx_api", "("+pbx("ycm_cloud_pbx_info")+" unless on (account, cloud_pbx_id) "+since+")")
}

func pbxExtensionsNow() Panel {
	used := pbx("ycm_cloud_pbx_extensions_used")
	stopped := "on (account, cloud_pbx_id) " + pbxNotRunning("cloud_pbx:ycm_cloud_pbx_status:not_running")
	return stat("Extensions", "Extensions in use; affected: the PBX is not Running.", "locale",
		named(used+" and "+stopped, "affected"), named(used+" unless "+stopped, "in use")).
		option("textMode", "value_and_name").series("affected", inColour(bad)).series("in use", inColour(busy))
}

// pbxNeighbours are the other PBXs of the region that are not Running.
func pbxNeighbours() Panel {
	vector := "(max by (" + identity + ", status) (time() - " + whileListed(selector("cloud_pbx:ycm_cloud_pbx_status:since", inAccount, "region=~`(?i)${home:regex}`")) +
		") unless on (account, cloud_pbx_id) " + selector("ycm_cloud_pbx_info", thisPBX) + ")"
	return worst(20, vector, pbx("ycm_cloud_pbx_info"), "Also not running in its region", "Other PBXs of the region that are not Running, those that stopped last first.", "s", false).decimals(0).
		columns(pbxColumns(col("status", "Status", append(inText(statusMappings()...), width(120))...), col("Value", "For", width(85)))...).
		sorted("For", false)
}

func pbxAnswers() Panel {
	return stat("API", "Whether the PBX's own API responded to the last request. Needs the collector pbx_api, and a Running PBX.", "none",
		now(pbx("ycm_cloud_pbx_api_up"))).
		stepped(unknown).mapped(yesNo("responding", "not responding", bad)).orOff("pbx_api", pbx("ycm_cloud_pbx_info"))
}

func pbxTrunksDown() Panel {
	const trunk = "account, cloud_pbx_id, trunk, trunk_type"
	down := pbxBy(trunk, "ycm_cloud_pbx_trunk_up") + " == 0 unless " + pbxBy(trunk, "ycm_cloud_pbx_trunk_status", `status="Disabled"`) + " == 1"
	return stat("Trunks down", "Trunks that are enabled but cannot carry calls. Needs the collector trunks, and a Running PBX.",
		"locale", now(number(down, pbx("ycm_cloud_pbx_trunks_truncated")))).
		problem(bad).orOff("trunks", pbx("ycm_cloud_pbx_info"))
}

// noDate stands for a PBX without an expiry date, which is not the same as no data.
const noDate = 1_000_000

// pbxEnds is orange from the notice of the rules on, and red when the time has come.
func pbxEnds(subject, what, timestamp string) Panel {
	left := daysUntil(pbx(timestamp))
	soon := "max by (account, cloud_pbx_id) (" + whileListed(selector("cloud_pbx_what:ycm_cloud_pbx_end:soon", thisPBX, fmt.Sprintf("what=%q", what))) + ")"
	return stat(subject+" expires in", "Days until the "+what+" expires: orange within the notice of the rules, red when it has expired. Many PBXs have no expiry date of their own.", "suffix: days",
		named("-("+left+") > 0", "expired, days ago"),
		named("(("+left+") and on (account, cloud_pbx_id) "+soon+") >= 0", "left, expiring soon"),
		named("(("+left+") >= 0) unless on (account, cloud_pbx_id) "+soon, "left"),
		named(fmt.Sprintf("%d * (%s unless %s)", noDate, pbx("ycm_cloud_pbx_info"), pbx(timestamp)), "none")).
		decimals(0).stepped(unknown).mapped(word(noDate, "no date", unknown)).option("textMode", "value_and_name").
		series("none", property("displayName", " ")).series("expired, days ago", inColour(bad)).series("left, expiring soon", inColour(warning)).series("left", inColour(good))
}

// pbxCallsNow shows the last level of a PBX that is not Running, in grey: YCM may then report outdated calls.
func pbxCallsNow() Panel {
	calls, running := pbx("ycm_cloud_pbx_active_calls"), pbxBy("account, cloud_pbx_id", "ycm_cloud_pbx_status", `status="Running"`)
	stopped := "on (account, cloud_pbx_id) " + pbxNotRunning("cloud_pbx:ycm_cloud_pbx_status:not_running")
	return stat("Calls", "Active calls. For a PBX that is not Running: the last number of calls while it was Running, within 24 hours.", "locale",
		named(calls+" unless "+stopped, "active"),
		named("last_over_time(("+calls+" and "+running+" == 1)[1d:1m]) and "+stopped, "last, while Running")).
		option("textMode", "value_and_name").series("active", inColour(busy)).series("last, while Running", inColour(unknown))
}

// pbxBackup is orange from the threshold of the rules on.
func pbxBackup() Panel {
	last := pbx("ycm_cloud_pbx_last_backup_timestamp_seconds")
	old := "max by (account, cloud_pbx_id) (" + whileListed(selector("cloud_pbx:ycm_cloud_pbx_backup:old", thisPBX)) + ")"
	return stat("Last backup", "Age of the last backup by a YCM task: orange when it is older than the threshold of the rules. YCM does not list backups made on the PBX itself.", "s",
		named("(time() - "+last+") and on (account, cloud_pbx_id) "+old, "old"),
		named("(time() - "+last+") unless on (account, cloud_pbx_id) "+old, "recent"),
		named("-1 * ("+pbx("ycm_cloud_pbx_info")+" unless "+last+")", "never")).
		decimals(1).stepped(unknown).mapped(word(-1, "never", warning)).option("textMode", "value").
		series("old", inColour(warning)).series("recent", inColour(good)).series("never", inColour(warning))
}

func pbxBehind() Panel {
	return stat("Firmware updates", "Number of newer versions that YCM lists for the PBX's region.", "locale",
		now(pbx("ycm_cloud_pbx_firmware_versions_behind"))).
		stepped(unknown, at(0, good), at(1, busy)).mapped(word(0, "newest", good)).leadsTo("ycm-firmware")
}

func pbxIdentity() Panel {
	return table("About this PBX", "Metadata from YCM's list. The address opens the PBX's web interface.", "none",
		rows("max by (account, cloud_pbx_id, name, region, sn, host, type, plan, group, version, last_used_template) (topk by (account, cloud_pbx_id) (1, "+selector("ycm_cloud_pbx_info", thisPBX)+"))")).
		columns(
			col("name", "PBX", atLeast(150)), col("cloud_pbx_id", "ID", width(65)), col("sn", "Serial number", width(175)),
			col("host", "Address", atLeast(350), property("links", []Link{{Title: "Open the PBX", URL: "https://${__data.fields.host}", TargetBlank: true}})),
			col("region", "Region"), col("group", "Group"), col("plan", "Plan"), col("type", "Type", width(110)),
			col("version", "Firmware", width(100)), hidden("last_used_template"), hidden("account"), hidden("Value"))
}

// orNoData gives a timeline a row "–" where an exporter is scraped but a metric of the PBX has no sample in the whole time range: Grafana
// shows an error for a timeline without rows. label names the row.
func orNoData(label, metric, vector string) string {
	return vector + " or on () " + labelled("(-1 * max(ycm_exporter_build_info)"+withoutSamples(metric)+")", label, "–")
}

// withoutSamples is true where a metric of the PBX has no sample in the whole time range.
func withoutSamples(metric string) string {
	return " unless on () count_over_time(" + selector(metric, thisPBX) + "[$__range] @ end())"
}

var noDataRow = word(-1, noData, unknown)

func pbxStateHistory() Panel {
	return timeline("Status history", "The status that YCM reported, whether the PBX was activated, and whether its own API responded (needs the collector pbx_api).",
		[]Mapping{
			stateMapping(pbxStates),
			noDataRow, word(100, "not responding", bad), word(101, "responding", good), word(200, "no", warning), word(201, "yes", good),
		},
		over(orNoData("what", "ycm_cloud_pbx_status", pbxStatus()), "Status"), over("200 + "+pbx("ycm_cloud_pbx_activated"), "Activated"), over("100 + "+pbx("ycm_cloud_pbx_api_up"), "API"))
}

// pbxUse is orange where the rules say that the PBX is near its capacity.
func pbxUse() Panel {
	var targets []Target
	for _, r := range resources {
		share := fmt.Sprintf("%s / (%s > 0)", pbx("ycm_cloud_pbx_"+r.used), pbx("ycm_cloud_pbx_"+r.capacity))
		near := whileListed(selector("cloud_pbx_what:ycm_cloud_pbx_use:near", thisPBX, fmt.Sprintf("what=%q", r.name)))
		targets = append(targets,
			named("("+share+") and on (account, cloud_pbx_id) "+near, r.title+", near its limit"),
			named("("+share+") unless on (account, cloud_pbx_id) "+near, r.title))
	}
	return bars("Use of capacity", "Present use in percent of what the plan allows; orange from the threshold of the rules.", targets...).
		matching("/near its limit$/", inColour(warning)).decimals(0)
}

// limited draws a use and its limit.
func limited(title, description, what string, r resource) Panel {
	return timeseries(title, description, "locale", over(pbx("ycm_cloud_pbx_"+r.used), what), over(pbx("ycm_cloud_pbx_"+r.capacity), "Capacity")).
		axis(what).series(what, inColour(busy)).series("Capacity", append(dashed(), inColour(bad))...)
}

func pbxCalls() Panel {
	return limited("Calls over time", "Active calls, and the number of concurrent calls that the plan allows. YCM may report outdated calls for a PBX that is not Running.", "calls", resources[0])
}

func pbxExtensions() Panel {
	return limited("Extensions over time", "Extensions in use, and the number that the plan allows.", "extensions", resources[1]).
		custom("lineInterpolation", "stepAfter")
}

// pbxRecording has a forecast where there are two days of history to make it of: from less it would be a spike.
func pbxRecording() Panel {
	used, capacity := selector("ycm_cloud_pbx_recording_used_seconds", thisPBX), pbx("ycm_cloud_pbx_recording_capacity_seconds")
	forecast := fmt.Sprintf("clamp(max by (account, cloud_pbx_id) (predict_linear(%s[7d], %d) and %s offset 2d), 0, 1.2 * scalar(%s)) / 3600", used, 14*day, used, capacity)
	return timeseries("Recording, with forecast", "Hours of recording in use, what the plan allows, and the forecast 14 days ahead from the last 7 days. The forecast needs 2 days of history.", "suffix:h",
		over(pbx("ycm_cloud_pbx_recording_used_seconds")+" / 3600", "Used"), over(capacity+" / 3600", "Capacity"), over(forecast, "14 days later")).
		axis("hours").series("Used", inColour(busy)).series("Capacity", append(dashed(), inColour(bad))...).
		series("14 days later", append(dashed(), inColour(past))...)
}

// pbxDates lists times as rows, in milliseconds as Grafana wants them.
func pbxDates() Panel {
	dates := []struct{ metric, what string }{
		{"created", "Created"},
		{"first_started", "First started"},
		{"template_last_used", "Template last used"},
		{"last_backup", "Last backup"},
		{"plan_expiration", "Plan expires"},
		{"expiration", "PBX expires"},
	}
	vectors := make([]string, len(dates))
	for i, date := range dates {
		vectors[i] = labelled(pbx("ycm_cloud_pbx_"+date.metric+"_timestamp_seconds"), "what", date.what)
	}
	return table("Dates", "Dates that YCM lists for the PBX.", "none",
		rows("max by (what) ("+either(vectors...)+") * 1000")).
		columns(col("what", "What", atLeast(100)), col("Value", "When", width(145), unit("time:YYYY-MM-DD HH:mm"))).sorted("When", false)
}

func pbxBackupAge() Panel {
	threshold := fmt.Sprintf("max(ycm:threshold:backup_age_seconds and on (account, group) %s) / %d", selector("ycm_cloud_pbx_info", thisPBX), day)
	return timeseries("Age of the last backup", "Age of the last backup by a YCM task, and the threshold of the rules. It falls to 0 with each backup.", "suffix:d",
		over(daysSince(pbx("ycm_cloud_pbx_last_backup_timestamp_seconds")), "Age"), over(threshold, "outdated")).
		axis("days").series("Age", inColour(busy)).series("outdated", append(dashed(), inColour(warning))...)
}

func pbxFeatures() Panel {
	return timeline("Features", "Features that were enabled for the PBX.", []Mapping{noDataRow, yesNo("on", "off", unknown)},
		over(orNoData("feature", "ycm_cloud_pbx_feature_enabled", pbxBy("feature", "ycm_cloud_pbx_feature_enabled")), "{{feature}}")).
		renamed(map[string]string{
			"recording": "Recording", "upgrade_in_pbx": "Upgrade in PBX", "im": "Chat", "passwordless_login": "Passwordless",
			"superior_passwordless_login": "Passwordl. (sup.)", "provisioning_via_template": "Template",
		})
}

func pbxFirmware() Panel {
	runs := labelled(pbxBy("account, version", "ycm_cloud_pbx_info"), "what", "installed")
	listed := "max by (account, version) (" + selector("ycm_firmware_available", inAccount, "region=~`(?i)${home:regex}`", `firmware_type="pbx"`) + ")"
	return table("Firmware for its region", "Versions that YCM lists for the PBX's region, newest first, and the installed one.", "none",
		rows(inOrder("("+runs+" or on (account, version) "+labelled(listed, "what", "available")+")"))).
		sortedBy("order", true).
		columns(hidden("account"), col("version", "Version"), col("what", "State", inText(Mapping{Type: "value", Options: map[string]any{
			"installed": result{Text: "installed", Color: good}, "available": result{Text: "available", Color: busy, Index: 1},
		}})...), hidden("order"), hidden("Value"))
}

// pbxTrunkHistory has a row without statuses where the PBX has no trunks. One that is not Running is not polled, so nothing is known.
func pbxTrunkHistory() Panel {
	none := labelled("(-2 + "+off("trunks", pbx("ycm_cloud_pbx_info"))+" or 0 * max("+pbx("ycm_cloud_pbx_trunks_truncated")+"))"+withoutSamples("ycm_cloud_pbx_trunk_status"), "trunk", "–")
	return timeline("Trunk status history", "Status of each trunk of the PBX. Needs the collector trunks, and a Running PBX.",
		[]Mapping{noDataRow, word(-2, "off: collector trunks", unknown), word(0, "no trunks", unknown), stateMapping(trunkStates)},
		over(orNoData("trunk", "ycm_cloud_pbx_trunk_status", encoded("account, cloud_pbx_id, trunk, trunk_type", "ycm_cloud_pbx_trunk_status", trunkStates)+" or on () "+none), "{{trunk}}"))
}

func pbxTrunks() Panel {
	return table("Trunk status", "Trunks of the PBX with their type and present status. Needs the collector trunks.", "none",
		rows(pbxBy("trunk, trunk_type, status", "ycm_cloud_pbx_trunk_status")+" == 1")).
		columns(col("trunk", "Trunk", atLeast(100)), col("trunk_type", "Type", width(95)),
			col("status", "Status", append(inText(nameMapping(trunkStates)), atLeast(150))...), hidden("Value")).
		sorted("Trunk", false).orOffRow("trunks", pbx("ycm_cloud_pbx_info"), "trunk")
}
