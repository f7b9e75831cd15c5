package main

import (
	"fmt"
	"strings"
)

// capacity is for sales: which contracts end when, what is left of the licences, who needs more.
func capacity() Dashboard {
	d := dashboard("ycm-capacity", "For sales: what expires in the next 90 days, licences left, busy hour, and which Cloud PBXs need more or less capacity.",
		"7d", "5m", accountVariable, regionVariable, groupVariable)
	d.Panels = place(
		across(bannerHeight, freshness()),
		across(4, ended().tile(), endingSoon().tile(), endingLater(), subscriptionEnds()),
		across(8, renewalCalendar().wide(12), renewals().table().wide(12)),
		across(8, licenceUse().wide(7), licencesOverTime().wide(8), licencesLeft().wide(9)),
		across(9, busyHour().wide(12), moreCapacity().wide(6), lessCapacity().wide(6)),
		folded("Extensions, recording and projected exhaustion",
			across(9, fullest("extensions"), fullest("recording")),
			across(8, runsOut().wide(14), useDistribution().wide(10))),
		folded("Subscription, trials, users and resellers",
			across(9, subscriptionTerms().wide(16), trialsEnding().wide(8)),
			across(9, users().wide(columns))),
	)
	return d
}

// When the plan of a PBX ends, and when the PBX itself does.
const (
	planEnd = "ycm_cloud_pbx_plan_expiration_timestamp_seconds"
	termEnd = "ycm_cloud_pbx_expiration_timestamp_seconds"
)

// within are the PBXs of which a time lies in so many days from now on.
func within(days int, timestamp string) string {
	return fmt.Sprintf("(%s > time() < time() + %d)", each(timestamp), days*day)
}

// renewals are the plans and PBXs that end in the next 90 days.
func renewals() list {
	return list{
		title: "Expiring in 90 days", colour: busy, unit: "none", worst: "Expires", witness: pbxs(),
		description: "Plans and PBXs that expire within 90 days, the next ones first.",
		vector:      "(" + either(labelled(within(90, planEnd), "what", "plan"), labelled(within(90, termEnd), "what", "PBX")) + ") * 1000",
		columns:     pbxColumns(col("what", "What", width(70)), col("Value", "Expires", width(105), unit("time:YYYY-MM-DD"))),
	}
}

func endingLater() Panel { return renewals().tile() }

func trialsEnding() Panel {
	trial := selector("ycm_cloud_pbx_info", inGroup, `type="Trial"`)
	return stat("Trials expiring", "Trial PBXs that expire within 30 days.", "locale",
		now(number(within(30, termEnd)+" and on (account, cloud_pbx_id) "+trial, pbxs()))).problem(busy)
}

// subscriptionEnds is red when a subscription has expired; alerts report it in time.
func subscriptionEnds() Panel {
	left := "min(" + daysUntil(account("ycm_subscription_expiration_timestamp_seconds")) + ")"
	return stat("Subscription", "Days until the first of the accounts' subscriptions expires, or since it expired.", "suffix: days",
		named("("+left+") >= 0", "expires in"), named("-("+left+") > 0", "expired, days ago")).
		decimals(0).stepped(unknown, at(0, busy)).option("textMode", "value_and_name").series("expired, days ago", inColour(bad))
}

// Weeks begin on Monday; that of 1970-01-01 was a Thursday.
const monday = 4 * day

// weekOf is the first second of the week that a time is in.
func weekOf(time string) string {
	return fmt.Sprintf("(floor((%s - %d) / %d) * %d + %d)", time, monday, week, week, monday)
}

// byWeek counts the PBXs of which a time lies in each of the next 13 weeks, the weeks in milliseconds.
func byWeek(timestamp string) string {
	return fmt.Sprintf("count_values(\"week\", %s * 1000)", weekOf(within(90, timestamp)))
}

// noneInWeeks is 0 for each of the next 13 weeks, so that a week without renewals has its place; nothing if no PBX is known.
func noneInWeeks() string {
	weeks := make([]string, 13)
	for i := range weeks {
		weeks[i] = fmt.Sprintf("0 * count_values(\"week\", %s * 1000)", weekOf(fmt.Sprintf("(0 * sum(%s) + time() + %d)", pbxs(), i*week)))
	}
	return strings.Join(weeks, " or ")
}

func renewalCalendar() Panel {
	return columnChart("Renewals calendar", "Plans and PBXs that expire in each week of the next 90 days, by the Monday of the week.", "locale", "week",
		rows(byWeek(planEnd)+" or "+noneInWeeks()), rows(byWeek(termEnd))).
		joined("week").titled(map[string]string{"Value #A": "Plans", "Value #B": "PBXs"}).
		converted("week", "number", "time").sortedBy("week", false).
		series("week", unit("time:D MMM")).option("showValue", "never").
		series("Plans", inColour(busy)).series("PBXs", inColour(past)).stacked().axis("expiring")
}

