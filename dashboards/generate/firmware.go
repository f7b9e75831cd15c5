package main

// listed is the metric of the PBX firmware that YCM lists. YCM spells some regions one way in the list of PBXs and another
// way in the list of regions: China(Guangdong) and China(GuangDong).
func listed(metric string) string {
	return selector(metric, inAccount, "region=~`(?i)${region:regex}`", `firmware_type="pbx"`)
}

// firmware is for planning upgrades: who runs what, who is behind, what can be had where.
func firmware() Dashboard {
	d := dashboard("ycm-firmware", "The firmware of the Cloud PBXs: versions by region, how far behind they are, what is available where.",
		"7d", "5m", accountVariable, regionVariable, groupVariable)
	d.Panels = place(
		across(4, firmwareCounts()...),
		across(9, versionsByRegion().wide(16), versionsBehind().wide(8)),
		across(9, availability().wide(16), furthestBehind().wide(8)),
		across(8, versionsOverTime().wide(16), newest().wide(8)),
	)
	return d
}

func firmwareCounts() []Panel {
	update := fleet("ycm_cloud_pbx_firmware_update_available")
	behind := fleet("ycm_cloud_pbx_firmware_versions_behind")
	return []Panel{
		stat("Up to date", "Which part of the PBXs runs the newest firmware that YCM lists for their region.", "percentunit",
			now("1 - avg("+update+")")).decimals(0).stepped(warning, at(0.5, busy), at(0.9, good)).empty("not known").wide(4),
		stat("Can be updated", "PBXs for whose region YCM lists a newer firmware than the one they run.", "locale",
			now("sum("+update+") or vector(0)")).stepped(good, at(1, busy)).mapped(word(0, "none", good)).wide(4),
		stat("3 or more versions behind", "PBXs for whose region YCM lists at least 3 versions that are newer than the one they run.", "locale",
			now(count(behind+" >= 3"))).problem(warning).wide(4),
		stat("Most versions behind", "How many newer versions YCM lists for the PBX that is furthest behind.", "locale",
			now("max("+behind+")")).stepped(good, at(1, busy), at(3, warning)).empty("not known").wide(4),
		stat("Versions in use", "How many versions the fleet is spread over. Each needs its own care.", "locale",
			now("count(count by (version) ("+info(`version!=""`)+"))")).stepped(good, at(3, busy), at(5, warning)).empty("none").wide(4),
		stat("Cannot be compared", "PBXs whose region or version is not in what YCM lists, so that nobody can say whether they are up to date.", "locale",
			now(count(info()+" unless on (account, cloud_pbx_id) "+of("ycm_cloud_pbx_firmware_versions_behind")))).problem(warning).wide(4),
	}
}

func versionsByRegion() Panel {
	return table("PBXs by region and version", "How many PBXs of each region run each version.", "locale",
		rows(inOrder(withRegion("count by (version, region) ("+info()+")")))).
		matrix("region", "version", "Region", "order", true).sorted("Region", false).empty("none")
}

func versionsBehind() Panel {
	return columnChart("Behind by how many versions", "How many PBXs are how many versions behind the newest of their region. 0 is up to date.", "locale", "behind",
		rows(orRow("count_values(\"behind\", "+fleet("ycm_cloud_pbx_firmware_versions_behind")+")", "behind", "0"))).
		titled(map[string]string{"Value": "PBXs"}).
		converted("behind", "number").sortedBy("behind", false).converted("behind", "string").
		series("PBXs", inColour(busy))
}

func availability() Panel {
	return table("Available where", "In which regions YCM lists which PBX firmware. YCM lists some for a region that it does not name.", "none",
		rows(inOrder(withRegion("max by (version, region) ("+listed("ycm_firmware_available")+")")))).
		mapped(word(1, "✓", good)).stepped(unknown).custom("align", "center").custom("cellOptions", map[string]any{"type": "color-text"}).
		matrix("region", "version", "Region", "order", true).sorted("Region", false).empty("none listed")
}

func furthestBehind() Panel {
	behind := fleet("ycm_cloud_pbx_firmware_versions_behind")
	version := "* on (account, cloud_pbx_id) group_left (version) max by (account, cloud_pbx_id, version) (" + of("ycm_cloud_pbx_info") + ")"
	return table("Furthest behind", "PBXs for whose region YCM lists most newer versions. At most 50.", "locale",
		rows("max by ("+identity+", version) (topk(50, "+behind+") "+version+")")).
		columns(narrowPBXColumns(
			col("version", "Runs", width(110)),
			col("Value", "Behind", append(inSteps(good, at(1, busy), at(3, warning)), width(90))...))...).
		sorted("Behind", true).empty("none")
}

func versionsOverTime() Panel {
	return timeseries("PBXs by version over time", "How many PBXs ran each version: how a new one spreads.", "locale",
		over("count by (version) ("+info()+")", "{{version}}")).
		stacked().custom("lineInterpolation", "stepAfter").coarse(120, "1m")
}

func newest() Panel {
	return table("Newest by region", "The newest PBX firmware that YCM lists for each region, and how many PBXs there do not run it yet. A region that YCM spells in two ways has two rows.", "locale",
		rows(orRow(withRegion("max by (region, version) ("+listed("ycm_firmware_latest_info")+")"), "region", "none listed")),
		rows("sum by (region) ("+fleet("ycm_cloud_pbx_firmware_update_available")+")")).
		merged().
		columns(col("region", "Region"), col("version", "Newest", width(120)), hidden("Value #A"),
			col("Value #B", "Not yet there", append(inSteps(unknown, at(0, good), at(1, busy)), width(120))...)).
		sorted("Region", false)
}
