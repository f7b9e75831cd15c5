// Package collector declares what is requested of YCM and its PBXs, and the samples made of the answers.
//
// A [Collector] is one value in one file, and [All] lists them: name, default schedule, settings with their checks, columns
// with their help, and how it polls: an account as a whole (ofAccount) or each PBX (ofEachPBX). What a poll returns is a
// reading, which is never changed; the snapshot is made of it, and it persists across reloads and restarts. A collector
// returns a snapshot or an error and logs nothing. When it polls is decided elsewhere.
//
// A value that the API did not give has no sample, never a 0.
package collector

import (
	"context"
	"reflect"
	"slices"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/exposition"
	"github.com/ycm-exporter/ycm_exporter/internal/series"
	"github.com/ycm-exporter/ycm_exporter/internal/sweep"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// Names of collectors that others depend on, or that are treated specially.
const (
	CloudPBX         = "cloud_pbx" // an account is up, and ready, by its polls
	Firmware         = "firmware"
	Extensions       = "extensions"
	Phones           = "phones"
	Autoprovisioning = "autoprovisioning"
)

// Collector declares one collector.
type Collector struct {
	Name     string        // as in the configuration and in the label collector
	Schedule Schedule      // the default
	Check    time.Duration // how often it polls at least, to find what is due; 0: at its interval
	// Settings makes new settings with their defaults; nil if there are none but the schedule.
	Settings    func() Settings
	QueriesPBXs bool // it needs the list of PBXs, or PBXs with direct access
	// Endpoints are those of YCM that it requests, as errors and metrics name them. Their counters start at 0.
	Endpoints []string
	Families  []exposition.Family
	New       func(Account) Poller
}

// Schedule says whether and how often a collector polls.
type Schedule struct {
	Enabled    bool          `yaml:"enabled"`
	Interval   time.Duration `yaml:"interval"`    // from the start of a poll, or a sweep, to the start of the next
	StaleAfter time.Duration `yaml:"stale_after"` // how long past its poll a snapshot is served when later polls fail
}

// on and off are the schedules of collectors that poll, or do not, unless the configuration says otherwise.
func on(interval time.Duration) Schedule  { return Schedule{Enabled: true, Interval: interval} }
func off(interval time.Duration) Schedule { return Schedule{Interval: interval} }

// Settings are what is configured besides the schedule: a pointer to a struct whose fields have yaml keys.
type Settings interface {
	// Check returns what is wrong with the values.
	Check() []Problem
}

// Problem is one mistake in settings. It never shows a value.
type Problem struct {
	Path    string // of the key below the collector's, such as types[1]; empty for the collector itself
	Message string // what would be right
	Needs   string // instead of a message: a collector that must be enabled for this key
}

// Configured is a collector with the schedule and the settings that the configuration gives it.
type Configured struct {
	Collector
	Schedule Schedule `yaml:",inline"`
	Settings Settings `yaml:",inline"` // nil if the collector has none
	Excluded []string // families of the collector that are not made
}

// Equal reports whether two are configured alike.
func (c Configured) Equal(d Configured) bool {
	return c.Name == d.Name && c.Schedule == d.Schedule && reflect.DeepEqual(c.Settings, d.Settings) && slices.Equal(c.Excluded, d.Excluded)
}

// FleetSize is what the requests of collectors depend on: the pages of the list, the PBXs that are queried through YCM, the pages of their
// extensions if known, and their firmware versions.
type FleetSize struct{ Pages, PBXs, ExtensionPages, Versions float64 }

// PerSecond returns how many requests per second to YCM the interval needs on average. counted is how many requests one poll took, or
// one PBX or version of it; 0 if that is not known.
func (c Configured) PerSecond(f FleetSize, counted float64) float64 {
	requests := max(counted, float64(len(c.Endpoints)))
	switch {
	case !c.Schedule.Enabled:
		return 0
	case c.Name == CloudPBX:
		requests = f.Pages
	case c.Name == Extensions && f.ExtensionPages > 0:
		requests = f.ExtensionPages
	case c.QueriesPBXs && c.Check > 0:
		requests *= f.Versions
	case c.QueriesPBXs:
		requests *= f.PBXs
	}
	return requests / c.Schedule.Interval.Seconds()
}

// Poller is a collector at work for one account. Its methods are for one goroutine, but for Save.
type Poller interface {
	// Poll returns a snapshot of what is known then, complete or not at all; only a Sweeper's may come with an error.
	// progress receives how far the poll is.
	Poll(ctx context.Context, progress func(done, total int)) (exposition.Source, error)
	// TakeOver adopts the reading of the same collector of an account that has ended, and returns the snapshot of that, nil
	// if there is none.
	TakeOver(old Poller) exposition.Source
	// Save writes the reading, of which there is one once Poll or TakeOver has returned a snapshot, as records that
	// encoding/json can write. It may be called while the collector polls.
	Save(write func(record any) error) error
	// Load adopts a reading that Save has written, and returns the snapshot of that, nil if there is nothing to serve yet.
	Load(next func(record any) error) (exposition.Source, error)
}

// Sweeper is a Poller that queries PBX after PBX, which takes it an interval or more. Its polls are short: each continues where
// the one before ended, and has a snapshot of the newest that is known. That may come with an error, when only a part of the
// PBXs could be queried.
type Sweeper interface {
	Poller
	// Duration is how long the last sweep took, or the present one takes already if that is longer; 0 before the first.
	Duration() time.Duration
	// AllAtOnce makes each poll a whole sweep that is not spread over the interval.
	AllAtOnce()
	// Wait returns when no request is under way, soon after the polls' context has ended.
	Wait()
}

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
func NewAccount(name string, ycm *ycmclient.Client, direct []*sweep.Direct, listed bool, serving func(collector string) bool) Account {
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
