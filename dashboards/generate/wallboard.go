package main

// wallboard is for a TV: one screen in kiosk mode, green when nothing is wrong.
func wallboard() Dashboard {
	d := dashboard("ycm-wallboard", "One screen for a TV, without scrolling: open it in kiosk mode, with ?kiosk at the end of the address.",
		"6h", "30s", accountVariable, regionVariable, groupVariable)
	d.Panels = place(
		across(4, freshness().option("orientation", "horizontal").option("text", map[string]any{"titleSize": 38, "valueSize": 38})),
		across(8, down().large("PBXs down"), notAnswering().tile().large("API not responding"), criticalAlerts().large("critical alerts"), trunksDown().tile().large("trunks down")),
		across(8, downNames().wide(columns)),
		across(7, affected().large("extensions affected"), warnings().large("warnings"), running().large("PBXs running"), callsNow().large("calls now")),
	)
	return d
}

// large fills a tile with its colour, and a number and a word that can be read from four metres. Titles of panels cannot.
// What is green is so only while the data of every account is current: the tile has no value else.
func (p Panel) large(name string) Panel {
	if *p.FieldConfig.Defaults.Thresholds.Steps[1].Value == 0 {
		p.Targets[0].Expr = whileTrusted(p.Targets[0].Expr)
	}
	for i, m := range p.FieldConfig.Defaults.Mappings {
		options, _ := m.Options.(map[string]any)
		if _, ok := options["-1"]; ok {
			// The name of the collector has room above the value only. A second override of a name would not be found.
			for j, o := range p.FieldConfig.Overrides {
				if o.Matcher.Options == "off" {
					p.FieldConfig.Overrides[j].Properties = []Option{property("displayName", options["-1"].(result).Text)}
				}
			}
			p.FieldConfig.Defaults.Mappings[i] = word(-1, noData, unknown)
		}
	}
	p.Targets[0].LegendFormat = name
	return p.option("colorMode", "background").option("text", map[string]any{"titleSize": 40, "valueSize": 100}).option("textMode", "value_and_name").
		option("justifyMode", "center")
}

// whileTrusted leaves out the zero, which comes last in a number, while the data of an account is missing or outdated.
func whileTrusted(number string) string { return number + " unless on () (" + untrusted() + ")" }

func down() Panel {
	return stat("PBXs down", "PBXs that are Stopped, in an unknown status, or overdue in another one. Those that were never activated are not counted.", "locale",
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
	return stat("Largest PBXs down", "The four largest PBXs that are down, and for how long.", "s",
		named("time() - (0 * "+largest+" + on (account, cloud_pbx_id) group_left () "+begin+")", "{{name}}, {{region}}"),
		named("0 * sum("+pbxs()+") unless on () "+downPBXs()+" unless on () ("+untrusted()+")", noneDown)).
		stepped(unknown, at(0, bad)).decimals(0).option("colorMode", "background").option("textMode", "value_and_name").option("orientation", "horizontal").
		option("text", map[string]any{"titleSize": 44, "valueSize": 44}).
		series(noneDown, inColour(good), property("mappings", []Mapping{word(0, " ", good)}))
}

const noneDown = "no PBX is down"

func affected() Panel {
	return stat("Extensions affected", "Extensions in use on the PBXs that are down.", "locale",
		now("sum("+each("ycm_cloud_pbx_extensions_used")+" and on (account, cloud_pbx_id) "+downPBXs()+") or 0 * sum("+pbxs()+")")).problem(bad)
}

func running() Panel {
	status := recorded("account_region_group_status:ycm_cloud_pbxs:count", `status="Running"`)
	return stat("PBXs running", "PBXs that are Running.", "locale", now("sum("+status+") or 0 * sum("+pbxs()+")"))
}
