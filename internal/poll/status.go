package poll

import (
	"slices"
	"time"

	"github.com/ycm-exporter/ycm_exporter/collector"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// Status is the state of an account, for people.
type Status struct {
	Account, BaseURL string
	Listed           bool // a complete list was read
	PBXs             int  // in the last complete list
	RateLimit        ycmclient.RateLimitState
	Demand           float64           // requests per second that the collectors need on average for their intervals; 0 before the first list
	TokenExpiry      time.Time         // zero without a token
	Collectors       []CollectorStatus // the list of PBXs first
}

// CollectorStatus is how the polls of one collector go. Times are zero for what has not happened.
type CollectorStatus struct {
	Name        string
	Interval    time.Duration
	Waiting     bool // for the first list of PBXs; nothing was polled yet
	Running     bool // a poll is under way
	Done, Total int  // how far it is; a total of 0 is not known yet
	Steps       int  // the total of the last poll that succeeded
	LastStart   time.Time
	LastSuccess time.Time
	Next        time.Time     // when the next poll is due
	Duration    time.Duration // of the last poll that ended
	Sweeps      bool          // each poll is a part of a sweep of all PBXs, of which Done and Total are the progress
	Sweep       time.Duration // of the last complete sweep
	Err         string        // why the last poll that ended failed, in sentences; empty when it succeeded
	Cause       string        // what Err has in common with the errors of other collectors, such as a refused login; empty if nothing
	Polls       []Poll        // the last ones that ended, the newest first
	Restored    bool          // the snapshot being served was restored from storage
}

// Poll is a poll that has ended.
type Poll struct {
	Start    time.Time
	Duration time.Duration
	Err      string // why it failed; empty when it succeeded
}

// history is how many polls are shown of a collector.
const history = 10

// prepend returns the polls with one more, without the oldest. It changes no slice that was handed out.
func prepend(polls []Poll, p Poll) []Poll {
	return append([]Poll{p}, polls[:min(len(polls), history-1)]...)
}

// Status returns how the account is doing.
func (a *Account) Status() Status {
	pbxs, listed := a.collectors.Fleet.Listed()
	s := Status{
		Account: a.options.Account, BaseURL: a.options.BaseURL.Redacted(), Listed: listed, PBXs: pbxs,
		RateLimit: a.options.Client.RateLimit(), TokenExpiry: a.options.Client.TokenExpiry(),
	}
	s.Demand, _, _ = a.demand()
	for _, j := range a.jobs {
		j.mu.Lock()
		one := j.status
		j.mu.Unlock()
		one.Name, one.Interval, one.Waiting = j.Name, j.Schedule.Interval, j.list != nil && !listed
		if one.Sweeps = j.sweeper != nil; one.Sweeps {
			one.Sweep = j.sweeper.Duration()
		}
		if j.Name == collector.CloudPBX {
			s.Collectors = slices.Insert(s.Collectors, 0, one)
		} else {
			s.Collectors = append(s.Collectors, one)
		}
	}
	return s
}
