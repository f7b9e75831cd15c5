package main

import "fmt"

// pbxDetail is everything about one PBX, over time.
func pbxDetail() Dashboard {
	d := dashboard("ycm-pbx", "One Cloud PBX over time: state, calls, extensions, recording, terms, backup, firmware, features, trunks.",
		"24h", "1m", accountVariable, regionVariable, groupVariable, pbxVariable, homeVariable)
	d.Panels = place(
		across(4, pbxNow()...),
		across(4, pbxIdentity().wide(columns)),
		across(6, pbxStateHistory().wide(16), pbxUse().wide(8)),
		across(8, pbxCalls().wide(8), pbxExtensions().wide(8), pbxRecording().wide(8)),
		across(8, pbxDates().wide(6), pbxBackupAge().wide(6), pbxFeatures().wide(6), pbxFirmware().wide(6)),
		across(8, pbxTrunkHistory().wide(14), pbxTrunks().wide(10)),
	)
	return d
}

// pbxStatus is the PBX's state as one series of numbers, for stateMapping.
func pbxStatus() string {
	return encoded("account, cloud_pbx_id", pbxStates, func(state string) string {
		return pbx("ycm_cloud_pbx_status", fmt.Sprintf("status=%q", state))
	})
}

// pbxNow is one number for each thing that can be wrong with the PBX.
func pbxNow() []Panel {
	left := func(title, description, metric, none string) Panel {
		return stat(title, description, "suffix: days", now(daysUntil(pbx(metric)))).
			decimals(0).stepped(unknown, at(-100*365, bad), at(7, warning), at(30, good)).empty(none).wide(3)
	}
	const backup = "ycm_cloud_pbx_last_backup_timestamp_seconds"
	return []Panel{
		stat("Status", "The state that YCM reports for the PBX.", "none", now(pbxStatus())).
			mapped(stateMapping(pbxStates)).option("colorMode", "background").wide(3),
		stat("Answers", "Whether the PBX itself answers its API. The collector pbx_api asks it while it is Running; it is off by default.", "none",
			now(pbx("ycm_cloud_pbx_api_up"))).
			stepped(unknown).mapped(yesNo("yes", "no", bad)).empty("not asked").wide(3),
		stat("Calls now", "Active calls. YCM may keep the calls of long ago on a PBX that is not Running.", "locale",
			now(pbx("ycm_cloud_pbx_active_calls"))).empty("none").wide(3),
		left("Plan ends in", "How long the plan of the PBX still runs.", "ycm_cloud_pbx_plan_expiration_timestamp_seconds", "no end"),
		left("PBX ends in", "How long the PBX itself still runs, trials above all. Many have no end of their own.", "ycm_cloud_pbx_expiration_timestamp_seconds", "no end"),
		stat("Last backup", "How long ago the last backup by a YCM task was. Backups made on the PBX itself are not known to YCM.", "s",
			now("time() - "+pbx(backup))).
			decimals(1).stepped(warning, at(0, good), at(week, warning), at(30*day, bad)).empty("never").wide(3),
		stat("Firmware behind", "How many versions that YCM lists for the PBX's region are newer than the one it runs.", "locale",
			now(pbx("ycm_cloud_pbx_firmware_versions_behind"))).
			stepped(unknown, at(0, good), at(1, busy), at(3, warning)).mapped(word(0, "newest", good)).empty("not known").leadsTo("ycm-firmware").wide(3),
		stat("Trunks down", "Trunks that are switched on but take no calls: registering, failed, unreachable. The collector trunks asks the PBX while it is Running; it is off by default.",
			"locale", now(fmt.Sprintf("sum by (account, cloud_pbx_id) (%s)", pbx("ycm_cloud_pbx_trunk_status", trunkFault)))).
			problem(bad).empty("not asked").wide(3),
	}
}

func pbxIdentity() Panel {
	return table("About this PBX", "What YCM's list says of the PBX. Its address opens its own pages.", "none",
		rows("max by (account, cloud_pbx_id, name, region, sn, url, type, plan, group, version, last_used_template) ("+pbx("ycm_cloud_pbx_info")+")")).
		columns(
			col("name", "PBX"), col("cloud_pbx_id", "Id", width(90)), col("sn", "Serial number", width(190)),
			col("url", "Address", property("links", []Link{{Title: "Open the PBX's own pages", URL: "https://${__data.fields.url}", TargetBlank: true}})),
			col("region", "Region"), col("group", "Group"), col("plan", "Plan", width(160)), col("type", "Type", width(110)),
			col("version", "Firmware", width(110)), col("last_used_template", "Template"), col("account", "Account", width(110)), hidden("Value")).
		empty("YCM lists no such PBX now")
}

func pbxStateHistory() Panel {
	answers := fmt.Sprintf("100 + max by (account, cloud_pbx_id) (%s)", pbx("ycm_cloud_pbx_api_up"))
	activated := fmt.Sprintf("200 + max by (account, cloud_pbx_id) (%s)", pbx("ycm_cloud_pbx_activated"))
	return timeline("Status history", "The state that YCM reported, whether the PBX was activated, and whether it answered its own API where that is asked.",
		[]Mapping{
			word(0, "not in YCM's list", unknown), stateMapping(pbxStates),
			word(100, "no answer", bad), word(101, "answers", good), word(200, "no", warning), word(201, "yes", good),
		},
		over(orNothing(pbxStatus(), "status", pbx("ycm_cloud_pbx_status")), "Status"), over(activated, "Activated"), over(answers, "Answers"))
}

