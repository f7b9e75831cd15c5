package main

import (
	"fmt"
	"strings"
)

// changesDashboard compares the fleet now with the fleet at the start of the time range.
func changesDashboard() Dashboard {
	d := dashboard("ycm-changes", "What changed in the fleet over the time range: PBXs created, deleted, upgraded, renamed, moved, with another plan or capacity, restarted.",
		"24h", "5m", accountVariable, regionVariable, groupVariable)
	d.Panels = place(
		across(bannerHeight, freshness()),
		across(4, changesByKind().wide(columns)),
		across(14, changesList().wide(columns)),
		across(7, pbxsOverTime(), versionsOverTime()),
	)
	return d
}

// fleetInfo is the metadata of the PBXs that are chosen; before is the same at the start of the time range.
func fleetInfo(labels string) string {
	return "max by (account, cloud_pbx_id, " + labels + ") (" + selector("ycm_cloud_pbx_info", inGroup) + ")"
}

func before(metric string) string { return selector(metric, inAccount) + " offset $__range" }

// changed are the PBXs with another value of a label than before, with both in the labels was and now.
func changed(kind, label string) string {
	labels := "name, region"
	if label != "name" && label != "region" {
		labels += ", " + label
	}
	old := "topk by (account, cloud_pbx_id) (1, max by (account, cloud_pbx_id, " + label + ") (" + before("ycm_cloud_pbx_info") + "))"
	differs := fmt.Sprintf("(%s unless on (account, cloud_pbx_id, %s) %s)", fleetInfo(labels), label, before("ycm_cloud_pbx_info"))
	pair := fmt.Sprintf(`label_replace(%s, "now", "$1", "%s", "(.*)") * on (account, cloud_pbx_id) group_left (was) label_replace(%s, "was", "$1", "%s", "(.*)")`, differs, label, old, label)
	return change(kind, "-1 * ("+pair+")")
}

// change is one kind of change, its value the time in milliseconds, or negative.
func change(kind, vector string) string {
	return labelled("max by (account, cloud_pbx_id, name, region, was, now) ("+vector+")", "change", kind)
}

// resized are the PBXs with another capacity than before.
func resized(kind, metric, divisor string) string {
	value := "(" + each(metric) + divisor + ")"
	old := "(max by (account, cloud_pbx_id) (" + before(metric) + ")" + divisor + ")"
	return change(kind, fmt.Sprintf(`-1 * count_values by (%s) ("now", %s != on (account, cloud_pbx_id) group_left () %s)`+
		` * on (account, cloud_pbx_id) group_left (was) count_values by (account, cloud_pbx_id) ("was", %s != on (account, cloud_pbx_id) max by (account, cloud_pbx_id) (%s))`,
		identity, value, old, old, value))
}

// allChanges are those of the time range.
func allChanges() string {
	created := "(" + each("ycm_cloud_pbx_created_timestamp_seconds") + " > time() - $__range_s)"
	then := "on (account, cloud_pbx_id) " + before("ycm_cloud_pbx_info")
	up := each("ycm_cloud_pbx_uptime_seconds")
	return "(" + strings.Join([]string{
		change("created", "1000 * "+created),
		change("appeared in list", "-1 * ("+fleetInfo("name, region")+" unless "+then+" unless on (account, cloud_pbx_id) "+created+" and on (account) "+before("ycm_cloud_pbx_info")+")"),
		change("disappeared", "-1 * (topk by (account, cloud_pbx_id) (1, max by ("+identity+") (last_over_time("+selector("ycm_cloud_pbx_info", inGroup)+
			"[$__range]))) unless on (account, cloud_pbx_id) "+selector("ycm_cloud_pbx_info", inAccount)+" and on (account) "+account("ycm_cloud_pbxs")+")"),
		changed("upgraded", "version"), changed("renamed", "name"), changed("moved to another region", "region"),
		changed("moved to another group", "group"), changed("plan changed", "plan"),
		resized("concurrent calls changed", "ycm_cloud_pbx_concurrent_calls_capacity", ""),
		resized("extensions changed", "ycm_cloud_pbx_extensions_capacity", ""),
		resized("recording hours changed", "ycm_cloud_pbx_recording_capacity_seconds", " / 3600"),
		change("restarted", "1000 * (time() - ("+up+" < $__range_s))"),
	}, " or ") + ")"
}

func changesByKind() Panel {
	return stat("Changes by kind", "Number of changes over the time range, by kind. PBXs whose group is not chosen are left out. Restarts need the collector pbx_api.", "locale",
		named("sort_desc(count by (change) ("+allChanges()+"))", "{{change}}"), named("0 * sum("+pbxs()+") unless on () "+allChanges(), "changes")).
		option("textMode", "value_and_name").option("orientation", "vertical").series("changes", inColour(good), property("mappings", []Mapping{word(0, "none", good)}))
}

func changesList() Panel {
	never := Mapping{Type: "value", Options: map[string]any{"-1": result{Text: "–"}}}
	return table("Changes", "Changes between the start and the end of the time range; what changed and changed back is not listed. When: only creations and restarts have a time. The PBX dashboard marks upgrades.", "none",
		rows(orNone(fmt.Sprintf("topk(%d, %s)", most, allChanges()), pbxs()))).
		columns(col("change", "Change", width(210), property("custom.filterable", true)),
			col("name", "PBX", atLeast(150), property("links", []Link{{Title: "Open this PBX", URL: pbxPage}})),
			col("was", "Before", atLeast(110)), col("now", "Now", atLeast(110)),
			col("Value", "When", width(140), unit(sinceUnit), property("mappings", []Mapping{never, blank})),
			col("region", "Region", regionNames(), atLeast(100)), hidden("account"), hidden("cloud_pbx_id")).
		sorted("Change", false)
}

func pbxsOverTime() Panel {
	return timeseries("PBXs over time, by account", "Number of PBXs in YCM's list.", "locale",
		over("sum by (account) ("+pbxs()+")", "{{account}}")).
		axis("PBXs").custom("lineInterpolation", "stepAfter")
}
