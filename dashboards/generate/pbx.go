package main

import "fmt"

// pbxDetail is everything about one PBX, over time.
func pbxDetail() Dashboard {
	d := dashboard("ycm-pbx", "One Cloud PBX over time: state, calls, extensions, recording, terms, backup, firmware, features, trunks.",
		"24h", "1m", accountVariable, regionVariable, groupVariable, pbxVariable, homeVariable)
	d.Panels = place(
		across(4, seen(), pbxState(), pbxAnswers(), pbxTrunksDown()),
		across(3, pbxEnds("Plan", "plan", planEnd), pbxEnds("PBX", "PBX", termEnd), pbxCallsNow(), pbxBackup()),
		across(4, pbxBehind().wide(6), pbxUse()),
		across(4, pbxIdentity().wide(columns)),
		across(6, pbxStateHistory().wide(columns)),
		across(8, pbxCalls().wide(8), pbxExtensions().wide(8), pbxRecording().wide(8)),
		across(7, pbxDates(), pbxFirmware()),
		across(7, pbxBackupAge(), pbxFeatures()),
		across(8, pbxTrunkHistory(), pbxTrunks()),
		heading("Endpoints, phones and AI minutes"),
		across(8, pbxEndpoints(), pbxPhones()),
		across(4, pbxAIMinutes()),
	)
	return d
}

// pbxStatus is the PBX's state as one series of numbers, for stateMapping.
func pbxStatus() string {
	return encoded("account, cloud_pbx_id", "ycm_cloud_pbx_status", pbxStates)
}

func pbxState() Panel {
	return stat("Status", "The state that YCM reports for the PBX.", "none", now(pbxStatus())).
		stepped(unknown).mapped(stateMapping(pbxStates))
}

func pbxAnswers() Panel {
	return stat("Answers", "Whether the PBX itself answers its API. The collector pbx_api asks it while it is Running; it is off by default.", "none",
		now(pbx("ycm_cloud_pbx_api_up"))).
		stepped(unknown).mapped(yesNo("yes", "no", bad))
}

func pbxTrunksDown() Panel {
	trunks := pbxBy("account, cloud_pbx_id, trunk, trunk_type", "ycm_cloud_pbx_trunk_status", trunkFault)
	return stat("Trunks down", "Trunks that are switched on but take no calls: registering, failed, unreachable. The collector trunks asks the PBX while it is Running; it is off by default.",
		"locale", now("sum by (account, cloud_pbx_id) ("+trunks+")")).problem(bad)
}

// noDate stands for a PBX that YCM lists without an end: that is something known, other than no data.
const noDate = 1_000_000

// pbxEnds is orange from the notice of the rules on, and red when the time has come.
func pbxEnds(subject, what, timestamp string) Panel {
	left := daysUntil(pbx(timestamp))
	soon := "max by (account, cloud_pbx_id) (" + whileListed(selector("cloud_pbx_what:ycm_cloud_pbx_end:soon", thisPBX, fmt.Sprintf("what=%q", what))) + ")"
	return stat(subject+" ends in", "How long the "+subject+" still runs: orange within the notice of the rules, red when it has ended. Many PBXs have no end of their own.", "suffix:days",
		named("("+left+") < 0", "ended"),
		named("(("+left+") and on (account, cloud_pbx_id) "+soon+") >= 0", "soon"),
		named("(("+left+") >= 0) unless on (account, cloud_pbx_id) "+soon, "later"),
		named(fmt.Sprintf("%d * (%s unless %s)", noDate, pbx("ycm_cloud_pbx_info"), pbx(timestamp)), "none")).
		decimals(0).stepped(unknown).mapped(word(noDate, "no date", unknown)).option("textMode", "value").
		series("ended", inColour(bad)).series("soon", inColour(warning)).series("later", inColour(good))
}

func pbxCallsNow() Panel {
	return stat("Calls now", "Active calls. YCM may keep the calls of long ago on a PBX that is not Running.", "locale",
		now(pbx("ycm_cloud_pbx_active_calls")))
}

