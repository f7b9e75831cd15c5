package main

import "fmt"

// self limits what Prometheus and Go tell of processes to the exporter's own.
const self = " and on (job, instance) ycm_exporter_build_info"

// exporter is for whoever runs the exporter: does it poll, is YCM well, is the budget enough.
func exporter() Dashboard {
	d := dashboard("ycm-exporter", "How ycm_exporter itself is doing: polls, requests to YCM, the API budget, age of the data, scrapes.",
		"3h", "30s", accountVariable)
	d.Panels = place(
		across(4, exporterNow()...),
		across(8, collectors().wide(14), dataAge().wide(10)),
		across(8, pollTime().wide(8), polls().wide(8), retries().wide(8)),
		across(8, requestsByResult().wide(8), requestsByEndpoint().wide(8), latency().wide(8)),
		across(8, budget().wide(6), oddities().wide(6), scrapes().wide(6), process().wide(6)),
	)
	return d
}

func exporterNow() []Panel {
	walk := `collector="cloud_pbx"`
	return []Panel{
		stat("Accounts up", "Which part of the YCM accounts had a successful last walk of their PBX list.", "percentunit",
			now("avg("+account("ycm_up")+")")).decimals(0).stepped(bad, at(1, good)).empty("first walk under way").wide(3),
		stat("Oldest fleet data", "How long ago the list of the account that is worst off was last read completely.", "s",
			now("time() - min("+account("ycm_collector_last_success_timestamp_seconds", walk)+" > 0)")).
			decimals(0).stepped(good, at(600, warning), at(1800, bad)).empty("none yet").wide(3),
		stat("Walk time", "How much of its interval the slowest walk of a list took. Above 100 % the data gets older than its interval: give the walk more budget or a longer interval.", "percentunit",
			now("max("+account("ycm_collector_duration_seconds", walk)+" / ("+account("ycm_collector_interval_seconds", walk)+" > 0))")).
			decimals(0).stepped(good, at(0.8, warning), at(1.1, bad)).empty("none yet").wide(3),
		stat("Polls failed", "Polls of all collectors that failed within the last hour.", "locale",
			now("round(sum(increase("+account("ycm_collector_polls_total", `result!="ok"`)+"[1h]))) or vector(0)")).problem(warning).wide(3),
		stat("Requests failed", "Which part of the requests to YCM of the last hour failed.", "percentunit",
			now("(sum(increase("+account("ycm_api_requests_total", `result!="ok"`)+"[1h])) or vector(0)) / (sum(increase("+account("ycm_api_requests_total")+"[1h])) > 0)")).
			decimals(1).stepped(unknown, at(0, good), at(0.01, warning), at(0.1, bad)).mapped(word(0, "none", good)).empty("no requests").wide(3),
		stat("Tokens left", "Requests that the account with the least budget left could send at once.", "locale",
			now("min("+account("ycm_api_budget_tokens")+")")).decimals(0).wide(3),
		stat("Token ends in", "How long the access token that ends first is still good. It is renewed before it ends.", "s",
			now("min("+account("ycm_api_token_expiration_timestamp_seconds")+" - time())")).
			decimals(0).stepped(bad, at(0, good)).empty("none").wide(3),
		stat("Configuration", "Whether the last reload of the configuration succeeded. After a failed one the exporter goes on with what it had.", "none",
			now("min(ycm_exporter_config_last_reload_successful)")).mapped(yesNo("in force", "refused", bad)).empty("not known").wide(3),
	}
}

// pollDuration is how long the collectors took for all that they are about: one poll, or a round of all PBXs.
func pollDuration() string {
	return "(" + either(account("ycm_collector_round_duration_seconds"), account("ycm_collector_duration_seconds")) + ")"
}

func collectors() Panel {
	by := func(expr string) Target { return rows("max by (account, collector) (" + expr + ")") }
	interval := account("ycm_collector_interval_seconds")
	return table("Collectors", "What each collector of each account did last. Those that ask PBXs one by one take as long as a round of all PBXs.", "s",
		rows(orRow("max by (account, collector) ("+account("ycm_collector_success")+")", "collector", "none yet")),
		by(interval), by(pollDuration()), by(pollDuration()+" / ("+interval+" > 0)"),
		by("time() - ("+account("ycm_collector_last_success_timestamp_seconds")+" > 0)")).
		merged().
		columns(
			col("account", "Account", width(130)), col("collector", "Collector"),
			col("Value #A", "Last poll", append(inText(yesNo("ok", "failed", bad)), width(90))...),
			col("Value #B", "Interval", width(90)),
			col("Value #C", "Took", width(90), property("decimals", 1)),
			col("Value #D", "Of its interval", append(asBar(at(0.8, warning), at(1.1, bad)), unit("percentunit"), property("decimals", 0))...),
			col("Value #E", "Last success", width(110), property("decimals", 0))).
		sorted("Account", false)
}

func dataAge() Panel {
	return timeseries("Age of the data", "How long ago each collector last succeeded, for the account that is worst off. A saw-tooth as high as the interval is well; a slope is trouble.", "s",
		over("max by (collector) (time() - ("+account("ycm_collector_last_success_timestamp_seconds")+" > 0))", "{{collector}}")).
		custom("fillOpacity", 0).custom("scaleDistribution", map[string]any{"type": "log", "log": 10}).unbounded()
}

