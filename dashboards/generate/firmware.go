package main

import "fmt"

// firmware is for planning upgrades: who runs what, who is behind, what can be had where.
func firmware() Dashboard {
	d := dashboard("ycm-firmware", "The firmware of the Cloud PBXs: versions by region, how far behind they are, what is available where.",
		"7d", "5m", accountVariable, regionVariable, groupVariable)
	d.Panels = place(
		across(4, seen(), upToDate(), behind().tile()),
		across(3, farBehind(), versionsInUse(), notCompared()),
		across(9, versionsByRegion().wide(16), versionsBehind().wide(8)),
		across(9, availability().wide(16), newest().wide(8)),
		across(9, behindOverTime().wide(8), versionsOverTime().wide(8), behind().table().wide(8)),
		heading("Phones in use that the newest firmware of their region does not know"),
		across(9, phonesUnknown().table().wide(15), unknownByModel().wide(9)),
	)
	return d
}

// listed is the metric of the PBX firmware that YCM lists. YCM spells some regions one way in the list of PBXs and another
// way in the list of regions: China(Guangdong) and China(GuangDong). No panel has both spellings.
func listed(metric string) string {
	return selector(metric, inAccount, "region=~`(?i)${region:regex}`", `firmware_type="pbx"`)
}

// byBehind is how many PBXs are how many versions behind the newest of their region.
func byBehind(matchers ...string) string {
	return recorded("account_region_group_behind:ycm_cloud_pbxs:count", matchers...)
}

const (
	newestRuns = `behind="0"`
	oneOrTwo   = `behind=~"1|2"`
	threeOrUp  = `behind!~"0|1|2"`
)

func upToDate() Panel {
	return stat("Up to date", "Which part of the PBXs runs the newest firmware that YCM lists for their region.", "percentunit",
		now(whileListed("(sum("+byBehind(newestRuns)+") or 0 * sum("+byBehind()+")) / sum("+byBehind()+")"))).decimals(0)
}

// behind lists the PBXs that can be updated. While a PBX is updated two exporters may disagree about its version.
func behind() list {
	version := "group_left (version) topk by (account, cloud_pbx_id) (1, " + selector("ycm_cloud_pbx_info", inRegion) + ")"
	return list{
		title: "Updates", colour: busy, unit: "locale", worst: "Behind", descending: true, witness: each("ycm_cloud_pbx_firmware_versions_behind"),
		description: "PBXs for whose region YCM lists a newer firmware than the one they run, those first that most versions are newer than.",
		vector:      "(" + each("ycm_cloud_pbx_firmware_versions_behind") + " > 0) * on (account, cloud_pbx_id) " + version,
		columns:     narrowPBXColumns(col("version", "Runs", width(110)), col("Value", "Behind", width(80))),
	}
}

func farBehind() Panel {
	return stat("3 or more behind", "PBXs for whose region YCM lists at least 3 versions that are newer than the one they run.", "locale",
		now("sum("+byBehind(threeOrUp)+") or "+whileListed("0 * sum("+byBehind()+")"))).problem(warning).opens("Updates")
}

func versionsInUse() Panel {
	return stat("Versions in use", "How many versions the fleet is spread over. Each needs its own care.", "locale",
		now("count(count by (version) ("+recorded("account_region_group_version:ycm_cloud_pbxs:count", `version!=""`)+"))"))
}

func notCompared() Panel {
	return stat("Not compared", "PBXs whose region or version matches nothing in YCM's firmware list: nothing can be said of their updates.", "locale",
		now(whileListed("(sum("+pbxs()+") - sum("+byBehind()+"))"))).problem(warning)
}

func versionsByRegion() Panel {
	return table("PBXs by region and version", "How many PBXs of each region run each version, the newest version first.", "locale",
		rows(inOrder(withRegion("sum by (version, region) ("+recorded("account_region_group_version:ycm_cloud_pbxs:count")+")")))).
		matrix("region", "version", "Region", "order", true).sorted("Region", false)
}

func versionsBehind() Panel {
	return columnChart("Behind by how many versions", "How many PBXs are how many versions behind the newest of their region. 0 is up to date.", "locale", "behind",
		rows("sum by (behind) ("+byBehind()+")")).
		axis("PBXs").option("xTickLabelSpacing", 0).titled(map[string]string{"Value": "PBXs"}).
		converted("behind", "number").sortedBy("behind", false).converted("behind", "string").
		series("PBXs", inColour(busy))
}

func availability() Panel {
	return table("Available where", "In which regions YCM lists which PBX firmware. YCM lists some for a region that it does not name.", "none",
		rows(inOrder(withRegion("max by (version, region) ("+listed("ycm_firmware_available")+")")))).
		mapped(word(1, "✓", plain)).stepped(plain).custom("align", "center").custom("cellOptions", map[string]any{"type": "color-text"}).
		matrix("region", "version", "Region", "order", true).sorted("Region", false)
}

func newest() Panel {
	return table("Newest by region", "The newest PBX firmware that YCM lists for each region, with the regions spelled as there.", "none",
		rows(withRegion("max by (region, version) ("+listed("ycm_firmware_latest_info")+")"))).
		columns(col("region", "Region"), col("version", "Newest", width(140)), hidden("Value")).sorted("Region", false)
}

func behindOverTime() Panel {
	of := func(name, matcher string) Target {
		return over(fmt.Sprintf("sum(%s) or 0 * sum(%s)", byBehind(matcher), byBehind()), name)
	}
	return timeseries("Behind over time", "How many PBXs ran the newest firmware of their region, and how many were how far behind: how an update spreads.", "locale",
		of("up to date", newestRuns), of("1 or 2 behind", oneOrTwo), of("3 or more behind", threeOrUp)).
		axis("PBXs").stacked().custom("lineInterpolation", "stepAfter").
		series("up to date", inColour(good)).series("1 or 2 behind", inColour(busy)).series("3 or more behind", inColour(warning))
}

func versionsOverTime() Panel {
	return timeseries("PBXs by version over time", "How many PBXs ran each version, the oldest version at the bottom.", "locale",
		over(inOrder("sum by (version) ("+recorded("account_region_group_version:ycm_cloud_pbxs:count")+")"), "{{version}}")).
		axis("PBXs").stacked().shades().custom("lineInterpolation", "stepAfter")
}
