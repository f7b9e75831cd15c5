package main

// self limits what Prometheus and Go tell of processes to the exporters' own.
const self = " and on (job, instance) ycm_exporter_build_info"

// exporter is for whoever runs the exporter: does it poll, is YCM well, is the rate limit high enough.
func exporter() Dashboard {
	d := dashboard("ycm-exporter", "How ycm_exporter itself is doing: polls, requests to YCM, the API rate limit, age of the data, scrapes.",
		"3h", "30s", accountVariable)
	d.Panels = place(
		across(4, seen(), accountsUp(), walkTime(), pollsFailed()),
		across(3, requestsFailed(), configuration(), upFor(), restartedToday()),
		across(3, rateLimitUsed(), tokenEnds(), restored(), writesFailed()),
		across(5, exporters()),
		across(8, collectors()),
		across(8, dataAge(), pollTime()),
		across(8, polls(), retries()),
		across(8, requestsByResult(), requestsByEndpoint()),
		across(7, latency(), logins()),
		across(7, rateLimit(), rateLimitWait()),
		across(7, unexpected(), scrapeTime()),
		across(7, samples(), memory(), cores()),
	)
	return d
}

const walk = `collector="cloud_pbx"`

// lately is the increase of counters within the last hour, of those alone that are still served.
func lately(counter string, matchers ...string) string {
	m := account(counter, matchers...)
	return "sum(increase(" + m + "[1h]) and " + m + ")"
}

func accountsUp() Panel {
	return stat("Accounts up", "Which part of the YCM accounts had a successful last walk of their PBX list.", "percentunit",
		now("avg(max by (account) ("+account("ycm_up")+"))")).decimals(0).stepped(unknown, at(0, bad), at(1, good))
}

func walkTime() Panel {
	return stat("Walk time", "How much of its interval the slowest walk of a list took. Above 100 % the data gets older than its interval: raise the rate limit or the interval.", "percentunit",
		inTime(account("ycm_collector_duration_seconds", walk)+" / ("+account("ycm_collector_interval_seconds", walk)+" > 0)")...).
		decimals(0).slowInRed()
}

// inTime is the greatest share of an interval that something took, by whether the rules call that slow.
func inTime(share string) []Target {
	slow := "max((" + share + ") > on (account) group_left () max by (account) (" + account("ycm:threshold:poll_ratio") + "))"
	return []Target{named(slow, "slow"), named("max("+share+") unless on () "+slow, "in time")}
}

// slowInRed gives what inTime tells its colours.
func (p Panel) slowInRed() Panel {
	return p.stepped(unknown).option("textMode", "value").series("slow", inColour(bad)).series("in time", inColour(good))
}

func pollsFailed() Panel {
	return stat("Polls failed", "Polls of all collectors that failed within the last hour.", "locale",
		now("round("+lately("ycm_collector_polls_total", `result!="ok"`)+") or 0 * "+lately("ycm_collector_polls_total"))).problem(warning)
}

func requestsFailed() Panel {
	return stat("Requests failed", "Which part of the requests to YCM of the last hour failed.", "percentunit",
		now("("+lately("ycm_api_requests_total", `result!="ok"`)+" or 0 * "+lately("ycm_api_requests_total")+") / ("+lately("ycm_api_requests_total")+" > 0)")).
		decimals(1).stepped(unknown, at(0, good), at(some, warning)).mapped(word(0, "none", good))
}

func configuration() Panel {
	return stat("Configuration", "Whether the last reload of the configuration succeeded. After a failed one the exporter goes on with what it had.", "none",
		now("min(ycm_exporter_config_last_reload_successful)")).stepped(unknown).mapped(yesNo("in force", "refused", bad))
}

func upFor() Panel {
	return stat("Up for", "How long the exporter that was started last has been running.", "s",
		now("time() - max(process_start_time_seconds"+self+")")).decimals(1)
}

func restartedToday() Panel {
	return stat("Restarts", "How often exporters were started anew within the last day.", "locale",
		now("sum(changes(process_start_time_seconds[1d])"+self+")")).problem(warning)
}

// ofRateLimit is how much of its rate limit an account uses.
func ofRateLimit(window string) string {
	return "max by (account) (sum without (endpoint, result) (rate(" + account("ycm_api_requests_total") + "[" + window + "])) / " +
		account("ycm_api_rate_limit_requests_per_second") + ")"
}

func rateLimitUsed() Panel {
	return stat("Rate limit used", "How much of its request rate limit the busiest account used within the last 30 minutes.", "percentunit",
		now("max("+ofRateLimit("30m")+")")).decimals(0)
}

func tokenEnds() Panel {
	return stat("Token ends in", "How long the access token that ends first is still good. It is renewed before it ends.", "s",
		now("min("+account("ycm_api_token_expiration_timestamp_seconds")+" - time())")).
		decimals(0).stepped(unknown, at(least, bad), at(0, good))
}

