package main

import "fmt"

// licences are what an account subscribes to, with the metrics of what is used and what there is.
var licences = []struct{ name, used, capacity, divisor string }{
	{"calls", "concurrent_calls_used", "concurrent_calls_capacity", ""},
	{"extensions", "extensions_used", "extensions_capacity", ""},
	{"recording, hours", "recording_used_seconds", "recording_capacity_seconds", " / 3600"},
	{"remote connections", "remote_connections_used", "remote_connections_capacity", ""},
}

func subscription(metric string) string {
	return "max by (account) (" + account("ycm_subscription_"+metric) + ")"
}

// licenceShare is which part of a licence each account has used.
func licenceShare(used, capacity string) string {
	return fmt.Sprintf("max by (account) (%s / (%s > 0))", account("ycm_subscription_"+used), account("ycm_subscription_"+capacity))
}

// licenceUse is orange from the threshold of the rules on.
func licenceUse() Panel {
	var targets []Target
	for _, l := range licences {
		share, full := licenceShare(l.used, l.capacity), "on (account) ycm:threshold:pool_ratio"
		targets = append(targets,
			named("("+share+" >= "+full+")", "{{account}}: "+l.name+", nearly used up"),
			named(share+" unless on (account) ("+share+" >= "+full+")", "{{account}}: "+l.name))
	}
	return bars("Licences used", "Share of what each account subscribes to that is assigned to PBXs; orange from the threshold of the rules, 90 % by default.", targets...).
		matching("/nearly used up$/", inColour(warning)).decimals(0)
}

func licencesOverTime() Panel {
	var targets []Target
	for _, l := range licences {
		targets = append(targets, over(licenceShare(l.used, l.capacity), "{{account}}: "+l.name))
	}
	return timeseries("Licences used over time", "Share of what each account subscribes to that was assigned to PBXs.", "percentunit", targets...).
		axis("used").custom("fillOpacity", 0).limits(0, 1)
}

// licencesLeft goes by the growth of the last 7 days; less than two days of history is not enough.
func licencesLeft() Panel {
	column := func(title string, of func(used, capacity, divisor string) string) Target {
		rows := make([]string, len(licences))
		for i, l := range licences {
			rows[i] = labelled("max by (account) ("+of(l.used, l.capacity, l.divisor)+")", "licence", l.name)
		}
		return inColumn(title, "("+either(rows...)+")")
	}
	left := func(used, capacity, divisor string) string {
		return "(" + subscription(capacity) + " - " + subscription(used) + ")" + divisor
	}
	days := func(used, capacity, _ string) string {
		raw := account("ycm_subscription_" + used)
		growth := "max by (account) (deriv(" + raw + "[7d]) and " + raw + " offset 2d)"
		return fmt.Sprintf("%s / (%s > 0) / %d < 3650", left(used, capacity, ""), growth, day)
	}
	return table("Licences left", "What is left of each account's subscription, and for how many days if use continues to grow as in the last 7 days. –: no growth, or less than 2 days of history.", "locale",
		column("Left", left), column("Lasts", days)).
		merged().decimals(0).
		columns(col("account", "Account", atLeast(75)), col("licence", "Licence", atLeast(140)),
			shown("Left", width(80)), shown("Lasts", width(90), unit("suffix: days"))).
		sorted("Lasts", false)
}

// subscriptionTerms has a row for each plan and each date.
func subscriptionTerms() Panel {
	row := func(metric, what string) string {
		return labelled("-max by (account) (-("+daysUntil(account("ycm_subscription_"+metric))+"))", "what", what)
	}
	byPlan := func(metric, what string) string {
		return fmt.Sprintf("label_replace(max by (account, plan) (%s), \"what\", \"%s: $1\", \"plan\", \"(.*)\")", account("ycm_subscription_plan_"+metric), what)
	}
	return table("Subscription plans and expiry", "PBXs and extensions by plan, and days until each part of the subscription expires; negative: it has expired.", "locale",
		rows("max by (account, what) ("+either(
			byPlan("cloud_pbxs", "PBXs"), byPlan("extensions", "Extensions"),
			row("expiration_timestamp_seconds", "Days until the subscription expires"),
			row("recording_expiration_timestamp_seconds", "Days until recording expires"),
			row("remote_management_expiration_timestamp_seconds", "Days until remote management expires"))+")")).
		decimals(0).columns(col("account", "Account", atLeast(75)), col("what", "What", atLeast(270)), col("Value", "Number", width(80)))
}
