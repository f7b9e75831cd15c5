package main

// Customers' devices. They need the collectors extensions, phones and capacity, which are off by default.

// endpoints counts extensions by kind of endpoint and by whether that is online.
func endpoints(matchers ...string) string {
	return recorded("account_region_group_endpoint_state:ycm_cloud_pbx_endpoints:sum", matchers...)
}

// endpointNames are what people call the kinds of endpoints.
var endpointNames = map[string]string{
	"sip_phone": "SIP phones", "linkus_desktop": "Linkus desktop", "linkus_mobile": "Linkus mobile", "linkus_web": "Linkus web",
}

func endpointsNow() Panel {
	return stat("Endpoints online", "Extensions with an endpoint of that kind online. Needs the collector extensions.", "locale",
		named("sort_desc(sum by (endpoint) ("+endpoints(`state="online"`)+"))", "{{endpoint}}")).
		stepped(unknown, at(0, busy)).renamed(endpointNames).orOff("extensions", pbxs())
}

func endpointsOverTime() Panel {
	return timeseries("Endpoints online over time", "Extensions with an endpoint of that kind online. SIP phones stay online overnight; Linkus goes offline when users close it. Needs the collector extensions.", "locale",
		over("sum by (endpoint) ("+endpoints(`state="online"`)+")", "{{endpoint}}")).
		axis("extensions").renamed(endpointNames).orOff("extensions", pbxs())
}

// phonesLost is what the alerts of phones that went offline together read.
func phonesLost() list {
	return list{
		title: "PBXs with phones offline", colour: bad, unit: "percentunit", worst: "Offline", descending: true, witness: endpoints(),
		description: "PBXs with most of their SIP phones offline that were online an hour ago. Needs the collector extensions.",
		vector:      chosen("max by (" + identity + ") (" + whileListed(selector("cloud_pbx:ycm_cloud_pbx_sip_phones:lost_ratio", inRegion)) + ")"),
		columns:     pbxColumns(col("Value", "Offline", width(75))),
		collector:   "extensions",
	}
}

func aiMinutes() Panel {
	sum := func(metric string) string {
		return "sum by (feature, quota) (" + recorded("account_region_group_feature_quota:"+metric+":sum") + ")"
	}
	return aiBars("all PBXs have", sum).orOff("capacity", pbxs())
}

// aiBars shows how much of the AI minutes somebody has used; of finds a metric of theirs by feature and quota.
func aiBars(who string, of func(metric string) string) Panel {
	return bars("AI minutes used", "Share of the minutes of AI transcription and receptionist that "+who+" used, of the initial quota and of packs. Needs the collector capacity.",
		named(of("ycm_cloud_pbx_ai_used_seconds")+" / ("+of("ycm_cloud_pbx_ai_capacity_seconds")+" > 0)", "{{feature}}, {{quota}}")).decimals(0)
}

// phonesInUse counts phones by vendor, model and state.
func phonesInUse() string {
	return recorded("account_region_group_model_state:ycm_cloud_pbx_phones:sum")
}

func phonesByModel() Panel {
	return table("Phones in use", "Phones that the PBXs provision, by vendor and model, and how many of them are registered. Needs the collector phones.", "locale",
		rows(`label_join(sum by (vendor, model, state) (`+phonesInUse()+`), "phone", " ", "vendor", "model")`)).
		matrix("phone", "state", "Phone", "phone", false).orOffRow("phones", pbxs(), "phone", "state")
}

func phonesOverTime() Panel {
	return timeseries("Phones in use by state", "Phones that the PBXs provision: registered, unregistered, or unassigned (not assigned to an extension). Needs the collector phones.", "locale",
		over("sum by (state) ("+phonesInUse()+")", "{{state}}")).
		axis("phones").stacked().
		orOff("phones", pbxs()).series("registered", inColour(good)).series("unregistered", inColour(warning)).series("unassigned", inColour(past))
}

// phonesUnknown is what an upgrade to the newest firmware of a region would cut off.
func phonesUnknown() list {
	return list{
		title: "Phones not supported by the newest firmware", colour: warning, unit: "locale", worst: "Phones", descending: true,
		witness:     phonesInUse(),
		description: "Phones in use that the newest firmware of the PBX's region does not support. Check before an upgrade. Needs the collectors phones and autoprovisioning, with required_phones: in_use, and a PBX that runs that firmware.",
		vector:      chosen("max by (" + identity + ", version, vendor, model) (" + whileListed(selector("cloud_pbx:ycm_cloud_pbx_phones:unknown", inRegion)) + ")"),
		columns: pbxColumns(col("version", "Newest", width(110)), col("vendor", "Vendor", width(110)), col("model", "Model", width(110)),
			col("Value", "Phones", width(80))),
		collector: "phones",
	}
}

func unknownByModel() Panel {
	none := labelled("(0 * count("+phonesInUse()+") / 0)", "region", "none")
	return table("Unsupported phones by region and model", "Number of phones of each model that the region's newest firmware does not support.", "locale",
		rows(asRegion("sum by (place, version, vendor, model) ("+onePlace(whileListed(selector("account_region_version_model:ycm_cloud_pbx_phones:unknown", inRegion)))+")")+" or on () "+none)).
		columns(col("region", "Region", regionNames()), col("version", "Newest", width(110)), col("vendor", "Vendor", width(110)), col("model", "Model", width(110)),
			col("Value", "Phones", width(80), property("mappings", []Mapping{blank}))).sorted("Phones", true)
}

func pbxEndpoints() Panel {
	return timeseries("Endpoints online", "Extensions of the PBX with an endpoint of that kind online, and those that can be reached on any. Needs the collector extensions.", "locale",
		over(pbxBy("endpoint", "ycm_cloud_pbx_endpoints", `state="online"`), "{{endpoint}}"), over(pbx("ycm_cloud_pbx_extensions_reachable"), "reachable")).
		axis("extensions").renamed(endpointNames).series("reachable", append(dashed(), inColour(good))...).
		orOff("extensions", pbx("ycm_cloud_pbx_info"))
}

func pbxPhones() Panel {
	return table("Phones", "Phones that the PBX provisions. Needs the collector phones.", "locale",
		rows(pbxBy("vendor, model, state", "ycm_cloud_pbx_phones")+" > 0")).
		columns(col("vendor", "Vendor", atLeast(80)), col("model", "Model", atLeast(80)), col("state", "State", width(115)), col("Value", "Phones", width(75))).sorted("Phones", true).
		orOffRow("phones", pbx("ycm_cloud_pbx_info"), "vendor")
}

func pbxAIMinutes() Panel {
	return aiBars("the PBX has", func(metric string) string { return pbxBy("feature, quota", metric) }).
		orOff("capacity", pbx("ycm_cloud_pbx_info"))
}
