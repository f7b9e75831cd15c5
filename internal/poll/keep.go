package poll

import (
	"fmt"
	"time"

	"github.com/go-kit/log/level"

	"github.com/ycm-exporter/ycm_exporter/internal/crash"
	"github.com/ycm-exporter/ycm_exporter/internal/exposition"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// Keeper keeps what of an account's collectors must outlive a restart. It tells itself of what it cannot do. Its methods
// may be called concurrently, for one collector one after the other.
type Keeper interface {
	// Keep replaces what is kept of the collector.
	Keep(collector string, m Memory)
	// Recall returns what is kept of the collector, its reading read into the one that is given.
	Recall(collector string, reading any) (Memory, bool)
	// Refuse says that what Recall returned cannot be used.
	Refuse(collector string, err error)
}

// Memory is what must outlive a restart of one collector.
type Memory struct {
	LastSuccess time.Time
	Duration    time.Duration // of the last poll
	Published   time.Time     // when the snapshot of the reading was
	Lasts       time.Duration // how long that is served at least, whatever is configured
	Expires     time.Time     // when the snapshot of the reading is to be withdrawn
	Reading     any           `json:"-"`
}

// keepEvery is how often at most, from poll to poll, a reading is written.
const keepEvery = time.Minute

// Recall goes on where the process before this one left off: what it served is served until it would have been withdrawn
// anyhow. Polls start as ever, because no more is known of them.
func (a *Account) Recall() {
	for _, j := range a.jobs {
		if j.keeper != nil {
			j.recall()
		}
	}
}

func (j *job) recall() {
	m, ok := j.keeper.Recall(j.Name, j.NewReading())
	now := time.Now()
	// A clock that went back must not make an old snapshot live for long.
	expires := yeastar.Earlier(m.Expires, now.Add(max(j.Schedule.StaleAfter, m.Lasts)))
	if !ok || !now.Before(expires) {
		return
	}
	snapshot, err := j.restore(m.Reading)
	if snapshot != nil {
		err = j.out.Publish(j.account, j.Name, snapshot, expires)
	}
	switch {
	case err != nil:
		j.keeper.Refuse(j.Name, err)
		return
	case snapshot == nil:
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.published, j.lasts, j.expires = yeastar.Earlier(m.Published, now), m.Lasts, expires
	j.status.LastSuccess, j.status.Duration, j.status.Restored = yeastar.Earlier(m.LastSuccess, now), m.Duration, true
	j.metrics.restored(j)
	close(j.polled)
	level.Info(j.logger).Log("msg", "What was known before the restart is served", "last_success", m.LastSuccess.UTC().Format(time.RFC3339))
}

// restore gives the poller a reading that came from outside, which may be anything.
func (j *job) restore(reading any) (snapshot exposition.Source, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("it makes no sense: %w", crash.Of(cause))
		}
	}()
	return j.poller.Restore(reading), nil
}

// keepSoon has the newest reading written in the background, so that a disk that takes its time delays no poll and no
// end. While the one before is being written, the newest waits for the next poll.
func (j *job) keepSoon() {
	select {
	case j.keeping <- struct{}{}:
		go func() {
			defer func() { <-j.keeping }()
			j.keep(false)
		}()
	default:
	}
}

// keepLast has the newest reading written after the last poll.
func (j *job) keepLast() {
	j.keeping <- struct{}{}
	defer func() { <-j.keeping }()
	j.keep(true)
}

// keep has the newest reading written, at most once a minute unless it is the last. Only a poll that published has one.
func (j *job) keep(last bool) {
	if j.keeper == nil {
		return
	}
	j.mu.Lock()
	m := Memory{LastSuccess: j.status.LastSuccess, Duration: j.status.Duration, Published: j.published, Lasts: j.lasts, Expires: j.expires}
	began := j.status.LastStart
	write := j.unkept && (last || began.Sub(j.kept) >= keepEvery)
	if write {
		j.unkept, j.kept = false, began
	}
	j.mu.Unlock()
	if !write {
		return
	}
	if m.Reading = j.poller.Reading(); m.Reading != nil {
		j.keeper.Keep(j.Name, m)
	}
}
