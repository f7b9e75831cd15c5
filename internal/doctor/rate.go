package doctor

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/ycm-exporter/ycm_exporter/collector"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// checkRate compares what the enabled collectors need with the rate limit.
func (x *examination) checkRate() {
	x.checkHeaders()
	if len(x.list.ids) == 0 {
		return
	}
	limit, needed := float64(x.Client.RateLimit.Rate)/x.Client.RateLimit.Interval.Minutes(), 0.0
	for _, r := range x.runs {
		needed += x.perPoll(r) / r.Schedule.Interval.Minutes()
	}
	i := slices.IndexFunc(x.Collectors, func(c collector.Configured) bool { return c.Name == listCollector && c.Schedule.Enabled })
	if i >= 0 {
		needed += x.checkWalk(x.Collectors[i].Schedule.Interval, limit)
	}
	const alarm = 80 // per cent of the rate, from which on YCM warns
	v, advice, used := OK, "", 100*needed/limit
	if used >= alarm {
		v, advice = Warning, "raise intervals: YCM raises an alarm from 80 % of its rate on, and where the rate limit does not suffice, data is older than the intervals say"
	}
	x.add(rateSection, "demand", v, "The enabled collectors need about %.1f requests per minute; the rate limit is %.1f (%.0f %%).", advice, needed, limit, used)
}

// checkWalk reports how long a walk of the list takes, and returns how many requests per minute walks need.
func (x *examination) checkWalk(interval time.Duration, limit float64) float64 {
	size := ycmclient.PageSize
	if x.list.total > int64(x.list.size) {
		size = x.list.size
	}
	pages := math.Ceil(float64(x.list.total) / float64(size))
	_, exchanges, _ := x.recorder.recorded()
	times := timesOf(slices.DeleteFunc(exchanges, func(e *exchange) bool { return e.path != listPath }))
	took := time.Duration(max(pages/limit*float64(time.Minute), pages/float64(max(1, x.Client.PageConcurrency))*float64(times[len(times)/2])))
	v, advice := OK, ""
	if took > interval {
		v, advice = Warning, fmt.Sprintf("set collectors.%s.interval to %s, or raise page_concurrency or rate_limit", listCollector, model.Duration(took.Truncate(time.Minute)+time.Minute))
	}
	x.add(rateSection, "walk", v, "A walk of the list takes %s and at most about %s; its interval is %s.", advice, count(int(pages), "request"), short(took), model.Duration(interval))
	return pages / max(interval, took).Minutes()
}

// checkHeaders reports headers about a rate limit, of which the vendor's pages say nothing.
func (x *examination) checkHeaders() {
	_, exchanges, _ := x.recorder.recorded()
	var seen []string
	for name := range strings.FieldsSeq(`Retry-After RateLimit RateLimit-Policy RateLimit-Limit RateLimit-Remaining RateLimit-Reset
		X-RateLimit-Limit X-RateLimit-Remaining X-RateLimit-Reset X-RateLimit-Burst-Capacity X-RateLimit-Replenish-Rate
		X-Rate-Limit-Limit X-Rate-Limit-Remaining X-Rate-Limit-Reset`) {
		for _, e := range exchanges {
			if e.header.Get(name) != "" {
				seen = append(seen, name)
				break
			}
		}
	}
	if seen != nil {
		x.add(rateSection, "headers", OK, "Responses carry rate-limit headers: %s.", "compare them with rate_limit, and report them", strings.Join(seen, ", "))
	}
}
