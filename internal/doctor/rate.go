package doctor

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/ycm-exporter/ycm_exporter/collector"
)

// checkRate compares what the enabled collectors need with the rate limit.
func (x *examination) checkRate() {
	x.checkHeaders()
	if len(x.list.pbxs) == 0 {
		return
	}
	limit, needed := float64(x.Client.RateLimit.Rate)/x.Client.RateLimit.Interval.Minutes(), 0.0
	for _, r := range x.runs {
		needed += x.perPoll(r) / r.Schedule.Interval.Minutes()
	}
	pages := float64(x.list.pages())
	if i := slices.IndexFunc(x.Collectors, func(c collector.Configured) bool { return c.Name == listCollector && c.Schedule.Enabled }); i >= 0 {
		needed += x.checkWalk(x.Collectors[i].Schedule.Interval, pages, limit)
	}
	const alarm = 80 // per cent of the rate, from which on YCM warns
	used, text := 100*needed/limit, "The enabled collectors need about %.1f requests per minute; the rate limit is %.1f (%.0f %%)."
	switch {
	case used < alarm:
		x.add(rateSection, "demand", OK, text, "", needed, limit, used)
	case used < 100:
		x.add(rateSection, "demand", Warning, text, "raise intervals: YCM raises an alarm from 80 % of its rate on", needed, limit, used)
	default:
		x.add(rateSection, "demand", Warning, text, "raise intervals or rate_limit: the exporter keeps the limit, so data is older than the intervals say", needed, limit, used)
	}
}

// checkWalk reports how long a walk takes, and returns how many requests per minute walks need.
func (x *examination) checkWalk(interval time.Duration, pages, limit float64) float64 {
	var times []time.Duration
	_, exchanges, _ := x.recorder.recorded()
	for _, e := range exchanges {
		if e.path == listPath && e.err == nil {
			times = append(times, e.took())
		}
	}
	slices.Sort(times)
	took := max(
		time.Duration(pages/float64(max(1, x.Client.PageConcurrency))*float64(times[len(times)/2])),
		time.Duration(pages/limit*float64(time.Minute)),
	)
	requests := count(int(pages), "request")
	if took <= interval {
		x.add(rateSection, "walk", OK, "A walk of the list takes %s and at most about %s; its interval is %s.", "", requests, short(took), model.Duration(interval))
	} else {
		x.add(rateSection, "walk", Warning, "A walk of the list takes %s and about %s, longer than its interval of %s.", fmt.Sprintf("set collectors.%s.interval to %s, or raise page_concurrency or rate_limit",
			listCollector, model.Duration(took.Truncate(time.Minute)+time.Minute)), requests, short(took), model.Duration(interval))
	}
	return pages / max(interval, took).Minutes()
}

// checkHeaders reports headers about a rate limit, of which the vendor's pages say nothing.
func (x *examination) checkHeaders() {
	var seen []string
	_, exchanges, _ := x.recorder.recorded()
	for name := range strings.FieldsSeq(`Retry-After RateLimit RateLimit-Policy RateLimit-Limit RateLimit-Remaining RateLimit-Reset
		X-RateLimit-Limit X-RateLimit-Remaining X-RateLimit-Reset X-RateLimit-Burst-Capacity X-RateLimit-Replenish-Rate
		X-Rate-Limit-Limit X-Rate-Limit-Remaining X-Rate-Limit-Reset`) {
		for _, e := range slices.Backward(exchanges) {
			if value := e.header.Get(name); value != "" {
				if len(value) <= 12 && strings.Trim(value, "0123456789") == "" {
					name += "=" + value
				}
				seen = append(seen, name)
				break
			}
		}
	}
	if seen == nil {
		x.add(rateSection, "headers", OK, "Responses carry no rate-limit headers.", "")
		return
	}
	x.add(rateSection, "headers", OK, "Responses carry rate-limit headers: %s.", "compare them with rate_limit, and report them", strings.Join(seen, ", "))
}
