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

const (
	// listCollector reads the list, which has a check of its own.
	listCollector = "cloud_pbx"
	// catalogueCollector queries one PBX of each firmware version and not all.
	catalogueCollector = "autoprovisioning"

	// pollRequests is how many requests a collector may send: enough to see each of its endpoints.
	pollRequests = 3
)

// run is an enabled collector that polled once: the account, or one PBX.
type run struct {
	collector.Configured
	result
	steps int   // of the poll's progress
	pbx   error // of the PBX that was queried
}

// onePBX is a list with one PBX. It implements sweep.List.
type onePBX struct{ list *ycmclient.List }

// List implements sweep.List.
func (l onePBX) List() *ycmclient.List { return l.list }

// LastPoll implements sweep.List.
func (onePBX) LastPoll() (began time.Time, succeeded bool) { return time.Now(), true }

// checkCollectors polls each enabled collector once; one that queries PBXs queries a single one.
func (x *examination) checkCollectors(ctx context.Context) {
	account := collector.NewAccount(x.Client.Account, x.client, nil, false, func(string) bool { return false })
	account.Fleet = sweep.NewFleet(x.Client.Account, x.client, nil, onePBX{&ycmclient.List{PBXs: []ycmclient.CloudPBX{x.list.sample}}})
	for _, c := range x.Collectors {
		if !c.Schedule.Enabled || c.Name == listCollector {
			continue
		}
		if c.AsksPBXs && x.list.running == 0 {
			x.add(collectorsSection, c.Name, Warning, "%s: not checked, because no Running PBX was listed.", "", c.Name)
			continue
		}
		r := &run{Configured: c}
		account.Schedule, account.Settings = c.Schedule, c.Settings
		account.Queried = func(_ sweep.Target, err error) { r.pbx = err }
		poller := c.New(account)
		r.result = x.check(ctx, pollRequests, func(ctx context.Context) error {
			sweeper, sweeps := poller.(collector.Sweeper)
			if sweeps {
				sweeper.AllAtOnce()
				defer sweeper.Wait()
			}
			_, err := poller.Poll(ctx, func(_, total int) { r.steps = total })
			return err
		})
		x.runs = append(x.runs, r)
		x.reportRun(r)
	}
}

// reportRun reports whether a collector works.
func (x *examination) reportRun(r *run) {
	classes := map[string]yeastar.Class{} // of endpoints: OK if any request succeeded
	for _, o := range r.outcomes {
		if classes[o.endpoint] != yeastar.OK {
			classes[o.endpoint] = o.class
		}
	}
	works, failed := false, []string{}
	for _, endpoint := range r.Endpoints {
		switch class, requested := classes[endpoint]; {
		case requested && class == yeastar.OK:
			works = true
		case requested:
			failed = append(failed, fmt.Sprintf("%s is %s", endpoint, word(class)))
		}
	}
	needs := fmt.Sprintf("about %.0f requests every %s", x.perPoll(r), model.Duration(r.Schedule.Interval))
	switch advice := "run the doctor again; if it fails again, disable collector " + r.Name + " (enabled: false) and report it"; {
	case r.requests == 0 && r.spent:
		x.add(collectorsSection, r.Name, Warning, "%s: not checked, because the doctor had no request left.", "", r.Name)
	case r.err != nil && !(r.spent && works):
		class := yeastar.ClassOf(r.err)
		if class == yeastar.Denied || class == yeastar.NotFound {
			advice = "grant it to the account in YCM, or disable collector " + r.Name + " (enabled: false)"
		}
		x.add(collectorsSection, r.Name, Problem, "%s: %s: %s.", advice, r.Name, word(class), describe(r.err, r.last()))
	case r.pbx != nil:
		x.add(collectorsSection, r.Name, Warning, "%s: the PBX that was queried does not serve it: %s.", "disable collector "+r.Name+" unless other PBXs serve it", r.Name, describe(r.pbx, r.last()))
	case len(failed) > 0:
		x.add(collectorsSection, r.Name, Warning, "%s: works, but %s. It needs %s.", "metrics of what is not served are absent", r.Name, strings.Join(failed, ", "), needs)
	default:
		x.add(collectorsSection, r.Name, OK, "%s: works. It needs %s.", "", r.Name, needs)
	}
}

func word(c yeastar.Class) string {
	switch c {
	case yeastar.Denied, yeastar.Auth:
		return "denied"
	case yeastar.NotFound:
		return "not found"
	default:
		return "failing"
	}
}

// perPoll estimates how many requests a poll, or a sweep, of a collector takes.
func (x *examination) perPoll(r *run) float64 {
	requests := float64(max(r.requests, r.steps))
	switch {
	case r.Name == catalogueCollector:
		return requests * float64(len(x.list.versions))
	case r.AsksPBXs:
		return requests * float64(x.list.total) * float64(x.list.running) / float64(max(1, len(x.list.ids)))
	default:
		return requests
	}
}
