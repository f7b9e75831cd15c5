package main

import (
	"fmt"
	"strings"
)

// resources are what a plan limits, with their titles.
var resources = []struct{ name, title string }{{"calls", "Calls"}, {"extensions", "Extensions"}, {"recording", "Recording"}}

// capacity is for those who sell and renew: what is left of the pools, whose contract ends when, who needs more.
func capacity() Dashboard {
	d := dashboard("ycm-capacity", "Subscription pools, renewals of the next 90 days, and which Cloud PBXs run out of what, and when.",
		"7d", "5m", accountVariable, regionVariable, groupVariable)
	d.Panels = place(
		heading("Renewals"),
		across(4, renewalCounts()...),
		across(9, renewalCalendar().wide(12), renewals().wide(12)),
		heading("Pools of the accounts"),
		across(7, poolUse().wide(7), poolOverTime().wide(8), poolTerms().wide(9)),
		heading("Each PBX"),
		across(9, fullest("calls").wide(6), fullest("extensions").wide(6), fullest("recording").wide(6), runsOut().wide(6)),
		across(8, useDistribution().wide(12), users().wide(12)),
	)
	return d
}

// plan and term are when the plan of a PBX ends, and when the PBX itself does.
const (
	planEnd = "ycm_cloud_pbx_plan_expiration_timestamp_seconds"
	termEnd = "ycm_cloud_pbx_expiration_timestamp_seconds"
)

// ending is the PBXs of which a time lies between two days from now.
func ending(timestamp string, after, before int) string {
	return chosen(fmt.Sprintf("(%s > time() + %d < time() + %d)", of(timestamp), after*day, before*day))
}

func renewalCounts() []Panel {
	within := func(title, description string, after, before int, colour string) Panel {
		return stat(title, description, "locale", now(count(either(ending(planEnd, after, before), ending(termEnd, after, before))))).
			problem(colour).wide(4)
	}
	return []Panel{
		within("Ended", "PBXs whose plan or own term ended in the last 90 days.", -90, 0, bad),
		within("In 7 days", "PBXs whose plan or own term ends within 7 days.", 0, 7, bad),
		within("In 30 days", "PBXs whose plan or own term ends within 30 days.", 0, 30, warning),
		within("In 90 days", "PBXs whose plan or own term ends within 90 days.", 0, 90, busy),
		stat("Trials ending in 30 days", "Trial PBXs whose own term ends within 30 days: customers to win.", "locale",
			now(count(ending(termEnd, 0, 30)+" and on (account, cloud_pbx_id) "+info(`type="Trial"`)))).
			problem(busy).wide(4),
		stat("Subscription ends in", "How long the first of the accounts' subscriptions still runs.", "suffix: days",
			now("min("+daysUntil(account("ycm_subscription_expiration_timestamp_seconds"))+")")).
			decimals(0).stepped(unknown, at(-100*365, bad), at(7, warning), at(30, good)).empty("no end").wide(4),
	}
}

// Weeks begin on Monday; that of 1970-01-01 was a Thursday.
const monday = 4 * day

// weekOf is the first second of the week that a time is in.
func weekOf(time string) string {
	return fmt.Sprintf("(floor((%s - %d) / %d) * %d + %d)", time, monday, week, week, monday)
}

// byWeek counts the PBXs of which a time lies in each of the next 13 weeks, the weeks in milliseconds.
func byWeek(timestamp string) string {
	return fmt.Sprintf("count_values(\"week\", %s * 1000)", weekOf(ending(timestamp, 0, 90)))
}

// noneInWeeks is 0 for each of the next 13 weeks, so that a week without renewals has its place.
func noneInWeeks() string {
	weeks := make([]string, 13)
	for i := range weeks {
		weeks[i] = fmt.Sprintf("count_values(\"week\", %s * 1000) * 0", weekOf(fmt.Sprintf("vector(time() + %d)", i*week)))
	}
	return strings.Join(weeks, " or ")
}

func renewalCalendar() Panel {
	return columnChart("Renewals calendar", "How many plans and PBXs end in each week of the next 90 days, by the Monday of the week. A PBX whose plan ends as well is in both.", "locale", "week",
		rows(byWeek(planEnd)+" or "+noneInWeeks()), rows(byWeek(termEnd))).
		joined("week").titled(map[string]string{"Value #A": "Plans", "Value #B": "PBXs"}).
		converted("week", "number", "time").sortedBy("week", false).
		series("week", unit("time:D MMM")).
		series("Plans", inColour(busy)).series("PBXs", inColour(past)).stacked()
}

