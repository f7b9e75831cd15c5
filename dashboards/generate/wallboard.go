package main

// wallboard is for a TV: one screen in kiosk mode, green when nothing is wrong.
func wallboard() Dashboard {
	d := dashboard("ycm-wallboard", "One screen for a TV, without scrolling: open it in kiosk mode, with &kiosk at the end of the address.",
		"6h", "30s", accountVariable, regionVariable, groupVariable)
	d.Panels = place(
		across(4, freshness().option("text", map[string]any{"titleSize": 36, "valueSize": 44})),
		across(8, down().large("down"), notAnswering().tile().large("API not responding"), criticalAlerts().large("critical"), trunksDown().tile().large("trunks down")),
		across(8, downNames().wide(columns)),
		across(7, affected().large("extensions"), warnings().large("warnings"), running().large("running"), callsNow().large("calls")),
	)
	return d
}

// large fills a tile with its colour, and a number and a word that can be read from four metres. Titles of panels cannot.
func (p Panel) large(word string) Panel {
	p.FieldConfig.Defaults.DisplayName = word
	return p.option("colorMode", "background").option("text", map[string]any{"titleSize": 36, "valueSize": 90}).option("textMode", "value_and_name").
		option("justifyMode", "center")
}

func down() Panel {
	return stat("PBXs down", "PBXs that are Stopped, in an unknown status, or overdue in another one.", "locale",
		now(number(downPBXs(), pbxs()))).problem(bad).opens(notRunningTitle)
}

func alertsOf(u urgency) Panel {
	return stat("Alerts: "+u.name, "Alerts that fire, without those that a larger outage explains.", "locale",
		now("count(max by ("+alertLabels+") ("+firing(u.matchers)+")) or ("+alertsKnown()+")")).problem(u.colour).opens("Alerts")
}

func criticalAlerts() Panel { return alertsOf(urgencies[0]) }

func warnings() Panel { return alertsOf(urgencies[1]) }

// downNames are the largest PBXs that are down and for how long.
func downNames() Panel {
	size := "max by (account, cloud_pbx_id) (" + selector("ycm_cloud_pbx_extensions_used", inRegion) + ")"
	begin := "max by (account, cloud_pbx_id) (" + whileListed(selector("cloud_pbx:ycm_cloud_pbx_status:since", inRegion)) + ")"
	largest := "topk(4, 0 * " + downPBXs() + " + on (account, cloud_pbx_id) group_left () " + size + ")"
	return stat("Down for", "The four largest PBXs that are down, and for how long.", "s",
		named("time() - (0 * "+largest+" + on (account, cloud_pbx_id) group_left () "+begin+")", "{{name}}, {{region}}"),
		named("0 * sum("+pbxs()+") unless on () "+downPBXs(), "every PBX runs")).
		stepped(unknown, at(0, bad)).decimals(0).option("colorMode", "background").option("textMode", "value_and_name").option("orientation", "horizontal").
		option("text", map[string]any{"titleSize": 36, "valueSize": 36}).
		series("every PBX runs", inColour(good), property("mappings", []Mapping{word(0, " ", good)}))
}

func affected() Panel {
	return stat("Extensions affected", "Extensions of the PBXs that are down.", "locale",
		now("sum("+each("ycm_cloud_pbx_extensions_used")+" and on (account, cloud_pbx_id) "+downPBXs()+") or 0 * sum("+pbxs()+")")).problem(bad)
}

func running() Panel {
	status := recorded("account_region_group_status:ycm_cloud_pbxs:count", `status="Running"`)
	return stat("PBXs running", "PBXs that are Running.", "locale", now("sum("+status+") or 0 * sum("+pbxs()+")"))
}
