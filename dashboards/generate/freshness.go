package main

import "strings"

// freshness is the banner at the top of every dashboard: the age of the data in green, else one line for each account with
// the most important problem and since when. It looks back a day, so that it still names an account whose exporter is gone.
func freshness() Panel {
	problems := dataProblems()
	queries := make([]string, len(problems))
	for i, p := range problems {
		queries[i] = p.query
	}
	trouble := strings.Join(queries, " or on (account) ")
	age := "topk(1, time() - " + lastRead() + ") unless on () (" + trouble + ")"

	var targets []Target
	for i, p := range problems {
		query := p.query
		for _, before := range problems[:i] {
			query = "(" + query + ") unless on (account) (" + before.query + ")"
		}
		targets = append(targets, named(query, "{{account}}: "+p.name))
	}
	targets = append(targets,
		named(age+" and on () count("+allowedAge()+")", "age of the data, {{account}}"),
		named(age+" unless on () count("+allowedAge()+")", "age of the data, {{account}} (recording rules missing)"))

	p := stat("Data freshness", "Age of the oldest PBX list of the accounts, green while everything works. Red: an exporter is not scraped, data was "+
		"withdrawn or is outdated, polls fail, or a part of the PBXs is not scraped. Orange: the list is empty or awaits confirmation. Grey: the recording rules are not loaded. "+
		"Other panels show – where there is no data.",
		"s", targets...).
		decimals(0).stepped(unknown).empty(neverScraped).
		option("colorMode", "background").option("textMode", "value_and_name").option("orientation", "vertical").
		option("text", map[string]any{"titleSize": 16, "valueSize": 18}).
		linked("Exporter", "/d/ycm-exporter?${__url_time_range}&${datasource:queryparam}&${account:queryparam}")
	for _, problem := range problems {
		p = p.matching("/: "+problem.name+"$/", inColour(problem.colour), property("unit", problem.unit))
	}
	return p.matching("/^age of the data, .*[^)]$/", inColour(good)).matching("/rules missing.$/", inColour(unknown))
}

// bannerHeight is enough for one line of text below the title.
const bannerHeight = 2

// neverScraped is what the banner says without any data.
const neverScraped = "no data: no exporter was scraped in the last 24 hours"

// problem is a reason why the data of an account is not current or not complete, one series for each account.
type problem struct{ name, query, colour, unit string }

// sinceUnit shows a time in milliseconds.
const sinceUnit = "time:D MMM HH:mm"

const fleetPolls = `collector="cloud_pbx"`

func lastDay(metric string, matchers ...string) string {
	return "last_over_time(" + account(metric, matchers...) + "[1d])"
}

// lastRead is when the PBX list of each account was last read completely.
func lastRead() string {
	return "(max by (account) (" + lastDay("ycm_collector_last_success_timestamp_seconds", fleetPolls) + ") > 0)"
}

// allowedAge is the age from which an alert reports the list of an account as outdated.
func allowedAge() string {
	return "max by (account) (" + lastDay("ycm:threshold:data_age_seconds", fleetPolls) + ")"
}

// dataProblems are in the order of importance: of each account only the first is shown.
func dataProblems() []problem {
	known := lastDay("ycm_exporter_shard_info")
	// A target that is no longer in the scrape configuration has no up at all.
	scraped := either(
		"max by (account) (0 * "+known+" + on (job, instance) group_left () up)",
		"max by (account) (0 * "+known+")")
	// A subquery sees nothing of an exporter that was scraped for less than its step: then the last poll must do.
	lastScrape := "(max by (account) (max_over_time(timestamp(" + account("ycm_exporter_shard_info") + ")[1d:1m])) or " + lastRead() + ")"
	// The total is exported by shard 0 only, PBXs by their shards.
	listed := "max by (account) (" + account("ycm_cloud_pbxs") + ")"
	unscraped := "(" + listed + " - sum by (account) (" + selector("account_region_group:ycm_cloud_pbxs:count", inAccount) + "))" +
		" > on (account) (" + account("ycm:threshold:unscraped_ratio") + " * on (account) " + listed + ")"
	readAt := "1000 * " + lastRead()
	return []problem{
		{"exporter down since", "1000 * " + lastScrape + " and on (account) ((" + scraped + ") == 0)", bad, sinceUnit},
		{"no data, last poll", readAt + " unless on (account) " + account("ycm_cloud_pbxs"), bad, sinceUnit},
		{"data outdated, last poll", readAt + " and on (account) (time() - " + lastRead() + " > on (account) " + allowedAge() + ")", bad, sinceUnit},
		{"polls failing, last success", readAt + " and on (account) max by (account) (" + account("ycm_up") + ") == 0", bad, sinceUnit},
		{"PBXs not scraped", unscraped, bad, "locale"},
		{"PBX list not confirmed, last poll", readAt + " and on (account) max by (account) (" + account("ycm_cloud_pbxs_unconfirmed") + ") == 1", warning, sinceUnit},
		{"no Cloud PBXs, check the account's rights", noPBXs(), warning, "locale"},
	}
}
