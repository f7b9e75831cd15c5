package main

// seen is the first tile of every dashboard: how old what is seen is, in green, and in red why it is not to be trusted.
// It looks back a day, so that it goes on counting when there is nothing to scrape any more.
func seen() Panel {
	const fleet = `collector="cloud_pbx"`
	last := func(metric string, matchers ...string) string {
		return "last_over_time(" + account(metric, matchers...) + "[1d])"
	}
	served := last("ycm_exporter_shard_info")
	// A target that nobody scrapes any more has no up at all: it is as down as one that does not answer.
	scraped := either(
		"max by (account) (0 * "+served+" + on (job, instance) group_left () up)",
		"max by (account) (0 * "+served+")")
	down := "count((" + scraped + ") == 0)"
	read := "(max by (account) (" + last("ycm_collector_last_success_timestamp_seconds", fleet) + ") > 0)"
	age := "time() - min" + read
	allowed := "max by (account) (" + last("ycm:threshold:data_age_seconds", fleet) + ")" // as YcmFleetDataStale has it
	old := "max(time() - " + read + " > on (account) " + allowed + ")"
	withdrawn := "time() - min(" + read + " unless on (account) " + account("ycm_cloud_pbxs") + ")"
	// Their number comes with shard 0 alone, the PBXs with their shards.
	listed := "max by (account) (" + account("ycm_cloud_pbxs") + ")"
	unseen := "sum((" + listed + " - sum by (account) (" + selector("account_region_group:ycm_cloud_pbxs:count", inAccount) + "))" +
		" > on (account) (" + account("ycm:threshold:unscraped_ratio") + " * on (account) " + listed + "))"
	unconfirmed := "count(max by (account) (" + account("ycm_cloud_pbxs_unconfirmed") + ") == 1)"
	failing := "count(max by (account) (" + account("ycm_up") + ") == 0)"
	well := "(" + age + ") unless on () (" + either(down, withdrawn, old, failing, unseen, unconfirmed) + ")"

	reasons := []reason{
		{"exporter down", "(" + age + " or 0 * " + down + ") and on () " + down, bad, "s"},
		{"withdrawn", "(" + withdrawn + ") unless on () " + down, bad, "s"},
		{"too old", "(" + old + ") unless on () " + down + " unless on () (" + withdrawn + ")", bad, "s"},
		{"accounts failing", failing + " unless on () " + down, bad, "none"},
		{"PBXs not scraped", "(" + unseen + ") unless on () " + down, bad, "locale"},
		{"lists not confirmed", unconfirmed + " unless on () " + down, warning, "locale"},
		{"age of the data", well + " and on () count(" + allowed + ")", good, "s"},
		// Without the rules nobody knows which age is too old.
		{"age, rules missing", well + " unless on () count(" + allowed + ")", unknown, "s"},
	}
	targets := make([]Target, len(reasons))
	for i, r := range reasons {
		targets[i] = named(r.query, r.name)
	}
	p := stat("What is seen", "How long ago the PBXs of the account that is worst off were last listed completely: green while all is well. "+
		"Red says what is wrong: the exporter is not scraped, the data was withdrawn because it got too old, it is getting old, a part of the listed PBXs is not scraped, or walks fail; orange that so many PBXs vanished at once that it is not believed yet; grey that the rules are not loaded, which know how old is too old. All other panels show what was seen then, or nothing.",
		"s", targets...).
		decimals(0).stepped(unknown).empty("never seen").
		option("colorMode", "background").option("textMode", "value_and_name").
		option("text", map[string]any{"titleSize": 16, "valueSize": 32}).
		linked("How the exporter is doing", "/d/ycm-exporter?${__url_time_range}&${datasource:queryparam}&${account:queryparam}")
	for _, r := range reasons {
		p = p.series(r.name, inColour(r.colour), property("unit", r.unit))
	}
	return p
}

// reason is something that the first tile may have to say: what it is called, when, and how it looks.
type reason struct{ name, query, colour, unit string }