// share is which part of a resource each PBX uses.
func (r resource) share() string {
	return each("ycm_cloud_pbx_"+r.used) + " / (" + each("ycm_cloud_pbx_"+r.capacity) + " > 0)"
}

// fullest lists the PBXs that use most of a resource.
func fullest(name string) Panel {
	for _, r := range resources {
		if r.name == name {
			return fullList(r.title+" in use: top 20", "PBXs that use most of what their plan allows.", r.share())
		}
	}
	panic("no resource " + name)
}

// hourlyPeaks are the most concurrent calls of each PBX in each hour of the last 7 days, as the rules record them.
func hourlyPeaks(function string) string {
	return "max by (account, cloud_pbx_id) (" + function + "_over_time(" + hourly + "[7d] @ end()))"
}

const hourly = "cloud_pbx:ycm_cloud_pbx_active_calls:max1h{" + inRegion + "}"

// hourlyKnown exists if the peaks of the accounts are recorded.
func hourlyKnown() string { return pbxs() + " and on (account) last_over_time(" + hourly + "[2h])" }

// ofCalls is a number of calls of each PBX in percent of its capacity.
func ofCalls(calls string) string {
	return "(" + calls + " / on (account, cloud_pbx_id) group_right () (" + each("ycm_cloud_pbx_concurrent_calls_capacity") + " > 0))"
}

// busyHour lists the peaks and when they were: the last of several equal ones. The hours of the rules begin at any minute.
func busyHour() Panel {
	highest := fmt.Sprintf("topk(%d, %s)", most, ofCalls(hourlyPeaks("max")))
	when := "max by (account, cloud_pbx_id) (max_over_time((time() - 3600 + 0 * (last_over_time(" + hourly + "[1h]) == on (account, cloud_pbx_id) group_left () (" +
		hourlyPeaks("max") + " > 0)))[7d:1h]))"
	of := func(vector string) string {
		return "0 * " + highest + " + on (account, cloud_pbx_id) group_left () " + vector
	}
	return table("Busy hour", fmt.Sprintf("Most concurrent calls of each PBX in 7 days, in percent of its capacity, a time within that hour, and the use now. Shows up to %d rows.", most), "percentunit",
		inColumn("Peak", orNone(highest, hourlyKnown())), inColumn("Calls", of(hourlyPeaks("max"))),
		inColumn("Busy hour", "1000 * ("+of(when)+")"),
		inColumn("Now", of("max by (account, cloud_pbx_id) ("+ofCalls("max by (account, cloud_pbx_id) ("+selector("ycm_cloud_pbx_active_calls", inRegion)+")")+")"))).
		merged().decimals(0).sortedBy("Peak", true).
		columns(col("name", "PBX", atLeast(215), property("links", []Link{{Title: "Open this PBX", URL: pbxPage}})),
			shown("Peak", append(asBar(busy), width(110), property("mappings", []Mapping{blank}))...), shown("Calls", width(55), unit("locale")),
			shown("Busy hour", width(135), unit("time:ddd D MMM HH:mm")), shown("Now", width(55)),
			col("region", "Region", regionNames(), atLeast(170)), hidden("account"), hidden("cloud_pbx_id"))
}

// moreCapacity is from the threshold of the rules on.
func moreCapacity() Panel {
	limit := "max by (account, cloud_pbx_id) (" + selector("ycm_cloud_pbx_info", inRegion) + " * on (account, group) group_left () ycm:threshold:calls_warning_ratio)"
	return candidates("("+ofCalls(hourlyPeaks("max"))+" >= on (account, cloud_pbx_id) group_left () "+limit+")",
		"Candidates for more capacity", "PBXs whose peak of concurrent calls in 7 days reached the threshold of the rules, 80 % by default.", true)
}

// lessCapacity leaves out what is too small, or was seen for too short a time, for a judgement.
func lessCapacity() Panel {
	seen := hourlyPeaks("count") + " >= 120"
	large := "(max by (account, cloud_pbx_id) (" + selector("ycm_cloud_pbx_concurrent_calls_capacity", inRegion) + ") >= 16)"
	return candidates("("+ofCalls("("+hourlyPeaks("max")+" and on (account, cloud_pbx_id) "+large+" and on (account, cloud_pbx_id) "+seen+")")+" < 0.25)",
		"Candidates for less capacity", "PBXs with capacity for 16 or more concurrent calls whose peak in 7 days stayed below 25 %. Only PBXs with data of at least 5 days.", false)
}

