package main

import "strings"

// freshness is the banner at the top of every dashboard: the age of the data in green, else the most important problem of each
// account and since when. Accounts with the same problem are counted if they are more than fit beside each other.
func freshness() Panel {
	problems := dataProblems()
	queries := make([]string, len(problems))
	var counts []string
	for i, p := range problems {
		queries[i] = labelled(p.query, "problem", p.name)
		if p.unit == "locale" {
			counts = append(counts, "sum by (problem) ("+queries[i]+")")
		}
	}
	trouble := "(" + strings.Join(queries, " or on (account) ") + ")"
	few := " and on (problem) count by (problem) (" + trouble + ") <= 3"
	// Together accounts have the earliest of their times, or the sum of their PBXs.
	together := "(sum by (problem) (" + trouble + ") and on (problem) (" + strings.Join(counts, " or ") + ") or min by (problem) (" + trouble + "))"
	many := `count_values by (problem) ("accounts", count by (problem) (` + trouble + ") > 3) * on (problem) group_left () " + together
	age := "topk(1, time() - " + lastRead() + ") unless on () " + trouble
	targets := []Target{
		named(trouble+few, "{{account}}: {{problem}}"), named(many, "{{accounts}} accounts: {{problem}}"),
		named(age+" and on () count("+allowedAge()+")", "age of the data, {{account}}"),
		named(age+" unless on () count("+allowedAge()+")", "age of the data, {{account}} (recording rules missing)"),
	}

	p := stat("Data freshness", "Age of the oldest PBX list of the accounts, green while everything works. Red: an exporter is not scraped, YCM refuses the login, data is "+
		"no longer exported or is outdated, polls fail, or a part of the PBXs is not scraped. Orange: the list is empty, awaits confirmation or is read for the first time. Grey: the recording rules are not loaded. "+
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

// untrusted are the accounts whose data is missing, outdated or not renewed: the banner is red.
func untrusted() string {
	var queries []string
	for _, p := range dataProblems() {
		if p.colour == bad {
			queries = append(queries, p.query)
		}
	}
	return strings.Join(queries, " or on (account) ")
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
	unscraped := "(" + listed + " - sum by (account) (" + whileListed(selector("account_region_group:ycm_cloud_pbxs:count", inAccount)) + "))" +
		" > on (account) (" + account("ycm:threshold:unscraped_ratio") + " * on (account) " + listed + ")"
	readAt := "1000 * " + lastRead()
	// An account that never had data has the time of its first scrape within the last day. Targets of one account have no process metrics.
	present := account("ycm_exporter_shard_info")
	never := "1000 * min by (account) (min_over_time(timestamp(" + present + ")[1d:1m]) and " + present + " or timestamp(" + present + ")) unless on (account) " + lastRead()
	failing := " and on (account) max by (account) (" + account("ycm_up") + ") == 0"
	refused := failing + " and on (account) sum by (account) (increase(" + account("ycm_collector_polls_total", fleetPolls, `result="auth"`) + "[20m])) > 0"
	return []problem{
		{"exporter down since", "1000 * " + lastScrape + " and on (account) ((" + scraped + ") == 0)", bad, sinceUnit},
		{"login refused, last success", readAt + refused, bad, sinceUnit},
		{"login refused, no data since", never + refused, bad, sinceUnit},
		{"no data, last poll", readAt + " unless on (account) " + account("ycm_cloud_pbxs"), bad, sinceUnit},
		{"data outdated, last poll", readAt + " and on (account) (time() - " + lastRead() + " > on (account) " + allowedAge() + ")", bad, sinceUnit},
		{"polls failing, last success", readAt + failing, bad, sinceUnit},
		{"polls failing, no data since", never + failing, bad, sinceUnit},
		{"first poll in progress since", never + " unless on (account) " + account("ycm_up"), warning, sinceUnit},
		{"PBXs not scraped", unscraped, bad, "locale"},
		{"PBX list not confirmed, last poll", readAt + " and on (account) max by (account) (" + account("ycm_cloud_pbxs_unconfirmed") + ") == 1", warning, sinceUnit},
		{"no Cloud PBXs, check the account's rights", noPBXs(), warning, "locale"},
	}
}
