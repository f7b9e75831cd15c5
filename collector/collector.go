// Package collector is what is asked of YCM and its PBXs, and the samples that come of it.
//
// A [Collector] is one value in one file, and [All] is the one list of them: its name, its default schedule, its settings
// with their checks, its columns with the help beside the reader, and how it asks: once per account (ofAccount) or each
// PBX (ofEachPBX). What it learns is a reading, a value of exported fields that outlives reloads; the snapshot is made of
// the reading. A collector returns a snapshot or an error and logs nothing.
//
// What the API did not give has no sample, never a 0. Label values are the clients' texts: valid UTF-8 of at most 1,024
// bytes, longer ones cut between two characters.
package collector

import (
	"context"
	"reflect"
	"slices"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/exposition"
)

// Collector declares one collector.
type Collector struct {
	Name     string        // as in the configuration and in the label collector
	Schedule Schedule      // the default
	Check    time.Duration // how often it polls at least, to find what is due; 0: at its interval
	// Settings makes new settings with their defaults; nil if there are none but the schedule.
	Settings func() Settings
	AsksPBXs bool // so it needs the list of PBXs, or PBXs that are configured
	// Endpoints are those of YCM that it asks, as errors and metrics name them. Their counters start at 0.
	Endpoints []string
	Families  []exposition.Family
	Provides  Role // what other collectors learn from this one; empty: nothing
	Needs     []Need
	New       func(Account) Poller
	// NewReading makes an empty reading, to read one into that was written.
	NewReading func() any
}

// Schedule says whether and how often a collector polls.
type Schedule struct {
	Enabled    bool          `yaml:"enabled"`
	Interval   time.Duration `yaml:"interval"`    // from the start of a poll, or a sweep, to the start of the next
	StaleAfter time.Duration `yaml:"stale_after"` // how long past its poll a snapshot is served when later polls fail
}

// Settings is what a collector can be told besides its schedule: a pointer to a struct whose fields have yaml keys.
type Settings interface {
	// Check returns what is wrong with the values.
	Check() []Problem
}

// Requirer is settings for which another collector must be enabled.
type Requirer interface {
	// Requires tells the role of that collector, and the key that asks for it; both are empty where none does.
	Requires() (role Role, path string)
}

// Problem is one mistake in settings. It never shows a value.
type Problem struct {
	Path    string // of the key below the collector's, such as types[1]; empty for the collector itself
	Message string // what would be right
}

// Configured is a collector with the schedule and the settings that the configuration gives it.
type Configured struct {
	Collector
	Schedule Schedule
	Settings Settings // nil if the collector has none
	Excluded []string // families of the collector that are not made
}

// Equal reports whether two are configured alike.
func (c Configured) Equal(d Configured) bool {
	return c.Name == d.Name && c.Schedule == d.Schedule && c.SameSettings(d) && c.SameFamilies(d)
}

// SameFamilies reports whether two have the same families left.
func (c Configured) SameFamilies(d Configured) bool { return slices.Equal(c.Excluded, d.Excluded) }

// SameSettings reports whether two have the same settings, whatever their schedules.
func (c Configured) SameSettings(d Configured) bool { return reflect.DeepEqual(c.Settings, d.Settings) }

// Requires is the role of a collector that must be enabled for this one, and the key that asks for it; both are empty where
// none does.
func (c Configured) Requires() (role Role, path string) {
	if r, ok := c.Settings.(Requirer); ok {
		return r.Requires()
	}
	return "", ""
}

// Poller is a collector at work for one account. Its methods but Reading are for one goroutine.
type Poller interface {
	// Poll asks, and returns a snapshot of what is known then, complete or not at all; only a Sweeper's may come with an
	// error. progress is told how far it is.
	Poll(ctx context.Context, progress func(done, total int)) (exposition.Source, error)
	// Reading is what is known: a pointer to a value that encoding/json can write and read back, nil before the first
	// poll. What it points to does not change.
	Reading() any
	// Restore takes over the reading of the same collector of an account that has ended, and returns the snapshot of
	// that, nil if there is nothing to show yet.
	Restore(reading any) exposition.Source
}

// Sweeper is a Poller that asks PBX after PBX, which takes it an interval or more. Its polls are short: each goes on
// where the one before ended, and has a snapshot of the newest that is known. That may come with an error, when only a
// part of the PBXs could be asked.
type Sweeper interface {
	Poller
	// Duration is how long the last sweep took, or the present one takes already if that is longer; 0 before the first.
	Duration() time.Duration
	// AllAtOnce makes each poll a whole sweep that is not spread over the interval.
	AllAtOnce()
	// Wait returns when no request is under way, soon after the polls' context has ended.
	Wait()
}