// pbxBackup is orange from the threshold of the rules on.
func pbxBackup() Panel {
	last := pbx("ycm_cloud_pbx_last_backup_timestamp_seconds")
	old := "max by (account, cloud_pbx_id) (" + whileListed(selector("cloud_pbx:ycm_cloud_pbx_backup:old", thisPBX)) + ")"
	return stat("Last backup", "How long ago the last backup by a YCM task was: orange when it is older than the threshold of the rules. Backups made on the PBX itself are not known to YCM.", "s",
		named("(time() - "+last+") and on (account, cloud_pbx_id) "+old, "old"),
		named("(time() - "+last+") unless on (account, cloud_pbx_id) "+old, "recent"),
		named("-1 * ("+pbx("ycm_cloud_pbx_info")+" unless "+last+")", "never")).
		decimals(1).stepped(unknown).mapped(word(-1, "never", warning)).option("textMode", "value").
		series("old", inColour(warning)).series("recent", inColour(good)).series("never", inColour(warning))
}

func pbxBehind() Panel {
	return stat("Updates", "How many versions that YCM lists for the PBX's region are newer than the one it runs.", "locale",
		now(pbx("ycm_cloud_pbx_firmware_versions_behind"))).
		stepped(unknown, at(0, good), at(1, busy)).mapped(word(0, "newest", good)).leadsTo("ycm-firmware")
}

func pbxIdentity() Panel {
	return table("About this PBX", "What YCM's list says of the PBX. Its address opens its own pages.", "none",
		rows("max by (account, cloud_pbx_id, name, region, sn, host, type, plan, group, version, last_used_template) (topk by (account, cloud_pbx_id) (1, "+selector("ycm_cloud_pbx_info", thisPBX)+"))")).
		columns(
			col("name", "PBX", atLeast(150)), col("cloud_pbx_id", "Id", width(70)), col("sn", "Serial number", width(170)),
			col("host", "Address", atLeast(300), property("links", []Link{{Title: "Open the PBX's own pages", URL: "https://${__data.fields.host}", TargetBlank: true}})),
			col("region", "Region"), col("group", "Group"), col("plan", "Plan"), col("type", "Type", width(110)),
			col("version", "Firmware", width(100)), hidden("last_used_template"), hidden("account"), hidden("Value"))
}

// orNotKnown gives a timeline a row that says so while an exporter tells nothing of the PBX: a timeline without any row is
// an error to Grafana, in words of its own. label is what names the row.
func orNotKnown(label, vector string) string {
	return vector + " or on () " + labelled("-1 * max(ycm_exporter_build_info)", label, "–")
}

var notKnownRow = word(-1, notKnown, unknown)

func pbxStateHistory() Panel {
	return timeline("Status history", "The state that YCM reported, whether the PBX was activated, and whether it answered its own API where that is asked.",
		[]Mapping{
			stateMapping(pbxStates),
			notKnownRow, word(100, "no answer", bad), word(101, "answers", good), word(200, "no", warning), word(201, "yes", good),
		},
		over(orNotKnown("what", pbxStatus()), "Status"), over("200 + "+pbx("ycm_cloud_pbx_activated"), "Activated"), over("100 + "+pbx("ycm_cloud_pbx_api_up"), "Answers"))
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
	return bars("Use of capacity", "What the PBX uses now, as a part of what its plan allows; orange from the threshold of the rules on.", targets...).
		matching("/near its limit$/", inColour(warning)).decimals(0)
}

// limited draws a use and its limit.
func limited(title, description, what string, r resource) Panel {
	return timeseries(title, description, "locale", over(pbx("ycm_cloud_pbx_"+r.used), what), over(pbx("ycm_cloud_pbx_"+r.capacity), "Capacity")).
		axis(what).series(what, inColour(busy)).series("Capacity", append(dashed(), inColour(bad))...)
}

func pbxCalls() Panel {
	return limited("Calls", "Active calls, and how many the PBX may carry at once.", "calls", resources[0])
}

func pbxExtensions() Panel {
	return limited("Extensions", "Extensions in use, and how many the plan allows.", "extensions", resources[1]).
		custom("lineInterpolation", "stepAfter")
}

