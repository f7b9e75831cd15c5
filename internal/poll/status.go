package poll

import (
	"cmp"
	"slices"
	"time"

	"github.com/ycm-exporter/ycm_exporter/collector"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// Status tells how an account is doing, for people.
type Status struct {
	Account, BaseURL string
	Listed           bool // a complete list was read
	PBXs             int  // in the last complete list
	Budget           ycmclient.BudgetState
	Demand           float64           // requests a second that the collectors send on average at their intervals; 0 before the first polls
	TokenExpiry      time.Time         // zero without a token
	Collectors       []CollectorStatus // the list of PBXs first
}

// CollectorStatus tells how the polls of one collector go. Times are zero for what has not happened.
type CollectorStatus struct {
	Name        string
	Interval    time.Duration
	Running     bool // a poll is under way
	Done, Total int  // how far it is; a total of 0 is not known yet
	LastStart   time.Time
	LastSuccess time.Time
	Next        time.Time     // when the next poll is due
	Duration    time.Duration // of the last poll that ended
	Err         string        // why the last poll that ended failed; empty when it succeeded
	Polls       []Poll        // the last ones that ended, the newest first
	Restored    bool          // the last success was before a restart, and its snapshot outlived it
}

// Status tells how the account is doing.
func (a *Account) Status() Status {
	pbxs, listed := a.fleet.Listed()
	s := Status{
		Account: a.options.Account, BaseURL: a.options.BaseURL.Redacted(),
		Listed: listed, PBXs: pbxs,
		Budget: a.options.Client.Budget(), Demand: a.demand(), TokenExpiry: a.options.Client.TokenExpiry(),
		Collectors: make([]CollectorStatus, len(a.jobs)),
	}
	jobs := slices.Clone(a.jobs)
	slices.SortStableFunc(jobs, func(a, b *job) int { return cmp.Compare(a.rank(), b.rank()) })
	for i, j := range jobs {
		j.mu.Lock()
		s.Collectors[i] = j.status
		s.Collectors[i].Polls = j.history
		j.mu.Unlock()
		s.Collectors[i].Name, s.Collectors[i].Interval = j.Name, j.Schedule.Interval
	}
	return s
}

// rank puts the list of PBXs before what else is polled.
func (j *job) rank() int {
	if j.Provides == collector.ListOfPBXs {
		return 0
	}
	return 1
}
