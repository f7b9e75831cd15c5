package doctor

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ycm-exporter/ycm_exporter/collector"
	"github.com/ycm-exporter/ycm_exporter/internal/sweep"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

const endpoints = "Collectors"

// run is a collector that has polled the sample once.
type run struct {
	collector.Configured
	poller collector.Poller
	began  time.Time
	err    error
	kinds  []string // of requests, in the order of their first
	asked  int      // requests that it made, sent or not
}

// A run is what other collectors see of it.
var _ collector.Peer = (*run)(nil)

func (r *run) Reading() any                              { return r.poller.Reading() }
func (r *run) Serving() bool                             { return r.err == nil && !r.began.IsZero() }
func (r *run) LastPoll() (began time.Time, succeed bool) { return r.began, r.err == nil }

// runCollectors lets each collector, enabled or not, poll the sample of the fleet, as it would poll all of it: those that are
// enabled first, as long as there are requests beside those that the list and the login need.
func (x *examination) runCollectors(ctx context.Context) {
	for _, c := range x.Collectors {
		x.runs = append(x.runs, &run{Configured: c})
	}
	account := collector.NewAccount("doctor", x.client, nil, func(role collector.Role) collector.Peer {
		if i := slices.IndexFunc(x.runs, func(r *run) bool { return r.Provides == role }); i >= 0 {
			return x.runs[i]
		}
		return nil
	})
	account.Asked = func(sweep.Target, any, error) {}
	x.tap.kept = x.list.toAsk() + forOne + forRefresh
	enabledFirst := slices.SortedStableFunc(slices.Values(x.runs), func(a, b *run) int {
		return rank(a) - rank(b)
	})
	for _, r := range enabledFirst {
		account.Schedule, account.Settings = r.Schedule, r.Settings
		r.poller = r.New(account)
		x.poll(ctx, r)
		if ctx.Err() != nil {
			return
		}
	}
}

// What is asked beside the list: a PBX by its id, and for a refresh.
const forOne, forRefresh = 1, 1

// rank is lower for what is to be asked before others.
func rank(r *run) int {
	if r.Schedule.Enabled {
		return 0
	}
	return 1
}

// poll lets a collector poll the sample.
func (x *examination) poll(ctx context.Context, r *run) {
	shown := &sample{pbxs: x.list.sample(), speaker: x.speaker(), used: map[string]bool{}}
	x.tap.show(shown)
	s, sweeps := r.poller.(collector.Sweeper)
	if sweeps {
		s.AllAtOnce()
	}
	r.began = time.Now()
	_, r.err = r.poller.Poll(ctx, func(int, int) {})
	if sweeps {
		s.Wait()
	}
	x.tap.show(nil)
	r.kinds, r.asked = slices.Sorted(maps.Keys(shown.used)), shown.asked
}

// speaker is the highest serial number of the PBXs that answered when they were asked what they are, or else of those
// that were asked: always the same PBX, in whatever order answers come.
func (x *examination) speaker() string {
	var asked, answered []string
	for _, e := range x.tap.of(systemInformation) {
		sn, _, _ := strings.Cut(strings.TrimPrefix(e.path, "v1/cloud_pbx/"), "/")
		if asked = append(asked, sn); e.failure() == nil {
			answered = append(answered, sn)
		}
	}
	for _, sns := range [][]string{answered, asked} {
		if len(sns) > 0 {
			return slices.Max(sns)
		}
	}
	return ""
}

// tellCollectors tells of each collector's endpoints whether they are served.
func (x *examination) tellCollectors() {
	for _, r := range x.runs {
		x.tellRun(r)
	}
	if len(x.runs) == 0 {
		x.add(endpoints, "collectors", Problem, "No collector could be tried, because there was nothing more to ask.", "see above")
	}
}

func (x *examination) tellRun(r *run) {
	state := "enabled"
	if !r.Schedule.Enabled {
		state = "not enabled"
	}
	if r.poller == nil || len(r.kinds) == 0 {
		why := "the doctor's requests were used up"
		if x.list.pages[1] == nil {
			why = "the token cannot be used"
		}
		if r.AsksPBXs && r.poller != nil {
			why = "no PBX was seen that is Running"
		}
		x.add(endpoints, r.Name, Note, "%s (%s): nothing was asked, because %s.", "", r.Name, state, why)
		return
	}
	served, failed := x.outcome(r)
	if served == nil && !slices.ContainsFunc(r.kinds, func(kind string) bool { return x.tap.count(kind) > 0 }) {
		x.add(endpoints, r.Name, Note, "%s (%s): nothing was asked, because the doctor's requests were used up. %s", "", r.Name, state, x.costs(r))
		return
	}
	works := failed == nil || r.err == nil && (served != nil || r.AsksPBXs)
	v, advice := Fine, ""
	switch {
	case !works && r.Schedule.Enabled:
		v, advice = Problem, x.adviceFor(r)
	case !works:
		v, advice = Note, "leave collector "+r.Name+" switched off"
	case served == nil:
		v, advice = Note, "the PBX that was asked does not serve it: leave collector "+r.Name+" switched off unless others do"
	case failed != nil:
		v, advice = Note, "what is not served has no series; the rest of collector "+r.Name+" works"
	}
	text := []string{}
	if served != nil {
		text = append(text, "served: "+strings.Join(served, ", "))
	}
	x.add(endpoints, r.Name, v, "%s (%s): %s. %s", advice, r.Name, state, strings.Join(append(text, failed...), "; "), x.costs(r))
}

// outcome tells which kinds of requests of a collector are served, and how the others fail.
func (x *examination) outcome(r *run) (served, failed []string) {
	for _, kind := range r.kinds {
		all := x.tap.of(kind)
		if first := x.list.pages[1]; kind == listPath && first != nil {
			all = []*exchange{first} // It is like any other.
		}
		i := slices.IndexFunc(all, func(e *exchange) bool { return e.failure() == nil })
		switch {
		case i >= 0:
			served = append(served, kind)
		case len(all) == 0:
			failed = append(failed, "not asked: "+kind)
		default:
			e := all[0]
			failure := e.failure()
			failed = append(failed, fmt.Sprintf("%s: %s (%s)", word(failure.Class), kind, describe(e, failure)))
		}
	}
	return served, failed
}

func word(c yeastar.Class) string {
	switch c {
	case yeastar.Denied, yeastar.Auth:
		return "denied"
	case yeastar.NotFound:
		return "missing"
	default:
		return "failing"
	}
}

func (x *examination) adviceFor(r *run) string {
	if r.Provides == collector.ListOfPBXs {
		return "see the list below: all other collectors that ask PBXs need it"
	}
	class := yeastar.ClassOf(r.err)
	if class == yeastar.Denied || class == yeastar.NotFound {
		return "grant it to the account in YCM, or switch collector " + r.Name + " off (enabled: false)"
	}
	return "run the doctor again; if it fails again, switch collector " + r.Name + " off (enabled: false) and report it"
}