func pollTime() Panel {
	return timeseries("Polls: time taken, of the interval", "How much of its interval each collector's last poll took, or its last round of all PBXs, took, waits for the budget included, for the account where it is slowest.", "percentunit",
		over("max by (collector) ("+pollDuration()+" / ("+account("ycm_collector_interval_seconds")+" > 0))", "{{collector}}")).
		stepped("transparent", at(1, bad)).custom("thresholdsStyle", map[string]any{"mode": "dashed"}).custom("fillOpacity", 0)
}

// resultColours gives the results of polls and requests colours that mean something.
func (p Panel) resultColours() Panel {
	p = p.series("ok", inColour(good)).series("rate_limited", inColour(past)).series("none", inColour(unknown))
	for _, result := range []string{"auth", "denied", "invalid"} {
		p = p.series(result, inColour(bad))
	}
	for _, result := range []string{"timeout", "network", "server"} {
		p = p.series(result, inColour(warning))
	}
	return p
}

// drawnAsBars draws a bar for each point in time.
func (p Panel) drawnAsBars() Panel {
	return p.stacked().custom("drawStyle", "bars").custom("fillOpacity", 80).custom("lineWidth", 0)
}

func polls() Panel {
	return timeseries("Polls by result", "Polls of all collectors each minute, by how they ended.", "cpm",
		over("60 * sum by (result) (rate("+account("ycm_collector_polls_total")+"[$__rate_interval]))", "{{result}}")).
		resultColours().stacked()
}

func retries() Panel {
	return timeseries("Retries by reason", "Requests to YCM each minute that were sent again, by the reason.", "reqpm",
		over("60 * sum by (reason) (rate("+account("ycm_api_retries_total")+"[$__rate_interval]))", "{{reason}}")).
		resultColours().drawnAsBars()
}

func requestsByResult() Panel {
	return timeseries("API requests by result", "Requests to YCM each minute, by result. Retries and token requests are in it.", "reqpm",
		over("60 * sum by (result) (rate("+account("ycm_api_requests_total")+"[$__rate_interval]))", "{{result}}")).
		resultColours().stacked()
}

func requestsByEndpoint() Panel {
	return timeseries("API requests by endpoint", "Requests to YCM each minute, by what was asked. proxy is what PBXs are asked through YCM.", "reqpm",
		over("60 * sum by (endpoint) (rate("+account("ycm_api_requests_total")+"[$__rate_interval]))", "{{endpoint}}")).
		stacked()
}

// latency draws the classic histogram, or, where Prometheus keeps the native one alone, buckets made of that: Grafana 10
// cannot draw whichever of the two there is.
func latency() Panel {
	rate := func(series string) string { return "rate(" + account(series) + "[$__rate_interval])" }
	classic := "sum by (le) (" + rate("ycm_api_request_duration_seconds_bucket") + ")"
	native := "sum(" + rate("ycm_api_request_duration_seconds") + ")"
	var buckets []string
	for _, le := range []string{"0.01", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "30", "+Inf"} {
		buckets = append(buckets, labelled(fmt.Sprintf("histogram_fraction(0, %s, %s) * histogram_count(%s)", le, native, native), "le", le))
	}
	return heatmap("API latency", "How long YCM took to answer, without waits for the budget: how many requests of each minute took how long.", "s",
		over("60 * ("+classic+" or on () ("+either(buckets...)+"))", "{{le}}"))
}

func budget() Panel {
	return timeseries("API budget", "Requests that could be sent at once (left), and how many seconds requests waited for the budget in each second (right). Waiting all the time with no tokens left means that the budget is the limit.", "locale",
		over("max by (account) ("+account("ycm_api_budget_tokens")+")", "{{account}}: tokens"),
		over("sum by (account) (rate("+account("ycm_api_budget_wait_seconds_total")+"[$__rate_interval]))", "{{account}}: waiting")).
		matching("/: waiting$/", append(dashed(), property("custom.axisPlacement", "right"), unit("none"))...)
}

func oddities() Panel {
	rate := func(metric string) string {
		return "rate(" + account(metric) + "[$__rate_interval])"
	}
	return timeseries("Oddities", "Each hour: values from YCM that could not be understood, walks that had to be mended because the list moved under them, logins by grant and result.", "locale",
		over("3600 * sum("+rate("ycm_api_unexpected_values_total")+") or vector(0)", "unexpected values"),
		over("3600 * sum("+rate("ycm_walk_repairs_total")+") or vector(0)", "walks mended"),
		over("3600 * sum by (grant, result) ("+rate("ycm_api_logins_total")+")", "login {{grant}}: {{result}}")).
		custom("fillOpacity", 0).decimals(1)
}

func scrapes() Panel {
	return timeseries("Scrapes", "How long Prometheus takes to scrape the exporter (left), and how many samples it gets (right).", "s",
		over("sum by (instance) (scrape_duration_seconds"+self+")", "duration"),
		over("sum by (instance) (scrape_samples_scraped"+self+")", "samples")).
		series("samples", append(dashed(), property("custom.axisPlacement", "right"), unit("short"))...)
}

func process() Panel {
	return timeseries("Process", "Resident memory of the exporter (left), and the processor cores that it keeps busy (right).", "bytes",
		over("sum by (instance) (process_resident_memory_bytes"+self+")", "memory"),
		over("sum by (instance) (rate(process_cpu_seconds_total[$__rate_interval])"+self+")", "cores")).
		series("cores", append(dashed(), property("custom.axisPlacement", "right"), unit("none"))...)
}
