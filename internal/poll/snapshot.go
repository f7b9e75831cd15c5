package poll

import (
	"reflect"
	"time"

	"github.com/go-kit/log/level"

	"github.com/ycm-exporter/ycm_exporter/internal/exposition"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// saveInterval is how often at most a collector's reading is saved.
const saveInterval = time.Minute

// published is when the snapshot that is served was published.
type published struct {
	Published time.Time     // zero when there is none
	Lasts     time.Duration // from then on at least, whatever is configured: twice its poll's duration
}

// saved is the first record of what is saved of a collector; those of its poller follow.
type saved struct {
	LastSuccess time.Time
	Duration    time.Duration // of the last poll
	published
}

// expires returns when the snapshot is no longer served.
func (p published) expires(staleAfter time.Duration) time.Time {
	return p.Published.Add(max(staleAfter, p.Lasts))
}

// publish serves the snapshot of a poll that took that long.
func (j *job) publish(snapshot exposition.Source, took time.Duration) error {
	p := published{time.Now(), 2 * took}
	if err := j.Publisher.Publish(j.Account, j.Name, snapshot, p.expires(j.Schedule.StaleAfter)); err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.snapshot, j.status.Restored = p, false
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
	j.status, j.result, j.snapshot, j.saved = old.status, old.result, old.snapshot, old.saved
	if unchanged && reflect.DeepEqual(j.Settings, old.Settings) {
		j.lastEnded = old.lastEnded
	}
	if snapshot != nil {
		j.listed()
	}
	expires := j.snapshot.expires(j.Schedule.StaleAfter)
	if snapshot == nil || !time.Now().Before(expires) {
		j.Publisher.Withdraw(j.Account, j.Name)
	} else if err := j.Publisher.Publish(j.Account, j.Name, snapshot, expires); err != nil {
		level.Error(j.Logger).Log("msg", "Failed to publish the snapshot from before the reload", "err", err)
		j.Publisher.Withdraw(j.Account, j.Name)
	}
	j.Metrics.export(j)
}

// save has the reading persisted, at most once a minute unless it is the last.
func (j *job) save(last bool) {
	j.mu.Lock()
	// Polls every minute are saved each, although they do not take equally long.
	due := j.Store != nil && j.snapshot.Published.After(j.saved) && (last || j.snapshot.Published.Sub(j.saved) >= saveInterval*9/10)
	if due {
		j.saved = j.snapshot.Published
	}
	j.mu.Unlock()
	if due {
		j.Store.Save(j.Name, j.records)
	}
}

func (j *job) records(write func(record any) error) error {
	j.mu.Lock()
	s := saved{j.status.LastSuccess, j.status.Duration, j.snapshot}
	j.mu.Unlock()
	if err := write(s); err != nil {
		return err
	}
	return j.poller.Save(write)
}

// restore serves what records has written, unless that has expired. No poll has ended then, so no outcome is exported.
func (j *job) restore(next func(record any) error) error {
	var s saved
	if err := next(&s); err != nil {
		return err
	}
	// A clock that was set back must neither prolong a snapshot nor export a time in the future.
	now := time.Now()
	s.Published, s.LastSuccess = yeastar.Earlier(s.Published, now), yeastar.Earlier(s.LastSuccess, now)
	expires := s.expires(j.Schedule.StaleAfter)
	if !now.Before(expires) {
		return nil
	}
	snapshot, err := j.poller.Load(next)
	if err != nil || snapshot == nil {
		return err
	}
	if err := j.Publisher.Publish(j.Account, j.Name, snapshot, expires); err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.snapshot, j.saved = s.published, s.Published
	j.status.LastSuccess, j.status.Duration, j.status.Restored = s.LastSuccess, s.Duration, true
	j.listed()
	j.Metrics.export(j)
	level.Info(j.Logger).Log("msg", "Serving snapshot restored from storage", "last_success", s.LastSuccess.UTC().Format(time.RFC3339))
	return nil
}
