package doctor

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/ycm-exporter/ycm_exporter/collector"
	"github.com/ycm-exporter/ycm_exporter/internal/sweep"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// pollRequests is how many requests a collector may send: enough to see each of its endpoints.
const pollRequests = 3

// onePBX is a list with one PBX. It implements sweep.List.
type onePBX struct{ list *ycmclient.List }

// List implements sweep.List.
func (l onePBX) List() *ycmclient.List { return l.list }

// LastPoll implements sweep.List.
func (onePBX) LastPoll() (began time.Time, succeeded bool) { return time.Now(), true }

// checkCollectors polls each enabled collector once; one that queries PBXs queries a single one.
func (x *examination) checkCollectors(ctx context.Context) {
	account := collector.NewAccount(x.Client.Account, x.client, nil, false, func(string) bool { return false })
	account.Fleet = sweep.NewFleet(x.Client.Account, x.client, nil, onePBX{&ycmclient.List{PBXs: []ycmclient.CloudPBX{x.fleet.sample}}})
	for _, c := range x.Collectors {
		if !c.Schedule.Enabled || c.Name == collector.CloudPBX {
			continue
		}
		if c.QueriesPBXs && x.fleet.sample.ID == 0 {
			x.add(collectorsSection, c.Name, Skipped, "%s: not checked, because %s.", "", c.Name, noPBX)
			continue
		}
		steps, pbx := 0, error(nil) // pbx is why the PBX does not serve it
		account.Queried = func(_ sweep.Target, err error) { pbx = err }
		poller := account.Start(c)
		sweeper, sweeps := poller.(collector.Sweeper)
		r := x.check(ctx, pollRequests, func(ctx context.Context) error {
			if sweeps {
				sweeper.AllAtOnce()
				defer sweeper.Wait()
			}
			_, err := poller.Poll(ctx, func(_, total int) { steps = total })
			return err
		})
		perSecond := c.PerSecond(x.fleet.size(), float64(max(r.requests, steps)))
		x.needed += perSecond
		x.reportCollector(c, r, pbx, fmt.Sprintf("about %.0f requests every %s", perSecond*c.Schedule.Interval.Seconds(), model.Duration(c.Schedule.Interval)))
	}
}

// reportCollector reports whether a collector works.
func (x *examination) reportCollector(c collector.Configured, r result, pbx error, needs string) {
	works, failed := false, []string{}
	for _, endpoint := range c.Endpoints {
		switch class, requested := r.outcomes[endpoint]; {
		case requested && class == yeastar.OK:
			works = true
		case requested:
			failed = append(failed, fmt.Sprintf("%s (%s)", endpoint, spaced(class)))
		}
	}
	advice := "run the doctor again; if it fails again, report it and disable collector " + c.Name + " (enabled: false)"
	switch {
	case r.requests == 0 && r.ended:
		x.add(collectorsSection, c.Name, Skipped, "%s: not checked, because %s.", "", c.Name, noRequest)
	case r.err != nil && (!r.ended || !works):
		class := yeastar.ClassOf(r.err)
		if class == yeastar.Denied || class == yeastar.NotFound {
			advice = "grant the permission to the account in YCM, or disable collector " + c.Name + " (enabled: false)"
		}
		x.add(collectorsSection, c.Name, Problem, "%s: fails: %s.", advice, c.Name, r.describe(r.err))
	case pbx != nil:
		x.add(collectorsSection, c.Name, Warning, "%s: the PBX that was queried does not support it: %s.", "disable collector "+c.Name+", unless other PBXs support it", c.Name, r.describe(pbx))
	case len(failed) > 0:
		x.add(collectorsSection, c.Name, Warning, "%s: works, except %s. It needs %s.", "the metrics of this endpoint are absent; if you need them, check the permissions of the account in YCM", c.Name, strings.Join(failed, ", "), needs)
	default:
		x.add(collectorsSection, c.Name, OK, "%s: works. It needs %s.", "", c.Name, needs)
	}
}

// checkDemand compares what the enabled collectors need, the walks of the list included, with the rate limit.
func (x *examination) checkDemand() {
	if len(x.fleet.PBXs) == 0 {
		return
	}
	for _, c := range x.Collectors {
		if c.Name == collector.CloudPBX && c.Schedule.Enabled {
			x.needed += c.PerSecond(x.fleet.size(), 0)
		}
	}
	limit := float64(x.Client.RateLimit.Rate) / x.Client.RateLimit.Interval.Minutes()
	v, advice, needed := OK, "", 60*x.needed
	if x.needed >= x.Client.RateLimit.Carries() {
		v, advice = Warning, "increase intervals, or request a higher rate limit for this Client ID: above 80 % YCM raises an alarm, and data is older than the intervals"
	}
	x.add(rateSection, "demand", v, "The enabled collectors need about %.1f requests per minute, %.0f %% of rate_limit (%.1f).", advice, needed, 100*needed/limit, limit)
}
