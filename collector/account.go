package collector

import (
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/series"
	"github.com/ycm-exporter/ycm_exporter/internal/sweep"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// Account is what a collector works with.
type Account struct {
	series.Account
	YCM      *ycmclient.Client
	Fleet    *sweep.Fleet
	Schedule Schedule // the collector's own
	Settings Settings // the collector's own; nil if it has none
	// Queried receives each PBX that the collector queried, and the error.
	Queried  func(t sweep.Target, err error)
	Progress func(done, total int) // receives how far the present poll is

	serving func(collector string) bool
	pollers pollers
}

// pollers are those of the account's enabled collectors, by name, whose readings other collectors use.
type pollers map[string]Poller

// Start makes the poller of an enabled collector.
func (a Account) Start(c Configured) Poller {
	a.Schedule, a.Settings, a.Excluded = c.Schedule, c.Settings, c.Excluded
	p := c.New(a)
	a.pollers[c.Name] = p
	return p
}

// NewAccount makes an account for collectors. listed is whether the list of PBXs is polled, and serving reports whether the
// snapshot of a collector is being served.
func NewAccount(name string, ycm *ycmclient.Client, direct []sweep.Direct, listed bool, serving func(collector string) bool) Account {
	a := Account{Account: series.Account{Name: name}, YCM: ycm, serving: serving, pollers: pollers{}}
	var list sweep.List
	if listed {
		list = a.pollers
	}
	a.Fleet = sweep.NewFleet(name, ycm, direct, list)
	return a
}

// readingOf returns the newest reading of a collector, nil if there is none.
func readingOf[R any](p pollers, name string) *R {
	if p, ok := p[name].(*accountPoller[R]); ok {
		return p.reading.Load()
	}
	return nil
}

// List implements sweep.List.
func (p pollers) List() *ycmclient.List {
	if r := readingOf[listReading](p, CloudPBX); r != nil {
		return &r.List
	}
	return nil
}

// LastPoll implements sweep.List.
func (p pollers) LastPoll() (began time.Time, succeeded bool) {
	if last := p[CloudPBX].(*accountPoller[listReading]).last.Load(); last != nil {
		return last.began, last.succeeded
	}
	return time.Time{}, false
}
