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

const (
	limits = "Rate limit"
	// alarmShare is the share of its rate from which on YCM warns ("Limit API Request Rate for Subordinate Users").
	alarmShare = 0.8
)

// pageCount is how many pages the whole list has.
func (l *list) pageCount() int { return max(1, l.last) }

// running is how many PBXs are thought to be Running, by the share of those that were looked at.
func (l *list) running() float64 {
	first, ok := l.first()
	records := l.records()
	if !ok || len(records) == 0 {
		return 0
	}
	n := 0
	for _, r := range records {
		if r.text("pbxStatus") == "Running" {
			n++
		}
	}
	return float64(n) / float64(len(records)) * float64(max(first.Total.Value, 0))
}

// perPoll is how many requests a poll, or a sweep, of a collector takes.
func (x *examination) perPoll(r *run) float64 {
	if r.Provides == collector.ListOfPBXs {
		return float64(x.list.pageCount() + 1)
	}
	if r.Provides == collector.PhoneCatalogues {
		return float64(r.asked*len(versionsOf(x.list.records()))) / float64(max(1, len(versionsOf(recordsOf(x.list.sample())))))
	}
	if r.AsksPBXs {
		return x.list.running() * float64(len(r.kinds))
	}
	sum, rows := 0.0, 1.0 // Rows of the paged list that the collector reads.
	for _, kind := range r.kinds {
		if e := x.tap.last(kind); e != nil && e.failure() == nil {
			if p, ok := e.page(); ok && p.Total.Value > 0 {
				rows = float64(p.Total.Value)
				sum += math.Ceil(rows / ycmclient.PageSize)
				continue
			}
		}
		if !strings.Contains(kind, "{id}") {
			sum++
		}
	}
	for _, kind := range r.kinds {
		if strings.Contains(kind, "{id}") {
			sum += rows
		}
	}
	return sum
}

// perMinute is what a collector costs at its interval.
func (x *examination) perMinute(r *run) float64 { return x.perPoll(r) / r.Schedule.Interval.Minutes() }

// versionsOf is the firmware versions of records.
func versionsOf(records []record) map[string]bool {
	versions := map[string]bool{}
	for _, r := range records {
		versions[r.text("version")] = true
	}
	return versions
}

func requests(n float64) string { return count(int(math.Round(n)), "request") }

// costs tells what it costs to use a collector.
func (x *examination) costs(r *run) string {
	every := model.Duration(r.Schedule.Interval).String()
	switch {
	case r.Provides == collector.PhoneCatalogues:
		return fmt.Sprintf("It asks one PBX of each firmware version, of which %d were seen: about %s every %s, out of what the walks leave over.",
			len(versionsOf(x.list.records())), requests(x.perPoll(r)), every)
	case r.AsksPBXs:
		return fmt.Sprintf("A sweep of the Running PBXs costs about %s every %s, out of what the walks leave over.", requests(x.perPoll(r)), every)
	default:
		return fmt.Sprintf("A poll costs about %s every %s.", requests(x.perPoll(r)), every)
	}
}

