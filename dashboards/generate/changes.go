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

// fleetInfo is the metadata of the PBXs that are chosen; before is a metric at the start of the time range.
func fleetInfo(labels string) string {
	return "max by (account, cloud_pbx_id, " + labels + ") (" + selector("ycm_cloud_pbx_info", inGroup) + ")"
}

func before(metric string) string { return selector(metric, inAccount) + " offset $__range" }

// change is a kind of change: a series for each, with the labels was and now, and the times of all PBXs from which the value is taken.
type change struct{ kind, vector, times string }

// found is a series of the value 1 for each change.
func (c change) found() string {
	return labelled("(1 + 0 * max by (account, cloud_pbx_id, name, region, was, now) ("+c.vector+"))", "change", c.kind)
}

// timed has the time of each change in milliseconds.
func (c change) timed() string {
	return "1000 * " + c.found() + " * on (account, cloud_pbx_id) group_left () max by (account, cloud_pbx_id) (" + c.times + ")"
}

// inMoments evaluates an expression at many moments of the time range. It is read for every PBX: 150 moments, every 10 minutes of a day.
func inMoments(function, expr string) string {
	return function + "_over_time((" + expr + ")[$__range:$__interval])"
}

const moments = 150

// firstSeen is when a metric of a PBX first had its present labels and, if it is compared with that, value.
func firstSeen(metric, compared string) string {
	return "(" + inMoments("min", "timestamp("+metric+compared+")") + " or timestamp(" + metric + "))"
}

// relabelled are the PBXs with another value of a label than before.
func relabelled(kind, label string) change {
	labels := "name, region"
	if label != "name" && label != "region" {
		labels += ", " + label
	}
	same := "on (account, cloud_pbx_id, " + label + ") "
	old := "topk by (account, cloud_pbx_id) (1, max by (account, cloud_pbx_id, " + label + ") (" + before("ycm_cloud_pbx_info") + "))"
	differs := fmt.Sprintf("(%s unless %s%s)", fleetInfo(labels), same, before("ycm_cloud_pbx_info"))
	return change{
		kind,
		fmt.Sprintf(`label_replace(%s, "now", "$1", "%s", "(.*)") * on (account, cloud_pbx_id) group_left (was) label_replace(%s, "was", "$1", "%[2]s", "(.*)")`, differs, label, old),
		"min by (account, cloud_pbx_id, " + label + ") (" + firstSeen(selector("ycm_cloud_pbx_info", inGroup), "") + ") and " + same + differs,
	}
}

// resized are the PBXs with another capacity than before.
func resized(kind, metric, divisor string) change {
	value := "round(" + each(metric) + divisor + ")"
	old := "round(max by (account, cloud_pbx_id) (" + before(metric) + ")" + divisor + ")"
	return change{
		kind,
		fmt.Sprintf(`count_values by (%s) ("now", %s != on (account, cloud_pbx_id) group_left () %s)`+
			` * on (account, cloud_pbx_id) group_left (was) count_values by (account, cloud_pbx_id) ("was", %s != on (account, cloud_pbx_id) max by (account, cloud_pbx_id) (%s))`,
			identity, value, old, old, value),
		firstSeen(selector(metric, inRegion), " == on (account, cloud_pbx_id) group_left () max by (account, cloud_pbx_id) ("+selector(metric, inRegion)+" @ end())"),
	}
}

