package poll

import (
	"reflect"
	"slices"
	"time"

	"github.com/go-kit/log/level"

	"github.com/ycm-exporter/ycm_exporter/internal/exposition"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

const (
	// longestSilence is how long a poll under way may make no progress before it no longer holds a stale snapshot.
	longestSilence = 2 * time.Minute
	// saveInterval is how often at most a snapshot's reading is saved.
	saveInterval = time.Minute
)

// served is how long a snapshot is served.
type served struct {
	Published time.Time
	Lasts     time.Duration // from then on at least, whatever is configured: twice its poll's duration
	Expires   time.Time     // zero when there is no snapshot

	held time.Time // until when it is served all the same, because a poll under way makes progress; zero if it is not
}

// until is when the snapshot is served no longer.
func (s served) until() time.Time {
	if s.held.After(s.Expires) {
		return s.held
	}
	return s.Expires
}

// saved is the first record of what is saved of a collector; those of its poller follow.
type saved struct {
	LastSuccess time.Time
	Duration    time.Duration // of the last poll
	served
}

// publish serves the snapshot of a poll that took that long.
func (j *job) publish(snapshot exposition.Source, took time.Duration) error {
	now := time.Now()
	s := served{Published: now, Lasts: 2 * took, Expires: now.Add(max(j.Schedule.StaleAfter, 2*took))}
	if err := j.out.Publish(j.account, j.Name, snapshot, s.Expires); err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.snapshot, j.unsaved, j.status.Restored = s, true, false
	return nil
}

// serving reports whether a snapshot is being served.
func (j *job) serving() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return time.Now().Before(j.snapshot.until())
}

// hold serves the snapshot beyond its time while the poll under way makes progress, which may take longer than the snapshot has
// left: otherwise series would go and come back. A snapshot that has expired does not come back. j.mu must be held.
func (j *job) hold(now time.Time) {
	s := &j.snapshot
	patience := min(longestSilence, j.Schedule.StaleAfter)
	until := now.Add(patience)
	if !now.Before(s.until()) || until.Before(s.Expires) || until.Sub(s.held) < patience/10 {
		return
	}
	s.held = until
	j.out.Extend(j.account, j.Name, until)
}

// release no longer holds the snapshot, because the poll under way has failed. j.mu must be held.
func (j *job) release(now time.Time) {
	s := &j.snapshot
	switch {
	case s.Expires.IsZero():
	case !now.Before(s.Expires):
		j.out.Withdraw(j.account, j.Name)
		s.Expires, j.status.Restored = time.Time{}, false
	case !s.held.IsZero():
		j.out.Extend(j.account, j.Name, s.Expires)
	}
	s.held = time.Time{}
}

// inherit continues where the same collector of an account that has ended left off; unchanged is whether the account itself is
// what it was.
func (j *job) inherit(old *job, unchanged bool) {
	snapshot := j.poller.TakeOver(old.poller)
	old.mu.Lock()
	defer old.mu.Unlock()
	j.mu.Lock()
	defer j.mu.Unlock()
	j.status, j.result, j.snapshot, j.saved, j.logged.listed = old.status, old.result, old.snapshot, old.saved, old.logged.listed
	same := reflect.DeepEqual(j.Settings, old.Settings)
	if unchanged && same {
		j.lastEnded = old.lastEnded
	}
	if s := &j.snapshot; !s.Expires.IsZero() {
		s.Expires = s.Published.Add(max(j.Schedule.StaleAfter, s.Lasts))
		if same && slices.Equal(j.Excluded, old.Excluded) && j.account == old.account || snapshot == nil || !time.Now().Before(s.Expires) {
			j.out.Extend(j.account, j.Name, s.Expires)
		} else if err := j.out.Publish(j.account, j.Name, snapshot, s.Expires); err != nil {
			level.Error(j.logger).Log("msg", "Failed to publish the snapshot from before the reload", "err", err)
			j.out.Withdraw(j.account, j.Name)
		}
	}
	if isClosed(old.succeeded) {
		close(j.succeeded)
	}
	if isClosed(old.polled) {
		close(j.polled)
		if j.account != old.account {
			j.metrics.show(j)
		}
	}
}

// save has the reading persisted, at most once a minute unless it is the last.
func (j *job) save(last bool) {
	j.mu.Lock()
	due := j.store != nil && j.unsaved && (last || j.status.LastStart.Sub(j.saved) >= saveInterval)
	if due {
		j.unsaved, j.saved = false, j.status.LastStart
	}
	j.mu.Unlock()
	if due {
		j.store.Save(j.Name, j.records)
	}
}

func (j *job) records(write func(record any) error) error {
	j.mu.Lock()
	s := saved{LastSuccess: j.status.LastSuccess, Duration: j.status.Duration, served: j.snapshot}
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
	now := time.Now()
	// A clock that was set back must neither prolong a snapshot nor export a time in the future.
	s.Expires = yeastar.Earlier(s.Expires, now.Add(max(j.Schedule.StaleAfter, s.Lasts)))
	s.Published, s.LastSuccess = yeastar.Earlier(s.Published, now), yeastar.Earlier(s.LastSuccess, now)
	if !now.Before(s.Expires) {
		return nil
	}
	snapshot, err := j.poller.Load(next)
	if err != nil || snapshot == nil {
		return err
	}
	if err := j.out.Publish(j.account, j.Name, snapshot, s.Expires); err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.snapshot = s.served
	j.status.LastSuccess, j.status.Duration, j.status.Restored = s.LastSuccess, s.Duration, true
	close(j.polled)
	close(j.succeeded)
	j.metrics.show(j)
	level.Info(j.logger).Log("msg", "Serving snapshot restored from storage", "last_success", s.LastSuccess.UTC().Format(time.RFC3339))
	return nil
}