func candidates(vector, title, description string, descending bool) Panel {
	return worst(20, vector, hourlyKnown(), title, description, "percentunit", descending).decimals(0).
		columns(col("name", "", atLeast(215), property("links", []Link{{Title: "Open this PBX", URL: pbxPage}})),
			col("Value", "Peak", append(asBar(busy), width(130))...), hidden("region"), hidden("account"), hidden("cloud_pbx_id")).
		sorted("Peak", descending)
}

func fullList(title, description, vector string) Panel {
	return worst(20, vector, pbxs(), title, description, "percentunit", true).decimals(0).
		columns(pbxColumns(col("Value", "Used", append(asBar(busy), width(130))...))...).
		sorted("Used", true)
}

// runsOut goes by the history that the rules keep of PBXs that are more than half full: a sample each half hour, and at
// least two days of them.
func runsOut() Panel {
	left := func(series, what string) string {
		history := selector(series, inRegion)
		growth := "max by (" + identity + ") (deriv(" + history + "[7d]) and last_over_time(" + history + "[1h] offset 2d))"
		used := "max by (" + identity + ") " + whileListed("last_over_time("+history+"[1h])")
		return labelled(chosen(fmt.Sprintf("(1 - %s) / (%s > 0) / %d", used, growth, day)), "what", what)
	}
	return worst(20, "(("+either(left("cloud_pbx:ycm_cloud_pbx_recording:ratio", "recording"), left("cloud_pbx:ycm_cloud_pbx_extensions:ratio", "extensions"))+") < 3650)",
		pbxs(), "Projected exhaustion", "PBXs whose extensions or recording time run out first if use continues to grow as in the last 7 days. Only PBXs that have been more than half full for at least 2 days.", "suffix:d", false).
		decimals(0).
		columns(pbxColumns(col("what", "What", width(105)), col("Value", "In", width(70)))...).
		sorted("In", false)
}

func useDistribution() Panel {
	var targets []Target
	titles := map[string]string{}
	for i, r := range resources {
		targets = append(targets, rows("sum by (tenth) ("+recorded("account_region_group_tenth:ycm_cloud_pbx_"+r.name+":count")+")"))
		titles["Value #"+string(rune('A'+i))] = r.title
	}
	tenths := make([]Mapping, 11)
	for i := range tenths {
		tenths[i] = word(float64(i), fmt.Sprintf("%d %%", 10*i), busy)
	}
	return columnChart("PBXs by use of capacity", "Number of PBXs by use of their calls, extensions and recording time, in steps of 10 %: 0 % is below 10 %, 100 % is all of it.", "locale", "tenth", targets...).
		axis("PBXs").joined("tenth").titled(titles).
		converted("tenth", "number").sortedBy("tenth", false).converted("tenth", "string").
		series("tenth", property("mappings", tenths)).
		series("Calls", inColour(busy)).series("Extensions", inColour(plain)).series("Recording", inColour(past))
}

func users() Panel {
	by := func(title, expr string) Target { return inColumn(title, "max by (account, user_id) ("+expr+")") }
	share := func(title, used, capacity string) Target {
		return by(title, account(used)+" / ("+account(capacity)+" > 0)")
	}
	left := func(title, what string) Target {
		return by(title, account("ycm_user_"+what+"_capacity")+" - "+account("ycm_user_"+what+"_used"))
	}
	bar := append(asBar(busy), unit("percentunit"), property("decimals", 0), atLeast(95))
	return table("Users and resellers", "What each YCM user manages, subordinate users included. Needs the collector users.", "locale",
		inColumn("info", "max by (account, user_id, company) ("+account("ycm_user_info")+")"),
		by("PBXs", account("ycm_user_cloud_pbxs")),
		share("Extensions used", "ycm_user_extensions_used", "ycm_user_extensions_capacity"),
		share("Calls used", "ycm_user_concurrent_calls_used", "ycm_user_concurrent_calls_capacity"),
		share("Recording used", "ycm_user_recording_used_seconds", "ycm_user_recording_capacity_seconds"),
		left("Extensions left", "extensions"), left("Calls left", "concurrent_calls")).
		merged().
		columns(col("account", "Account", width(80)), col("company", "Company", atLeast(110)), hidden("user_id"),
			hidden("info"), shown("PBXs", width(65)),
			shown("Extensions left", width(120)), shown("Calls left", width(90)),
			shown("Extensions used", bar...), shown("Calls used", bar...), shown("Recording used", bar...)).
		sorted("PBXs", true).orOffRow("users", pbxs(), "company")
}
