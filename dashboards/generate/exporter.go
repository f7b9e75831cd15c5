package main

// self limits what Prometheus and Go export of processes to the exporters.
const self = " and on (job, instance) ycm_exporter_build_info"

// exporter is for operators of the exporter: does it poll, does YCM respond, is the rate limit high enough.
func exporter() Dashboard {
	d := dashboard("ycm-exporter", "ycm_exporter itself: polls, requests to YCM, the API rate limit, age of the data, scrapes.",
		"3h", "30s", accountVariable)
	d.Panels = place(
		across(bannerHeight, freshness()),
		across(3, accountsUp(), pollsFailed(), requestsFailed(), intervalUsed()),
		across(4, exporters()),
		across(8, collectors()),
		across(8, dataAge(), pollTime()),
		folded("Configuration, storage and token",
			across(3, configuration(), restored(), writesFailed(), tokenEnds())),
		folded("Requests to YCM",
			across(8, polls(), retries()),
			across(8, requestsByResult(), requestsByEndpoint()),
			across(7, latency(), logins())),
		folded("Rate limit",
			across(7, rateLimitUsed().wide(6), rateLimit().wide(9), rateLimitWait().wide(9))),
		folded("Unexpected data and scrapes",
			across(7, unexpected(), scrapeTime()),
			across(7, samples(), memory(), cores())),
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
	return stat("Accounts up", "Share of the YCM accounts whose last poll of the PBX list succeeded.", "percentunit",
		now("avg(max by (account) ("+account("ycm_up")+"))")).decimals(0).stepped(unknown, at(0, bad), at(1, good))
}

func intervalUsed() Panel {
	return stat("Interval used by the list", "Duration of the slowest poll of a PBX list in percent of its interval. Above 100 % data is older than its interval: raise the rate limit or the interval.", "percentunit",
		inTime(account("ycm_collector_duration_seconds", walk)+" / ("+account("ycm_collector_interval_seconds", walk)+" > 0)")...).
		decimals(0).slowInRed()
}

// inTime is the greatest share of an interval that something took, by whether the rules call that slow.
func inTime(share string) []Target {
	slow := "max((" + share + ") > on (account) group_left () max by (account) (" + account("ycm:threshold:poll_ratio") + "))"
	return []Target{named(slow, "slow"), named("max("+share+") unless on () "+slow, "in time")}
}

// slowInRed colours the series of inTime.
func (p Panel) slowInRed() Panel {
	return p.stepped(unknown).option("textMode", "value").series("slow", inColour(bad)).series("in time", inColour(good))
}

func pollsFailed() Panel {
	return stat("Polls failed", "Failed polls of all collectors in the last hour.", "locale",
		now("round("+lately("ycm_collector_polls_total", `result!="ok"`)+") or 0 * "+lately("ycm_collector_polls_total"))).problem(warning)
}

func requestsFailed() Panel {
	return stat("Requests failed", "Share of the requests to YCM that failed in the last hour: orange from 1 %, red from 5 %.", "percentunit",
		now("("+lately("ycm_api_requests_total", `result!="ok"`)+" or 0 * "+lately("ycm_api_requests_total")+") / ("+lately("ycm_api_requests_total")+" > 0)")).
		decimals(1).stepped(unknown, at(0, good), at(0.01, warning), at(0.05, bad)).mapped(word(0, "none", good))
}

func configuration() Panel {
	return stat("Configuration", "Whether the last reload of the configuration succeeded. After a failed reload the exporter keeps its configuration.", "none",
		now("min(ycm_exporter_config_last_reload_successful)")).stepped(unknown).mapped(yesNo("loaded", "reload failed", bad))
}

// ofRateLimit is the share of its rate limit that an account uses.
func ofRateLimit(window string) string {
	return "max by (account) (sum without (endpoint, result) (rate(" + account("ycm_api_requests_total") + "[" + window + "])) / " +
		account("ycm_api_rate_limit_requests_per_second") + ")"
}

func rateLimitUsed() Panel {
	return stat("Rate limit used", "Share of its rate limit that the busiest account used in the last 30 minutes.", "percentunit",
		now("max("+ofRateLimit("30m")+")")).decimals(0)
}

func tokenEnds() Panel {
	return stat("Token expires in", "Time until the first access token expires. It is refreshed before.", "s",
		now("min("+account("ycm_api_token_expiration_timestamp_seconds")+" - time())")).
		decimals(0).stepped(unknown, at(least, bad), at(0, good))
}

func restored() Panel {
	served := account("ycm_collector_restored")
	return stat("Restored", "Collectors whose data is from before the last start of the exporter: no poll has completed since.", "locale",
		now(number(served+" == 1", served))).stepped(unknown, at(0, good), at(1, busy)).mapped(word(0, "none", good))
}

func writesFailed() Panel {
	const failures = "ycm_exporter_storage_write_failures_total"
	return stat("Writes failed", "Failed writes to the exporter's storage in the last hour. What is not written is lost at the next restart. –: --storage.path is not set.", "locale",
		now("round(sum(increase("+failures+"[1h]) and "+failures+"))")).problem(warning)
}

func exporters() Panel {
	by := func(title, expr string) Target { return inColumn(title, "max by (instance) ("+expr+")") }
	known := "last_over_time(ycm_exporter_build_info[1d])"
	return table("Exporters", "Each scrape target of the last 24 hours: whether it can be scraped, version, uptime and restarts.", "s",
		inColumn("info", "max by (instance, version) ("+known+" and on (job, instance) up)"), by("Scraped", "up and on (job, instance) "+known),
		by("Uptime", "time() - process_start_time_seconds"+self), by("Restarts in 24 h", "changes(process_start_time_seconds[1d])"+self)).
		merged().
		columns(col("instance", "Instance"), col("version", "Version", width(130)), hidden("info"),
			shown("Scraped", append(inText(yesNo("yes", "no", bad)), width(90))...),
			shown("Uptime", width(90), property("decimals", 1)), shown("Restarts in 24 h", width(130), unit("locale"))).
		sorted("Instance", false)
}

// pollDuration is the duration of a poll of each collector, or of a sweep of all PBXs.
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
	// The age of an exporter that is no longer scraped continues to grow.
	last := account("ycm_collector_last_success_timestamp_seconds")
	since := "time() - ((" + last + " or last_over_time(" + last + "[1d]) unless on (account) " + account("ycm_exporter_shard_info") + ") > 0)"
	return table("Collectors", "The last poll of each collector of each account. For collectors that poll each PBX, the duration is that of a sweep of all PBXs.", "s",
		by("Last poll", "max", account("ycm_collector_success")), by("Interval", "max", account("ycm_collector_interval_seconds")),
		by("Duration", "max", pollDuration()), by("Interval used", "max", ofInterval(pollDuration())), by("Last success", "min", since)).
		merged().
		columns(
			col("account", "Account", width(90)), col("collector", "Collector", atLeast(110)),
			shown("Last poll", append(inText(yesNo("ok", "failed", bad)), width(90))...),
			shown("Interval", width(90)),
			shown("Duration", width(90), property("decimals", 1)),
			shown("Interval used", append(asBar(busy), unit("percentunit"), property("decimals", 0))...),
			shown("Last success", width(110), property("decimals", 0))).
		option("sortBy", []any{map[string]any{"displayName": "Last poll", "desc": false}, map[string]any{"displayName": "Account", "desc": false}})
}

