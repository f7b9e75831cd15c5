package poll

import (
	"reflect"
	"time"

	"github.com/go-kit/log/level"

	"github.com/ycm-exporter/ycm_exporter/internal/exposition"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// saved is the first record of what is saved of a collector; those of its poller follow.
type saved struct {
	LastSuccess time.Time
	Duration    time.Duration // of the last poll
	Expires     time.Time
}

// lasts is how long the snapshot of a poll that took that long is served.
func (j *job) lasts(took time.Duration) time.Duration { return max(j.Schedule.StaleAfter, 2*took) }

// publish serves the snapshot of a poll that took that long.
func (j *job) publish(snapshot exposition.Source, took time.Duration) error {
	expires := time.Now().Add(j.lasts(took))
	if err := j.Publisher.Publish(j.Account, j.Name, snapshot, expires); err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.expires, j.status.Restored = expires, false
	return nil
}

// inherit continues where the same collector of an account that has ended left off; unchanged is whether the account itself is
// what it was.
func (j *job) inherit(old *job, unchanged bool) {
	snapshot := j.poller.TakeOver(old.poller)
	old.mu.Lock()
	defer old.mu.Unlock()
	j.mu.Lock()
	defer j.mu.Unlock()
	j.status, j.result, j.expires = old.status, old.result, old.expires
	if unchanged && reflect.DeepEqual(j.Settings, old.Settings) {
		j.lastEnded = old.lastEnded
	}
	if snapshot != nil {
		j.listed()
	}
	if snapshot == nil || !time.Now().Before(j.expires) {
		j.Publisher.Withdraw(j.Account, j.Name)
	} else if err := j.Publisher.Publish(j.Account, j.Name, snapshot, j.expires); err != nil {
		level.Error(j.Logger).Log("msg", "Failed to publish snapshot from before the reload", "err", err)
		j.Publisher.Withdraw(j.Account, j.Name)
	}
	j.Metrics.export(j)
}

// records writes what restore reads.
func (j *job) records(write func(record any) error) error {
	j.mu.Lock()
	s := saved{j.status.LastSuccess, j.status.Duration, j.expires}
	j.mu.Unlock()
	if err := write(s); err != nil {
		return err
	}
	return j.poller.Save(write)
}

// restore serves what records has written, unless that has expired.
func (j *job) restore(next func(record any) error) error {
	var s saved
	if err := next(&s); err != nil {
		return err
	}
	// A clock that was set back must neither prolong a snapshot nor export a time in the future.
	now := time.Now()
	s.Expires, s.LastSuccess = yeastar.Earlier(s.Expires, now.Add(j.lasts(s.Duration))), yeastar.Earlier(s.LastSuccess, now)
	if !now.Before(s.Expires) {
		return nil
	}
	snapshot, err := j.poller.Load(next)
	if err != nil || snapshot == nil {
		return err
	}
	if err := j.Publisher.Publish(j.Account, j.Name, snapshot, s.Expires); err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.expires, j.status.LastSuccess, j.status.Duration, j.status.Restored = s.Expires, s.LastSuccess, s.Duration, true
	j.listed()
	j.Metrics.export(j)
	level.Info(j.Logger).Log("msg", "Serving snapshot restored from storage", "last_success", s.LastSuccess.UTC().Format(time.RFC3339))
	return nil
}