func renewals() Panel {
	dated := func(timestamp, what string) string { return labelled(ending(timestamp, 0, 90), "what", what) }
	return table("Renewals in the next 90 days", "Plans and PBXs that end within 90 days, the next ones first. At most 200.", "none",
		rows(bottom(200, identity+", what", either(dated(planEnd, "plan"), dated(termEnd, "PBX")))+" * 1000")).
		columns(pbxColumns(col("what", "What", width(70)), col("Value", "Ends", width(170), unit("dateTimeAsIso")))...).
		sorted("Ends", false).empty("none")
}

// pool is a subscription metric of a resource; kind is used, capacity or available.
func pool(resource, kind string) string {
	switch resource {
	case "calls":
		return account("ycm_subscription_concurrent_calls_" + kind)
	case "recording":
		return account("ycm_subscription_recording_" + kind + "_seconds")
	default:
		return account("ycm_subscription_" + resource + "_" + kind)
	}
}

// poolShares is which part of its pools each account has given to PBXs.
func poolShares(target func(expr, legend string) Target) []Target {
	var targets []Target
	for _, r := range resources {
		targets = append(targets, target(fmt.Sprintf("max by (account) (%s / (%s > 0))", pool(r.name, "used"), pool(r.name, "capacity")), "{{account}}: "+strings.ToLower(r.title)))
	}
	return targets
}

func poolUse() Panel {
	return bars("Use of the pools", "Which part of what each account has subscribed to is given to PBXs.", "percentunit", 1, poolShares(named)...).
		stepped(good, at(0.8, warning), at(0.9, bad)).decimals(0).empty("no pool")
}

func poolOverTime() Panel {
	return timeseries("Use of the pools over time", "Which part of what each account has subscribed to was given to PBXs.", "percentunit", poolShares(over)...).
		custom("fillOpacity", 0).empty("no pool")
}

// poolTerms is a table of what each account has subscribed to, with a row for each thing.
func poolTerms() Panel {
	left := func(metric, what string) string { return labelled(account(metric), "what", what) }
	byPlan := func(metric, what string) string {
		return fmt.Sprintf("label_replace(%s, \"what\", \"%s: $1\", \"plan\", \"(.*)\")", account(metric), what)
	}
	pools := make([]string, len(resources))
	for i, r := range resources {
		pools[i] = labelled(pool(r.name, "available"), "what", r.title+" left")
	}
	pools[2] = labelled(pool("recording", "available")+" / 3600", "what", "Recording left, hours")
	pools = append(pools,
		byPlan("ycm_subscription_plan_cloud_pbxs", "PBXs"),
		byPlan("ycm_subscription_plan_extensions", "Extensions"),
		left("ycm_subscription_remote_connections_capacity", "Remote connections"),
		left("ycm_subscription_remote_connections_used", "Remote connections used"))
	return table("Subscriptions", "What is left in each account's pools, what is used by plan, and in how many days its terms end.", "locale",
		rows("max by (account, what) ("+either(append(pools,
			labelled(daysUntil(account("ycm_subscription_expiration_timestamp_seconds")), "what", "Days until the subscription ends"),
			labelled(daysUntil(account("ycm_subscription_recording_expiration_timestamp_seconds")), "what", "Days until recording ends"),
			labelled("min by (account) ("+daysUntil(account("ycm_subscription_remote_management_expiration_timestamp_seconds"))+")", "what", "Days until remote management ends"))...)+")")).
		decimals(0).
		columns(col("account", "Account", width(110)), col("what", "What"), col("Value", "Number", width(90))).
		empty("no pool")
}

