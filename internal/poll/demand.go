package poll

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/go-kit/log/level"
	"github.com/prometheus/common/model"

	"github.com/ycm-exporter/ycm_exporter/collector"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// demand returns how many requests per second the collectors need for their intervals with the present fleet, and which of them needs most
// and how much. It is 0 before the first list.
func (a *Account) demand() (all float64, largest *job, most float64) {
	listed, known := a.collectors.Fleet.Listed()
	if a.job(collector.CloudPBX) != nil && !known {
		return 0, nil, 0
	}
	size := collector.FleetSize{Pages: math.Ceil(float64(max(1, listed)) / ycmclient.PageSize)}
	if slices.ContainsFunc(a.jobs, func(j *job) bool { return j.QueriesPBXs }) {
		size.PBXs, size.ExtensionPages = a.collectors.Fleet.Proxied()
	}
	for _, j := range a.jobs {
		j.mu.Lock()
		steps := float64(j.status.Steps)
		j.mu.Unlock()
		if j.QueriesPBXs {
			size.Versions, steps = steps, 0
		}
		needs := j.PerSecond(size, steps)
		all += needs
		if needs > most {
			largest, most = j, needs
		}
	}
	return all, largest, most
}

// watchDemand exports the demand, and logs once when the rate limit does not carry it, and again when it has risen by 20 %.
func (a *Account) watchDemand() {
	all, largest, most := a.demand()
	if all == 0 {
		return
	}
	a.options.Metrics.demand.WithLabelValues(a.options.Account).Set(all)
	carries := a.options.Client.RateLimit().Carries()
	if all < 0.8*carries {
		a.warned = 0
	}
	if all <= carries || all < 1.2*a.warned {
		return
	}
	a.warned = all
	advice := fmt.Sprintf("multiply all intervals by %.1f", math.Ceil(10*all/carries)/10)
	if rest := carries - (all - most); rest > most/10 {
		interval := largest.Schedule.Interval
		longer := time.Duration(float64(interval)*most/rest) + time.Minute
		advice = fmt.Sprintf("increase the interval of collector %s from %s to %s", largest.Name, model.Duration(interval), model.Duration(longer.Truncate(time.Minute)))
	}
	level.Warn(a.options.Logger).Log("msg", "Collectors exceed the rate limit, data will be older than the intervals",
		"account", a.options.Account, "demand_per_minute", math.Round(600*all)/10, "limit_per_minute", math.Round(600*carries)/10,
		"advice", advice+", or request a higher rate limit for this Client ID and set rate_limit to it; above 80 % of it YCM raises an alarm")
}