// fleetChanges are those of the time range.
func fleetChanges() []change {
	created := "(" + each("ycm_cloud_pbx_created_timestamp_seconds") + " > time() - $__range_s)"
	then := "on (account, cloud_pbx_id) " + before("ycm_cloud_pbx_info")
	up := each("ycm_cloud_pbx_uptime_seconds")
	info := selector("ycm_cloud_pbx_info", inGroup)
	return []change{
		{"created", created, created},
		{"added to the list", "(" + fleetInfo("name, region") + " unless " + then + " unless on (account, cloud_pbx_id) " + created + " and on (account) " + before("ycm_cloud_pbx_info") + ")", firstSeen(info, "")},
		{"deleted", "(topk by (account, cloud_pbx_id) (1, max by (" + identity + ") (" + inMoments("max", info) + ")) unless on (account, cloud_pbx_id) " +
			selector("ycm_cloud_pbx_info", inAccount) + " and on (account) " + account("ycm_cloud_pbxs") + ")", inMoments("max", "timestamp("+info+")")},
		relabelled("upgraded", "version"), relabelled("renamed", "name"), relabelled("moved to another region", "region"),
		relabelled("moved to another group", "group"), relabelled("plan changed", "plan"),
		resized("concurrent calls changed", "ycm_cloud_pbx_concurrent_calls_capacity", ""),
		resized("extensions changed", "ycm_cloud_pbx_extensions_capacity", ""),
		resized("recording hours changed", "ycm_cloud_pbx_recording_capacity_seconds", " / 3600"),
		{"restarted", "(" + up + " < $__range_s)", "time() - " + up},
	}
}

// all joins what a function gives for each kind of change.
func all(of func(change) string) string {
	var kinds []string
	for _, c := range fleetChanges() {
		kinds = append(kinds, of(c))
	}
	return "(" + strings.Join(kinds, " or ") + ")"
}

// compared exists if both ends of the time range have data. Without a start only creations and restarts are known.
func compared() string { return pbxs() + " and on (account) " + before("ycm_cloud_pbxs") }

const noStart = "no data at the start of the time range"

func notCompared() string {
	return "max by (account) (" + account("ycm_cloud_pbxs") + ") unless on (account) " + before("ycm_cloud_pbxs")
}

func changesByKind() Panel {
	found := all(change.found)
	p := stat("Changes by kind", "Number of changes over the time range, by kind. PBXs whose group is not chosen are left out. Restarts need the collector pbx_api.", "locale",
		named("sort_desc(count by (change) ("+found+"))", "{{change}}"), named("0 * sum("+compared()+") unless on () "+found, "changes"),
		named("0 * count("+notCompared()+") - 1", noStart)).
		option("textMode", "value_and_name").option("orientation", "vertical").
		series("changes", inColour(good), property("mappings", []Mapping{word(0, "none", good)})).
		series(noStart, inColour(warning), property("mappings", []Mapping{word(-1, "incomplete", warning)}))
	p.MaxDataPoints = moments
	return p
}

func changesList() Panel {
	never := Mapping{Type: "value", Options: map[string]any{"-1": result{Text: "–"}}}
	incomplete := fmt.Sprintf(`label_replace(-1 + 0 * %s, "change", "%s: account $1", "account", "(.*)")`, notCompared(), noStart)
	p := table("Changes", "Differences between the start and the end of the time range, the last first; what changed and changed back is not listed. "+
		"When: creations and restarts exactly, others within 10 minutes in a range of 24 hours, within an hour in 7 days.", "none",
		rows(orNone(fmt.Sprintf("topk(%d, %s) or %s", most, all(change.timed), incomplete), compared()))).
		columns(col("Value", "When", width(140), unit("time:ddd D MMM HH:mm"), property("mappings", []Mapping{never, blank})),
			col("change", "Change", atLeast(260), property("custom.filterable", true)),
			col("name", "PBX", atLeast(150), property("links", []Link{{Title: "Open this PBX", URL: pbxPage}})),
			col("was", "Before", atLeast(110)), col("now", "Now", atLeast(110)),
			col("region", "Region", regionNames(), atLeast(170)), hidden("account"), hidden("cloud_pbx_id")).
		sorted("When", true)
	p.MaxDataPoints = moments
	return p
}

func pbxsOverTime() Panel {
	return timeseries("PBXs over time, by account", "Number of PBXs in YCM's list.", "locale",
		over("sum by (account) ("+pbxs()+")", "{{account}}")).
		axis("PBXs").custom("lineInterpolation", "stepAfter")
}