// fullest lists the PBXs that use most of a resource. Of calls it is the peak that counts.
func fullest(resource string) Panel {
	vector, title, description := use(resource), "", ""
	switch resource {
	case "calls":
		used, capacity := usedAndCapacity(resource)
		vector = chosen("(max_over_time(" + of(used) + "[1d:15m]) or " + of(used) + ") / (" + of(capacity) + " > 0)")
		title, description = "Calls: peak of 24 hours", "PBXs whose calls came nearest to what they may carry at once in the last 24 hours, looked at each 15 minutes. At most 20."
	case "extensions":
		title, description = "Extensions", "PBXs that use most of the extensions that their plan allows. At most 20."
	case "recording":
		title, description = "Recording", "PBXs that use most of the recording time that their plan allows. At most 20."
	}
	return table(title, description, "percentunit", rows(top(20, identity, vector))).decimals(0).
		columns(narrowPBXColumns(col("Value", "Used", append(asBar(at(0.8, warning), at(0.9, bad)), width(130))...))...).
		sorted("Used", true).empty("none")
}

// daysLeft is in how many days a resource is used up if it goes on as in the last 7 days, read at 28 points so that
// the query stays cheap in a big fleet. A fleet that was not watched for so long is judged by its last hour.
func daysLeft(resource string) string {
	used, capacity := usedAndCapacity(resource)
	growth := fmt.Sprintf("(deriv(%s[7d:6h]) or deriv(%s[1h:2m]))", of(used), of(used))
	return chosen(fmt.Sprintf("(%s - %s) / (%s > 0) / %d", of(capacity), of(used), growth, day))
}

func runsOut() Panel {
	return table("Runs out when", "PBXs whose extensions or recording time are used up first, if use grows on as in the last 7 days (or the last hour, if no more is known). At most 20.", "suffix: d",
		rows(bottom(20, identity+", what", either(
			labelled(daysLeft("recording"), "what", "rec."), labelled(daysLeft("extensions"), "what", "ext."))))).
		decimals(0).mapped(from(3650, "> 10 years", good)).
		columns(narrowPBXColumns(col("what", "What", width(55)), col("Value", "In", append(inSteps(bad, at(7, warning), at(30, good)), width(90))...))...).
		sorted("In", false).empty("nothing in sight")
}

func useDistribution() Panel {
	tenths := func(resource string) Target {
		return rows(orRow(fmt.Sprintf("count_values(\"use\", clamp(floor(%s * 10) * 10, 0, 100))", use(resource)), "use", "0"))
	}
	return columnChart("How full the PBXs are", "How many PBXs use how much of their calls, extensions and recording time now: under 10 %, 10 to 19 %, and so on.", "locale", "use",
		tenths("calls"), tenths("extensions"), tenths("recording")).
		joined("use").titled(map[string]string{"Value #A": "Calls", "Value #B": "Extensions", "Value #C": "Recording"}).
		converted("use", "number").sortedBy("use", false).converted("use", "string").
		series("use", unit("percent")).
		series("Calls", inColour(busy)).series("Extensions", inColour(good)).series("Recording", inColour(past))
}

func users() Panel {
	value := func(metric string) Target {
		return rows("max by (account, user_id) (" + account(metric) + ")")
	}
	return table("Colleagues and resellers", "What each YCM user manages. The collector users asks for it; it is off by default.", "locale",
		rows(orRow("max by (account, user_id, company, user_type) ("+account("ycm_user_info")+")", "company", notAsked)),
		value("ycm_user_cloud_pbxs"),
		rows("max by (account, user_id) ("+account("ycm_user_extensions_used")+" / ("+account("ycm_user_extensions_capacity")+" > 0))"),
		rows("max by (account, user_id) ("+account("ycm_user_concurrent_calls_used")+" / ("+account("ycm_user_concurrent_calls_capacity")+" > 0))"),
		rows("max by (account, user_id) ("+account("ycm_user_recording_used_seconds")+" / ("+account("ycm_user_recording_capacity_seconds")+" > 0))")).
		merged().
		columns(col("account", "Account", width(100)), col("company", "Company"), hidden("user_type"), hidden("user_id"),
			hidden("Value #A"), col("Value #B", "PBXs", width(70)),
			col("Value #C", "Extensions", append(asBar(at(0.8, warning), at(0.9, bad)), unit("percentunit"), property("decimals", 0))...),
			col("Value #D", "Calls", append(asBar(at(0.8, warning), at(0.9, bad)), unit("percentunit"), property("decimals", 0))...),
			col("Value #E", "Recording", append(asBar(at(0.8, warning), at(0.9, bad)), unit("percentunit"), property("decimals", 0))...)).
		sorted("PBXs", true)
}
