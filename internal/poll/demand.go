package poll

import (
	"fmt"
	"math"
	"time"

	"github.com/go-kit/log/level"
	"github.com/prometheus/common/model"

	"github.com/ycm-exporter/ycm_exporter/collector"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// demand is how many requests per second the collectors need on average for their intervals.
type demand struct {
	perSecond float64
	largest   *job
	share     float64 // of the largest, per second
}

// demand returns what the collectors need with the present fleet, nothing before the first list.
func (a *Account) demand() (d demand) {
	pbxs, listed := a.collectors.Fleet.Listed()
	if a.job(collector.CloudPBX) != nil && !listed {
		return d
	}
	size := collector.FleetSize{Pages: math.Ceil(float64(max(1, pbxs)) / ycmclient.PageSize), PBXs: float64(a.collectors.Fleet.Proxied())}
	for _, j := range a.jobs {
		j.mu.Lock()
		counted := float64(lastTotal(j.status.Polls)) // Its steps.
		j.mu.Unlock()
		if j.sweeper != nil {
			counted = j.sweeper.RequestsPerPBX()
		} else if j.Check > 0 {
			size.Versions, counted = counted, 0
		}
		perSecond := j.PerSecond(size, counted)
		d.perSecond += perSecond
		if perSecond > d.share {
			d.largest, d.share = j, perSecond
		}
	}
	return d
}

// watchDemand exports the demand, and logs once when the rate limit does not carry it, and again when it has risen by 20 %.
func (a *Account) watchDemand() {
	d, carries := a.demand(), a.options.Client.RateLimit().Carries()
	if d.perSecond == 0 {
		return
	}
	a.options.Metrics.demand.WithLabelValues(a.options.Account).Set(d.perSecond)
	a.causes.overloaded.Store(d.perSecond > carries)
	if d.perSecond < 0.8*carries {
		a.warned = 0
	}
	if d.perSecond <= carries || d.perSecond < 1.2*a.warned {
		return
	}
	a.warned = d.perSecond
	advice := fmt.Sprintf("make all intervals %.1f times as long", math.Ceil(10*d.perSecond/carries)/10)
	if room := carries - d.perSecond + d.share; room > d.share/10 {
		longer := time.Duration(float64(d.largest.Schedule.Interval) * d.share / room)
		advice = fmt.Sprintf("raise the interval of collector %s from %s to %s", d.largest.Name,
			model.Duration(d.largest.Schedule.Interval), model.Duration((longer + time.Minute - 1).Truncate(time.Minute)))
	}
	level.Warn(a.options.Logger).Log("msg", "The collectors need more requests than the rate limit carries, so data will be older than the intervals",
		"account", a.options.Account, "needed_per_minute", math.Round(600*d.perSecond)/10, "carried_per_minute", math.Round(600*carries)/10,
		"advice", advice+", or raise rate_limit; YCM raises an alarm above 80 % of it")
}
