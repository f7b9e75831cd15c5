package poll

import (
	"time"

	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// Status tells how an account is doing, for people.
type Status struct {
	Account, BaseURL string
	PBXs             int // in the last complete list
	Budget           ycmclient.BudgetState
	TokenExpiry      time.Time // zero without a token
	Collectors       []CollectorStatus
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
}

// Status tells how the account is doing.
func (a *Account) Status() Status {
	s := Status{
		Account: a.options.Account, BaseURL: a.options.BaseURL.Redacted(),
		PBXs:   a.fleet.Listed(),
		Budget: a.options.Client.Budget(), TokenExpiry: a.options.Client.TokenExpiry(),
		Collectors: make([]CollectorStatus, len(a.jobs)),
	}
	for i, j := range a.jobs {
		j.mu.Lock()
		s.Collectors[i] = j.status
		j.mu.Unlock()
		s.Collectors[i].Name, s.Collectors[i].Interval = j.Name, j.Schedule.Interval
	}
	return s
}