func restored() Panel {
	served := account("ycm_collector_restored")
	return stat("Restored", "Collectors whose data is from before the last start of the exporter: they have not been polled anew yet.", "locale",
		now(number(served+" == 1", served))).stepped(unknown, at(0, good), at(1, busy)).mapped(word(0, "none", good))
}

func writesFailed() Panel {
	const failures = "ycm_exporter_storage_write_failures_total"
	return stat("Writes failed", "Snapshots that could not be written to the exporter's storage within the last hour. What is not written is lost at the next restart.", "locale",
		now("round(sum(increase("+failures+"[1h]) and "+failures+"))")).problem(warning)
}

func exporters() Panel {
	by := func(title, expr string) Target { return inColumn(title, "max by (instance) ("+expr+")") }
	known := "last_over_time(ycm_exporter_build_info[1d])"
	return table("Exporters", "Each exporter that Prometheus has scraped within the last day and still tries to: whether it can, the version, and for how long it has been running.", "s",
		inColumn("info", "max by (instance, version) ("+known+" and on (job, instance) up)"), by("Scraped", "up and on (job, instance) "+known),
		by("Up for", "time() - process_start_time_seconds"+self), by("Restarts in 24 h", "changes(process_start_time_seconds[1d])"+self)).
		merged().
		columns(col("instance", "Instance"), col("version", "Version", width(130)), hidden("info"),
			shown("Scraped", append(inText(yesNo("yes", "no", bad)), width(90))...),
			shown("Up for", width(90), property("decimals", 1)), shown("Restarts in 24 h", width(130), unit("locale"))).
		sorted("Instance", false)
}

// pollDuration is how long the collectors took for all that they are about: one poll, or a sweep of all PBXs.
func pollDuration() string {
	return "(" + either(account("ycm_collector_sweep_duration_seconds"), account("ycm_collector_duration_seconds")) + ")"
}

func ofInterval(duration string) string {
	return duration + " / (" + account("ycm_collector_interval_seconds") + " > 0)"
}

func sinceSuccess() string {
	return "(time() - (" + account("ycm_collector_last_success_timestamp_seconds") + " > 0))"
}

func collectors() Panel {
	by := func(title, aggregation, expr string) Target {
		return inColumn(title, aggregation+" by (account, collector) ("+expr+")")
	}
	// That of an exporter that is not scraped any more goes on getting older.
	last := account("ycm_collector_last_success_timestamp_seconds")
	since := "time() - ((" + last + " or last_over_time(" + last + "[1d]) unless on (account) " + account("ycm_exporter_shard_info") + ") > 0)"
	return table("Collectors", "What each collector of each account did last. Those that ask PBXs one by one take as long as a sweep of all PBXs.", "s",
		by("Last poll", "max", account("ycm_collector_success")), by("Interval", "max", account("ycm_collector_interval_seconds")),
		by("Took", "max", pollDuration()), by("Of its interval", "max", ofInterval(pollDuration())), by("Last success", "min", since)).
		merged().
		columns(
			col("account", "Account", width(90)), col("collector", "Collector", atLeast(110)),
			shown("Last poll", append(inText(yesNo("ok", "failed", bad)), width(90))...),
			shown("Interval", width(90)),
			shown("Took", width(90), property("decimals", 1)),
			shown("Of its interval", append(asBar(busy), unit("percentunit"), property("decimals", 0))...),
			shown("Last success", width(110), property("decimals", 0))).
		sorted("Account", false)
}

func dataAge() Panel {
	return timeseries("Age of the data, in intervals", "How many intervals ago each collector last succeeded, for the account that is worst off. A saw-tooth between 0 and 1 is well; a slope is trouble.", "none",
		over("max by (collector) (min by (account, collector) ("+ofInterval(sinceSuccess())+"))", "{{collector}}")).
		axis("intervals").decimals(1).custom("fillOpacity", 0)
}

// The dashed lines from which on the rules warn.
const (
	slowFromHere = "slow from here"
	usedFromHere = "nearly used from here"
)

func pollTime() Panel {
	return timeseries("Polls: time taken", "How much of its interval each collector's last poll took, or its last sweep of all PBXs, waits for the rate limit included, for the account where it is slowest; dashed, from where on the rules call it slow.", "percentunit",
		over("max by (collector) ("+ofInterval(pollDuration())+")", "{{collector}}"), over("min("+account("ycm:threshold:poll_ratio")+")", slowFromHere)).
		axis("of the interval").custom("fillOpacity", 0).series(slowFromHere, append(dashed(), inColour(bad))...)
}

// resultColours gives the results of polls and requests colours that mean something.
func (p Panel) resultColours() Panel {
	p = p.series("ok", inColour(good)).series("rate_limited", inColour(past))
	for _, result := range []string{"auth", "denied", "invalid", "not_found"} {
		p = p.series(result, inColour(bad))
	}
	for _, result := range []string{"timeout", "network", "server"} {
		p = p.series(result, inColour(warning))
	}
	return p
}

