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
		across(8, behindOverTime(), versionsOverTime()),
		across(8, behind().table()),
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
	newerIs    = `behind!="0"`
)

// farBehindCount is how many PBXs are as many versions behind as the rules call far, if they call any number so.
func farBehindCount() string {
	return "(sum(" + recorded("account_region_group:ycm_cloud_pbx_firmware_versions_behind:far") + ") or 0 * sum(" +
		byBehind() + " and on (account, group) " + account("ycm:threshold:firmware_versions_behind") + "))"
}

func upToDate() Panel {
	return stat("Up to date", "Which part of the PBXs runs the newest firmware that YCM lists for their region.", "percentunit",
		now("(sum("+byBehind(newestRuns)+") or 0 * sum("+byBehind()+")) / sum("+byBehind()+")")).decimals(0)
}

// behind lists the PBXs that can be updated. While a PBX is updated two exporters may disagree about its version.
func behind() list {
	version := "group_left (version) topk by (account, cloud_pbx_id) (1, " + selector("ycm_cloud_pbx_info", inRegion) + ")"
	return list{
		title: "Updates", colour: busy, unit: "locale", worst: "Behind", descending: true, witness: each("ycm_cloud_pbx_firmware_versions_behind"),
		description: "PBXs for whose region YCM lists a newer firmware than the one they run, those first that most versions are newer than.",
		vector:      "(" + each("ycm_cloud_pbx_firmware_versions_behind") + " > 0) * on (account, cloud_pbx_id) " + version,
		columns:     pbxColumns(col("version", "Runs", width(110)), col("Value", "Behind", width(80))),
	}
}

func farBehind() Panel {
	return stat("Far behind", "PBXs for whose region YCM lists as many newer versions as the threshold of the rules says, 3 by default, or more.", "locale",
		now(farBehindCount())).problem(warning).opens("Updates")
}

func versionsInUse() Panel {
	return stat("Versions in use", "How many versions the fleet is spread over. Each needs its own care.", "locale",
		now("count(count by (version) ("+recorded("account_region_group_version:ycm_cloud_pbxs:count", `version!=""`)+"))"))
}

func notCompared() Panel {
	return stat("Not compared", "PBXs whose region or version matches nothing in YCM's firmware list: nothing can be said of their updates.", "locale",
		now("sum("+pbxs()+") - sum("+byBehind()+")")).problem(warning)
}

func versionsByRegion() Panel {
	return table("PBXs by region and version", "How many PBXs of each region run each version, the newest version first.", "locale",
		rows(inOrder(withRegion("sum by (version, region) ("+recorded("account_region_group_version:ycm_cloud_pbxs:count")+")")))).
		matrix("region", "version", "Region", "order", true).sorted("Region", false)
}

func versionsBehind() Panel {
	return columnChart("Versions behind", "How many PBXs are how many versions behind the newest of their region. 0 is up to date.", "locale", "behind",
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
	of := func(matcher string) string {
		return fmt.Sprintf("(sum(%s) or 0 * sum(%s))", byBehind(matcher), byBehind())
	}
	return timeseries("Behind over time", "How many PBXs ran the newest firmware of their region, and how many were how far behind: how an update spreads.", "locale",
		over(of(newestRuns), "up to date"), over(of(newerIs)+" - "+farBehindCount(), "behind"), over(farBehindCount(), "far behind")).
		axis("PBXs").stacked().custom("lineInterpolation", "stepAfter").
		series("up to date", inColour(good)).series("behind", inColour(busy)).series("far behind", inColour(warning))
}

func versionsOverTime() Panel {
	return timeseries("PBXs by version over time", "How many PBXs ran each version, the oldest version at the bottom.", "locale",
		over(inOrder("sum by (version) ("+recorded("account_region_group_version:ycm_cloud_pbxs:count")+")"), "{{version}}")).
		axis("PBXs").stacked().shades().custom("lineInterpolation", "stepAfter")
}