// tellRate tells what the configured collectors cost, and how that fits the budget.
func (x *examination) tellRate() {
	x.tellHeaders()
	perMinute := float64(x.RateLimit.Rate) / x.RateLimit.Interval.Minutes()
	polls, sweeps, list := 0.0, 0.0, 0.0
	var lister *run
	for _, r := range x.runs {
		switch {
		case r.Provides == collector.ListOfPBXs:
			lister, list = r, x.perMinute(r)
			if r.Schedule.Enabled {
				polls += list
			}
		case !r.Schedule.Enabled:
		case r.AsksPBXs:
			sweeps += x.perMinute(r)
		default:
			polls += x.perMinute(r)
		}
	}
	if lister == nil || len(x.list.records()) == 0 {
		return
	}
	used := 100 * (polls + sweeps) / perMinute
	text := "The enabled collectors want about %.1f requests a minute for polls and %.1f for sweeps of PBXs; the budget is %.1f (%.0f %%)."
	switch {
	case used < 100*alarmShare:
		x.add(limits, "budget", Fine, text, "", polls, sweeps, perMinute, used)
	case polls > perMinute:
		x.add(limits, "budget", Note, text, "raise intervals: polls alone want more than the budget, so each takes the time that it takes, and sweeps get a tenth", polls, sweeps, perMinute, used)
	default:
		x.add(limits, "budget", Note, text, fmt.Sprintf("the exporter keeps the limit, but YCM warns from %.0f %% of its rate on: raise intervals, or set rate_limit.rate to at most %.0f %% of the rate that YCM grants, which are then not exceeded whatever is enabled",
			100*alarmShare, 100*alarmShare), polls, sweeps, perMinute, used)
	}
	x.tellWalk(lister, perMinute, polls-list)
}

// tellWalk tells how long a walk takes, and which interval fits.
func (x *examination) tellWalk(r *run, perMinute, others float64) {
	pages := float64(x.list.pageCount() + 1)
	times := timesOf(x.tap.of(listPath))
	latency := times[len(times)/2]
	walk := time.Duration(pages * float64(latency) / float64(max(1, x.PageConcurrency)))
	spent := time.Duration(max(0, pages-float64(x.RateLimit.Burst)) / perMinute * float64(time.Minute))
	walk = max(walk, spent)
	room := alarmShare*perMinute - others
	fits := 24 * time.Hour
	if room > 0 {
		fits = min(fits, time.Duration(pages/room*float64(time.Minute)))
	}
	fits = nice(max(fits, walk))
	stale := max(10*time.Minute, 3*max(fits, r.Schedule.Interval), nice(2*walk))
	switch interval, staleAfter := r.Schedule.Interval, r.Schedule.StaleAfter; {
	case interval >= fits && staleAfter >= 2*interval:
		x.add(limits, "walk", Fine, "A walk of the list takes %s and about %s; interval %s and stale_after %s fit.", "",
			requests(pages), short(walk), model.Duration(interval), model.Duration(staleAfter))
	default:
		x.add(limits, "walk", Note, "A walk of the list takes %s and about %s; interval is %s and stale_after %s.",
			fmt.Sprintf("set collectors.%s to {interval: %s, stale_after: %s}, which stays below %.0f %% of the rate", r.Name, model.Duration(max(fits, interval)), model.Duration(stale), 100*alarmShare),
			requests(pages), short(walk), model.Duration(interval), model.Duration(staleAfter))
	}
}

// nice rounds a duration up to one that people write.
func nice(d time.Duration) time.Duration {
	for _, step := range []time.Duration{
		15 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
		time.Hour, 2 * time.Hour, 6 * time.Hour, 12 * time.Hour,
	} {
		if d <= step {
			return step
		}
	}
	return 24 * time.Hour
}

// tellHeaders tells which headers speak of a rate limit.
func (x *examination) tellHeaders() {
	var seen []string
	for _, name := range []string{
		"Retry-After", "RateLimit", "RateLimit-Policy", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset",
		"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "X-RateLimit-Burst-Capacity", "X-RateLimit-Replenish-Rate",
		"X-Rate-Limit-Limit", "X-Rate-Limit-Remaining", "X-Rate-Limit-Reset",
	} {
		for _, e := range slices.Backward(x.tap.sent) {
			value := e.header.Get(name)
			if value == "" {
				continue
			}
			if len(value) <= 12 && strings.Trim(value, "0123456789") == "" {
				name += "=" + value
			}
			seen = append(seen, name)
			break
		}
	}
	if seen == nil {
		x.add(limits, "headers", Fine, "No header of an answer tells of a rate limit.", "")
		return
	}
	x.add(limits, "headers", Note, "Headers tell of a rate limit: %s.", "compare them with rate_limit in the configuration, and report them", strings.Join(seen, ", "))
}