func pbxUse() Panel {
	share := func(resource, legend string) Target {
		used, capacity := usedAndCapacity(resource)
		return named(orUnknown(fmt.Sprintf("max by (account, cloud_pbx_id) (%s / (%s > 0))", pbx(used), pbx(capacity))), legend)
	}
	return bars("Use of capacity", "What the PBX uses now, as a part of what its plan allows.", "percentunit", 1,
		share("calls", "Calls"), share("extensions", "Extensions"), share("recording", "Recording")).
		stepped(good, at(0.8, warning), at(0.9, bad)).decimals(0).empty("none")
}

// limited draws a use and its limit.
func limited(title, description, resource, what string) Panel {
	used, capacity := usedAndCapacity(resource)
	return timeseries(title, description, "locale", over(pbx(used), what), over(pbx(capacity), "Capacity")).
		series(what, inColour(busy)).series("Capacity", append(dashed(), inColour(bad))...).empty("none")
}

func pbxCalls() Panel {
	return limited("Calls", "Active calls, and how many the PBX may carry at once.", "calls", "Calls")
}

func pbxExtensions() Panel {
	return limited("Extensions", "Extensions in use, and how many the plan allows.", "extensions", "Used").
		custom("lineInterpolation", "stepAfter")
}

func pbxRecording() Panel {
	used, capacity := usedAndCapacity("recording")
	forecast := fmt.Sprintf("clamp(predict_linear(%s[7d], %d), 0, 1.2 * scalar(max(%s))) / 3600", pbx(used), 14*day, pbx(capacity))
	return timeseries("Recording, with forecast", "Hours of recording in use, what the plan allows, and what will be in use 14 days later if it goes on as in the 7 days before.", "suffix: h",
		over(pbx(used)+" / 3600", "Used"), over(pbx(capacity)+" / 3600", "Capacity"), over(forecast, "14 days later")).
		series("Used", inColour(busy)).series("Capacity", append(dashed(), inColour(bad))...).empty("none").
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
		columns(col("what", "What"), col("Value", "When", unit("dateTimeAsIso"))).sorted("When", false).empty("none")
}

func pbxBackupAge() Panel {
	return timeseries("Age of the last backup", "How old the last backup by a YCM task was. It falls to 0 with each backup.", "suffix: d",
		over(daysSince(pbx("ycm_cloud_pbx_last_backup_timestamp_seconds")), "Age")).
		series("Age", inColour(busy)).stepped("transparent", at(7, warning)).
		custom("thresholdsStyle", map[string]any{"mode": "dashed"}).empty("never backed up")
}

func pbxFeatures() Panel {
	return timeline("Features", "Which features were switched on for the PBX.", []Mapping{yesNo("on", "off", unknown)},
		over(orNothing("max by (feature) ("+pbx("ycm_cloud_pbx_feature_enabled")+")", "feature", pbx("ycm_cloud_pbx_feature_enabled")), "{{feature}}")).
		renamed(map[string]string{
			"recording": "Recording", "upgrade_in_pbx": "Upgrade in PBX", "im": "Chat", "passwordless_login": "No password",
			"superior_passwordless_login": "No password, superior", "provisioning_via_template": "Template",
		})
}

func pbxFirmware() Panel {
	runs := labelled("group by (account, version) ("+pbx("ycm_cloud_pbx_info")+")", "what", "runs now")
	listed := "group by (account, version) (" + selector("ycm_firmware_available", inAccount, "region=~`(?i)${home:regex}`", `firmware_type="pbx"`) + ")"
	return table("Firmware for its region", "The versions that YCM lists for the PBX's region, newest first, and the one that it runs.", "none",
		rows(inOrder("("+runs+" or on (account, version) "+labelled(listed, "what", "available")+")"))).
		sortedBy("order", true).
		columns(hidden("account"), col("version", "Version"), col("what", "State", inText(Mapping{Type: "value", Options: map[string]any{
			"runs now": result{Text: "runs now", Color: good}, "available": result{Text: "available", Color: busy, Index: 1},
		}})...), hidden("order"), hidden("Value")).
		empty("none")
}

// pbxTrunk is the state of each trunk of the PBX as a series of numbers, for stateMapping.
func pbxTrunk() string {
	return encoded("account, cloud_pbx_id, trunk, trunk_type", trunkStates, func(state string) string {
		return pbx("ycm_cloud_pbx_trunk_status", fmt.Sprintf("status=%q", state))
	})
}

func pbxTrunkHistory() Panel {
	return timeline("Trunks", "The state of each trunk of the PBX. The collector trunks asks the PBX while it is Running; it is off by default.",
		[]Mapping{word(0, "no trunks, or not asked", unknown), stateMapping(trunkStates)},
		over(orNothing(pbxTrunk(), "trunk", pbx("ycm_cloud_pbx_trunk_status")), "{{trunk}}"))
}

func pbxTrunks() Panel {
	return table("Trunks now", "The trunks of the PBX with their type and state.", "none",
		rows("max by (trunk, trunk_type, status) ("+pbx("ycm_cloud_pbx_trunk_status")+" == 1)")).
		columns(col("trunk", "Trunk"), col("trunk_type", "Type", width(120)),
			col("status", "Status", append(inText(nameMapping(trunkStates)), width(190))...), hidden("Value")).
		sorted("Trunk", false).empty("no trunks, or not asked")
}