func dataAge() Panel {
	return timeseries("Age of the data, in intervals", "Time since the last success of each collector in multiples of its interval, for the worst account. A sawtooth between 0 and 1 is normal; a rising line is not.", "none",
		over("max by (collector) (min by (account, collector) ("+ofInterval(sinceSuccess())+"))", "{{collector}}")).
		axis("intervals").decimals(1).custom("fillOpacity", 0)
}

// The dashed lines at the thresholds of the rules.
const (
	slowFromHere = "slow"
	usedFromHere = "nearly used"
)

func pollTime() Panel {
	return timeseries("Interval used by polls", "Duration of each collector's last poll, or of its last sweep of all PBXs, in percent of its interval, waits for the rate limit included, for the slowest account. Dashed: the threshold of the rules.", "percentunit",
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

// perMinute is the increase of a counter per minute, by a label.
func perMinute(label, counter string) string {
	return "60 * sum by (" + label + ") (rate(" + account(counter) + "[$__rate_interval]))"
}

func polls() Panel {
	return timeseries("Polls by result", "Polls of all collectors per minute, by result.", "cpm",
		over(perMinute("result", "ycm_collector_polls_total"), "{{result}}")).
		axis("per minute").resultColours().stacked()
}

func retries() Panel {
	return timeseries("Retries by reason", "Retried requests to YCM per minute, by reason.", "reqpm",
		over(perMinute("reason", "ycm_api_retries_total"), "{{reason}}")).
		axis("per minute").resultColours().stacked()
}

func requestsByResult() Panel {
	return timeseries("API requests by result", "Requests to YCM per minute, by result, retries and token requests included.", "reqpm",
		over(perMinute("result", "ycm_api_requests_total"), "{{result}}")).
		axis("per minute").resultColours().stacked()
}

func requestsByEndpoint() Panel {
	return timeseries("API requests by endpoint", "Requests to YCM per minute, by endpoint. proxy: requests to PBXs through YCM.", "reqpm",
		over(perMinute("endpoint", "ycm_api_requests_total"), "{{endpoint}}")).
		axis("per minute").stacked()
}

// latency reads the classic histogram, or, where Prometheus keeps that alone, the native one.
func latency() Panel {
	quantile := func(q, name string) Target {
		rate := func(series string) string { return "rate(" + account(series) + "[$__rate_interval])" }
		return over("histogram_quantile("+q+", sum by (le) ("+rate("ycm_api_request_duration_seconds_bucket")+")) or histogram_quantile("+q+", sum("+rate("ycm_api_request_duration_seconds")+"))", name)
	}
	return timeseries("API latency", "Response time of YCM, without waits for the rate limit: 99th percentile, 90th percentile and median.", "s",
		quantile("0.99", "p99"), quantile("0.9", "p90"), quantile("0.5", "median")).
		axis("response time").custom("fillOpacity", 0)
}

func rateLimit() Panel {
	return timeseries("API rate limit: used", "Share of its rate limit that each account uses. Dashed: the threshold of the rules.", "percentunit",
		over(ofRateLimit("$__rate_interval"), "{{account}}"),
		over("min("+account("ycm:threshold:rate_limit_ratio")+")", usedFromHere)).
		axis("of the rate limit").series(usedFromHere, append(dashed(), inColour(bad))...)
}

func rateLimitWait() Panel {
	return timeseries("API rate limit: waiting", "Seconds that requests waited for the rate limit, per second. Concurrent waits add up.", "none",
		over("sum by (account) (rate("+account("ycm_api_rate_limit_wait_seconds_total")+"[$__rate_interval]))", "{{account}}")).
		axis("seconds per second")
}

func unexpected() Panel {
	return timeseries("Unexpected data", "Per hour: invalid values from YCM, polls repaired because the list changed during the poll, and polls whose total disagreed with the list.", "locale",
		over("60 * "+perMinute("field", "ycm_api_unexpected_values_total"), "value: {{field}}"),
		over("60 * "+perMinute("account", "ycm_walk_repairs_total"), "{{account}}: repaired polls"),
		over("60 * "+perMinute("account", "ycm_walk_mismatches_total"), "{{account}}: totals that disagree")).
		axis("per hour")
}

func logins() Panel {
	return timeseries("Logins", "Logins to YCM per hour, by result. YCM blocks an address after 5 refusals in a row.", "locale",
		over("60 * "+perMinute("result", "ycm_api_logins_total"), "{{result}}")).
		axis("per hour").resultColours().stacked()
}

func scrapeTime() Panel {
	return timeseries("Scrapes: time", "Scrape duration of each exporter.", "s",
		over("sum by (instance) (scrape_duration_seconds"+self+")", "{{instance}}")).axis("duration")
}

func samples() Panel {
	return timeseries("Scrapes: samples", "Samples per scrape of each exporter.", "locale",
		over("sum by (instance) (scrape_samples_scraped"+self+")", "{{instance}}")).axis("samples")
}

func memory() Panel {
	return timeseries("Memory", "Resident memory of each exporter.", "bytes",
		over("sum by (instance) (process_resident_memory_bytes"+self+")", "{{instance}}")).axis("resident")
}

func cores() Panel {
	return timeseries("CPU", "CPU cores that each exporter uses.", "none",
		over("sum by (instance) (rate(process_cpu_seconds_total[$__rate_interval])"+self+")", "{{instance}}")).axis("cores")
}
