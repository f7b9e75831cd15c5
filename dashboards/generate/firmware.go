package main

import "fmt"

// firmware is for planning upgrades: who runs what, who is behind, what is available.
func firmware() Dashboard {
	d := dashboard("ycm-firmware", "The firmware of the Cloud PBXs: versions by region, how far behind they are, what is available.",
		"7d", "5m", accountVariable, regionVariable, groupVariable)
	d.Panels = place(
		across(bannerHeight, freshness()),
		across(4, upToDate(), behind().tile(), farBehind(), updatesUnknown()),
		across(9, versionsByRegion().wide(17), versionsBehind().wide(7)),
		across(8, behindOverTime(), behind().table()),
		folded("Versions over time",
			across(8, versionsInUse().wide(6), versionsOverTime().wide(18))),
		folded("Versions that YCM lists",
			across(9, firmwareAvailability().wide(17), newest().wide(7))),
		folded("Phones in use that the newest firmware of their region does not support",
			across(9, phonesUnknown().table().wide(15), unknownByModel().wide(9))),
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
	return stat("Up to date", "Share of the PBXs that run the newest firmware that YCM lists for their region.", "percentunit",
		now("(sum("+byBehind(newestRuns)+") or 0 * sum("+byBehind()+")) / sum("+byBehind()+")")).decimals(0)
}

// behind lists the PBXs that can be updated. While a PBX is updated two exporters may disagree about its version.
func behind() list {
	version := "group_left (version) topk by (account, cloud_pbx_id) (1, " + selector("ycm_cloud_pbx_info", inRegion) + ")"
	return list{
		title: "Firmware updates", colour: busy, unit: "locale", worst: "Behind", descending: true, witness: each("ycm_cloud_pbx_firmware_versions_behind"),
		description: "PBXs for whose region YCM lists newer firmware, those that are the most versions behind first.",
		vector:      "(" + each("ycm_cloud_pbx_firmware_versions_behind") + " > 0) * on (account, cloud_pbx_id) " + version,
		columns:     pbxColumns(col("version", "Version", width(110)), col("Value", "Behind", width(80))),
	}
}

func farBehind() Panel {
	return stat("Far behind", "PBXs that are as many versions behind as the threshold of the rules, 3 by default, or more.", "locale",
		now(farBehindCount())).problem(warning).opens("Firmware updates")
}

func versionsInUse() Panel {
	return stat("Versions in use", "Number of different versions in the fleet.", "locale",
		now("count(count by (version) ("+recorded("account_region_group_version:ycm_cloud_pbxs:count", `version!=""`)+"))"))
}

func updatesUnknown() Panel {
	return stat("Updates unknown", "PBXs whose region or version is not in YCM's firmware list: their updates are unknown.", "locale",
		now("sum("+pbxs()+") - sum("+byBehind()+")")).problem(warning)
}

func versionsByRegion() Panel {
	return table("PBXs by region and version", "Number of PBXs by region and version, the newest version first.", "locale",
		rows(inOrder(withRegion(asRegion("sum by (version, place) ("+onePlace(recorded("account_region_group_version:ycm_cloud_pbxs:count"))+")"))))).
		matrix("region", "version", "Region", "order", true).sorted("Region", false)
}

func versionsBehind() Panel {
	return columnChart("Versions behind", "Number of PBXs by the number of versions that they are behind the newest of their region. 0 is up to date.", "locale", "behind",
		rows("sum by (behind) ("+byBehind()+")")).
		axis("PBXs").option("xTickLabelSpacing", 0).titled(map[string]string{"Value": "PBXs"}).
		converted("behind", "number").sortedBy("behind", false).converted("behind", "string").
		series("PBXs", inColour(busy))
}

func firmwareAvailability() Panel {
	return table("Firmware availability by region", "The PBX firmware versions that YCM lists for each region.", "none",
		rows(inOrder(withRegion(asRegion("max by (version, place) ("+onePlace(listed("ycm_firmware_available"))+")"))))).
		mapped(word(1, "✓", plain)).stepped(plain).custom("align", "center").custom("cellOptions", map[string]any{"type": "color-text"}).
		matrix("region", "version", "Region", "order", true).sorted("Region", false)
}

func newest() Panel {
	return table("Newest by region", "The newest PBX firmware that YCM lists for each region.", "none",
		rows(withRegion(asRegion("max by (place, version) ("+onePlace(listed("ycm_firmware_latest_info"))+")")))).
		columns(col("region", "Region"), col("version", "Newest", width(140)), hidden("Value")).sorted("Region", false)
}

func behindOverTime() Panel {
	of := func(matcher string) string {
		return fmt.Sprintf("(sum(%s) or 0 * sum(%s))", byBehind(matcher), byBehind())
	}
	return timeseries("Firmware status over time", "PBXs that ran the newest firmware of their region, and PBXs that were behind.", "locale",
		over(of(newestRuns), "up to date"), over(of(newerIs)+" - "+farBehindCount(), "behind"), over(farBehindCount(), "far behind")).
		axis("PBXs").stacked().custom("lineInterpolation", "stepAfter").
		series("up to date", inColour(good)).series("behind", inColour(busy)).series("far behind", inColour(warning))
}

func versionsOverTime() Panel {
	return timeseries("PBXs by version over time", "Number of PBXs by version, the oldest version at the bottom.", "locale",
		over(inOrder("sum by (version) ("+recorded("account_region_group_version:ycm_cloud_pbxs:count")+")"), "{{version}}")).
		axis("PBXs").stacked().custom("lineInterpolation", "stepAfter")
}
