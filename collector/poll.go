package collector

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"

	"github.com/ycm-exporter/ycm_exporter/config"
	"github.com/ycm-exporter/ycm_exporter/crash"
	"github.com/ycm-exporter/ycm_exporter/exposition"
	"github.com/ycm-exporter/ycm_exporter/yeastar"
)

// collector makes a snapshot of what it is about, complete or not at all; one that makes rounds, see there. It may tell
// progress how far it is.
type collector interface {
	Poll(ctx context.Context, progress func(done, total int)) (exposition.Source, error)
}

// job is one collector of one account: when it is polled, what became of it, and how long its snapshot is served.
type job struct {
	account, name string
	schedule      config.Schedule
	settings      []any         // what else is configured of the collector
	period        time.Duration // from the start of a poll to the start of the next
	collector     collector
	rounds        rounds // the collector, if it makes rounds
	after         *job   // may be nil; this job starts when that one's first poll has ended
	out           Publisher
	metrics       *Metrics
	logger        log.Logger
	watch         func(done, total int) // may be nil; is told how far the present poll is

	polled   chan struct{} // closed when the first poll has ended, well or badly
	lastLine logged        // touched by the polling goroutine alone

	mu        sync.Mutex
	status    CollectorStatus
	lastEnded time.Time // the start of the last poll that ended
	expires   time.Time // of the snapshot being served; zero when there is none
	holding   bool      // it is served beyond that, because a poll is under way
}

// longestPoll is how long a snapshot is at most served for the sake of a poll that is under way.
const longestPoll = 24 * time.Hour

// poll polls the collector once, and keeps account of it. A poll that failed because ctx ended counts as none.
func (j *job) poll(ctx context.Context) error {
	started := time.Now()
	j.begin(started)
	err := j.attempt(ctx)
	if err != nil && ctx.Err() != nil {
		j.abandon()
		return err
	}
	j.end(started, time.Now(), err)
	return err
}

// attempt polls and publishes. A panic is an error like any other.
func (j *job) attempt(ctx context.Context) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			c, elsewhere := cause.(*crash.Crash)
			if !elsewhere {
				c = crash.Of(cause)
			}
			level.Error(j.logger).Log("msg", "Collector panicked", "panic", c.Error(), "stack", string(c.Stack()))
			err = fmt.Errorf("account %s: the collector panicked: %v; please report it with the stack in the log", j.account, cause)
		}
	}()
	snapshot, err := j.collector.Poll(ctx, j.progress)
	if snapshot == nil {
		return err
	}
	expires := time.Now().Add(j.schedule.StaleAfter)
	if failed := j.out.Publish(j.account, j.name, snapshot, expires); failed != nil {
		return errors.Join(failed, err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.expires, j.holding = expires, false
	return err
}

// begin notes that a poll starts. If the last snapshot is still served, it will be until this poll has ended: the
// poll may well take longer than the snapshot has left, and then series would go and come back.
func (j *job) begin(now time.Time) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.status.Running, j.status.LastStart, j.status.Next = true, now, now.Add(j.period)
	j.status.Done, j.status.Total = 0, 0
	if now.Before(j.expires) {
		j.holding = true
		j.out.Extend(j.account, j.name, now.Add(longestPoll))
	}
	j.tell()
}

// progress notes how far the poll is.
func (j *job) progress(done, total int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.status.Done, j.status.Total = done, total
	j.tell()
}

func (j *job) tell() {
	if j.watch != nil {
		j.watch(j.status.Done, j.status.Total)
	}
}

// end notes what became of a poll.
func (j *job) end(started, now time.Time, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lastEnded = started
	j.status.Running, j.status.Duration = false, now.Sub(started)
	if err == nil {
		j.status.LastSuccess, j.status.Err = now, ""
		j.status.Total = max(j.status.Total, 1)
		j.status.Done = j.status.Total
		j.tell()
	} else {
		j.status.Err = err.Error()
		j.release(now)
	}
	j.metrics.ended(j.account, j.name, classOf(err), j.status)
	if j.rounds != nil {
		j.metrics.round.WithLabelValues(j.account, j.name).Set(j.rounds.lap().Seconds())
	}
	select {
	case <-j.polled:
	default:
		close(j.polled)
	}
}

// abandon notes that a poll was given up because polling ends.
func (j *job) abandon() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.status.Running = false
	j.release(time.Now())
}

// release lets the last snapshot expire when it is its time, which may be now.
func (j *job) release(now time.Time) {
	switch {
	case j.expires.IsZero():
	case !now.Before(j.expires):
		j.out.Withdraw(j.account, j.name)
		j.expires = time.Time{}
	case j.holding:
		j.out.Extend(j.account, j.name, j.expires)
	}
	j.holding = false
}

// last is when the last poll began that has ended, and whether it succeeded.
func (j *job) last() (began time.Time, well bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.lastEnded, j.status.Err == ""
}

// serving reports whether the collector's last snapshot is being served.
func (j *job) serving() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.holding || time.Now().Before(j.expires)
}

// inherit goes on where the same collector of an account that has ended left off; when says whether that is also true
// of the time of the next poll.
func (j *job) inherit(old *job, when bool) {
	old.mu.Lock()
	defer old.mu.Unlock()
	j.mu.Lock()
	defer j.mu.Unlock()
	j.status = old.status
	if when {
		j.lastEnded = old.lastEnded
	}
	if !old.expires.IsZero() {
		j.expires = j.status.LastSuccess.Add(j.schedule.StaleAfter)
		j.out.Extend(j.account, j.name, j.expires)
	}
	select {
	case <-old.polled:
		close(j.polled)
	default:
	}
}

// classOf is the error's class. Whatever is not the client's is something that could not be understood.
func classOf(err error) yeastar.Class {
	var failed *yeastar.Error
	switch {
	case err == nil:
		return yeastar.OK
	case errors.As(err, &failed):
		return failed.Class
	default:
		return yeastar.Invalid
	}
}