// pbxRecording has a forecast where there are two days of history to make it of: from less it would be a spike.
func pbxRecording() Panel {
	used, capacity := selector("ycm_cloud_pbx_recording_used_seconds", thisPBX), pbx("ycm_cloud_pbx_recording_capacity_seconds")
	forecast := fmt.Sprintf("clamp(max by (account, cloud_pbx_id) (predict_linear(%s[7d], %d) and %s offset 2d), 0, 1.2 * scalar(%s)) / 3600", used, 14*day, used, capacity)
	return timeseries("Recording, with forecast", "Hours of recording in use, what the plan allows, and what will be in use 14 days later if it goes on as in the 7 days before. The forecast needs 2 days of history.", "suffix:h",
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
		{"plan_expiration", "Plan ends"},
		{"expiration", "PBX ends"},
	}
	vectors := make([]string, len(dates))
	for i, date := range dates {
		vectors[i] = labelled(pbx("ycm_cloud_pbx_"+date.metric+"_timestamp_seconds"), "what", date.what)
	}
	return table("Dates", "The times that YCM gives for the PBX. What is not listed, YCM does not say.", "none",
		rows("max by (what) ("+either(vectors...)+") * 1000")).
		columns(col("what", "What", atLeast(100)), col("Value", "When", width(145), unit("time:YYYY-MM-DD HH:mm"))).sorted("When", false)
}

func pbxBackupAge() Panel {
	threshold := fmt.Sprintf("max(ycm:threshold:backup_age_seconds and on (account, group) %s) / %d", selector("ycm_cloud_pbx_info", thisPBX), day)
	return timeseries("Age of the last backup", "How old the last backup by a YCM task was, and the age from which the rules call it old. It falls to 0 with each backup.", "suffix:d",
		over(daysSince(pbx("ycm_cloud_pbx_last_backup_timestamp_seconds")), "Age"), over(threshold, "old from here")).
		axis("days").series("Age", inColour(busy)).series("old from here", append(dashed(), inColour(warning))...)
}

func pbxFeatures() Panel {
	return timeline("Features", "Which features were switched on for the PBX.", []Mapping{notKnownRow, yesNo("on", "off", unknown)},
		over(orNotKnown("feature", pbxBy("feature", "ycm_cloud_pbx_feature_enabled")), "{{feature}}")).
		renamed(map[string]string{
			"recording": "Recording", "upgrade_in_pbx": "Upgrade", "im": "Chat", "passwordless_login": "No password",
			"superior_passwordless_login": "No p., sup.", "provisioning_via_template": "Template",
		})
}

func pbxFirmware() Panel {
	runs := labelled(pbxBy("account, version", "ycm_cloud_pbx_info"), "what", "runs now")
	listed := "max by (account, version) (" + selector("ycm_firmware_available", inAccount, "region=~`(?i)${home:regex}`", `firmware_type="pbx"`) + ")"
	return table("Firmware for its region", "The versions that YCM lists for the PBX's region, newest first, and the one that it runs.", "none",
		rows(inOrder("("+runs+" or on (account, version) "+labelled(listed, "what", "available")+")"))).
		sortedBy("order", true).
		columns(hidden("account"), col("version", "Version"), col("what", "State", inText(Mapping{Type: "value", Options: map[string]any{
			"runs now": result{Text: "runs now", Color: good}, "available": result{Text: "available", Color: busy, Index: 1},
		}})...), hidden("order"), hidden("Value"))
}

// pbxTrunkHistory has a row without states where the PBX is listed but tells of no trunk.
func pbxTrunkHistory() Panel {
	none := labelled("0 * "+pbx("ycm_cloud_pbx_info"), "trunk", "–")
	return timeline("Trunks", "The state of each trunk of the PBX. The collector trunks asks the PBX while it is Running; it is off by default.",
		[]Mapping{notKnownRow, word(0, "no trunks, or not asked", unknown), stateMapping(trunkStates)},
		over(orNotKnown("trunk", encoded("account, cloud_pbx_id, trunk, trunk_type", "ycm_cloud_pbx_trunk_status", trunkStates)+" or on (account, cloud_pbx_id) "+none), "{{trunk}}"))
}

func pbxTrunks() Panel {
	return table("Trunks now", "The trunks of the PBX with their type and state.", "none",
		rows(pbxBy("trunk, trunk_type, status", "ycm_cloud_pbx_trunk_status")+" == 1")).
		columns(col("trunk", "Trunk", atLeast(100)), col("trunk_type", "Type", width(95)),
			col("status", "Status", append(inText(nameMapping(trunkStates)), atLeast(150))...), hidden("Value")).
		sorted("Trunk", false)
}