// perMinute is how often counters rise each minute, by a label.
func perMinute(label, counter string) string {
	return "60 * sum by (" + label + ") (rate(" + account(counter) + "[$__rate_interval]))"
}

func polls() Panel {
	return timeseries("Polls by result", "Polls of all collectors each minute, by how they ended.", "cpm",
		over(perMinute("result", "ycm_collector_polls_total"), "{{result}}")).
		axis("a minute").resultColours().stacked()
}

func retries() Panel {
	return timeseries("Retries by reason", "Requests to YCM each minute that were sent again, by the reason.", "reqpm",
		over(perMinute("reason", "ycm_api_retries_total"), "{{reason}}")).
		axis("a minute").resultColours().stacked()
}

func requestsByResult() Panel {
	return timeseries("API requests by result", "Requests to YCM each minute, by result, retries and token requests included, and how many the rate limits allow: less than configured while another client shares the Client ID.", "reqpm",
		over(perMinute("result", "ycm_api_requests_total"), "{{result}}"),
		over("60 * sum(max by (account) ("+account("ycm_api_rate_limit_requests_per_second")+"))", "allowed")).
		axis("a minute").resultColours().stacked().
		series("allowed", append(dashed(), inColour(past), property("custom.stacking", map[string]any{"mode": "none"}))...)
}

func requestsByEndpoint() Panel {
	return timeseries("API requests by endpoint", "Requests to YCM each minute, by what was asked. proxy is what PBXs are asked through YCM.", "reqpm",
		over(perMinute("endpoint", "ycm_api_requests_total"), "{{endpoint}}")).
		axis("a minute").stacked().shades()
}

// latency reads the classic histogram, or, where Prometheus keeps that alone, the native one.
func latency() Panel {
	quantile := func(q, name string) Target {
		rate := func(series string) string { return "rate(" + account(series) + "[$__rate_interval])" }
		return over("histogram_quantile("+q+", sum by (le) ("+rate("ycm_api_request_duration_seconds_bucket")+")) or histogram_quantile("+q+", sum("+rate("ycm_api_request_duration_seconds")+"))", name)
	}
	return timeseries("API latency", "How long YCM took to answer, without waits for the rate limit: half of the requests were faster than the median, one in a hundred slower than the highest line.", "s",
		quantile("0.99", "99 of 100"), quantile("0.9", "9 of 10"), quantile("0.5", "median")).
		axis("time to answer").custom("fillOpacity", 0)
}

func rateLimit() Panel {
	return timeseries("API rate limit: used", "How much of its request rate limit each account uses. Above the dashed line for half an hour the rules call it nearly used.", "percentunit",
		over(ofRateLimit("$__rate_interval"), "{{account}}"),
		over("min("+account("ycm:threshold:rate_limit_ratio")+")", usedFromHere)).
		axis("of the rate limit").series(usedFromHere, append(dashed(), inColour(bad))...)
}

func rateLimitWait() Panel {
	return timeseries("API rate limit: waiting", "How many seconds requests waited for the rate limit in each second. Requests that wait concurrently add up.", "none",
		over("sum by (account) (rate("+account("ycm_api_rate_limit_wait_seconds_total")+"[$__rate_interval]))", "{{account}}")).
		axis("seconds per second")
}

func unexpected() Panel {
	return timeseries("Unexpected", "Each hour: values from YCM that could not be understood, walks that had to be mended because the list moved under them, and walks served although YCM's total and its list disagree.", "locale",
		over("60 * "+perMinute("field", "ycm_api_unexpected_values_total"), "value: {{field}}"),
		over("60 * "+perMinute("account", "ycm_walk_repairs_total"), "{{account}}: walks mended"),
		over("60 * "+perMinute("account", "ycm_walk_mismatches_total"), "{{account}}: totals that disagree")).
		axis("an hour")
}

func logins() Panel {
	return timeseries("Logins", "Logins to YCM each hour, by how they went, whether with the secret or with the last token. YCM blocks an address after 5 refusals in a row.", "locale",
		over("60 * "+perMinute("result", "ycm_api_logins_total"), "{{result}}")).
		axis("an hour").resultColours()
}

func scrapeTime() Panel {
	return timeseries("Scrapes: time", "How long Prometheus takes to scrape each exporter.", "s",
		over("sum by (instance) (scrape_duration_seconds"+self+")", "{{instance}}")).axis("a scrape")
}

func samples() Panel {
	return timeseries("Scrapes: samples", "How many samples Prometheus gets from each exporter.", "locale",
		over("sum by (instance) (scrape_samples_scraped"+self+")", "{{instance}}")).axis("samples")
}

func memory() Panel {
	return timeseries("Memory", "Resident memory of each exporter.", "bytes",
		over("sum by (instance) (process_resident_memory_bytes"+self+")", "{{instance}}")).axis("resident")
}

func cores() Panel {
	return timeseries("Processor", "How many processor cores each exporter keeps busy.", "none",
		over("sum by (instance) (rate(process_cpu_seconds_total[$__rate_interval])"+self+")", "{{instance}}")).axis("cores")
}
