package poll

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"

	"github.com/ycm-exporter/ycm_exporter/collector"
	"github.com/ycm-exporter/ycm_exporter/internal/crash"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// job is one collector of one account.
type job struct {
	collector.Configured
	account string
	poller  collector.Poller
	period  time.Duration // from the start of a poll to the start of the next
	uses    *job          // that this one waits for; may be nil
	out     Publisher
	store   Store // may be nil
	metrics *Metrics
	logger  log.Logger
	watch   func(done, total int) // may be nil; receives how far the present poll is

	polled    chan struct{}  // closed when the first poll has ended, or a snapshot was restored
	succeeded chan struct{}  // closed when the first poll has succeeded, or a snapshot was restored
	nudges    chan time.Time // when to try again earlier
	logged    logged         // used by the polling goroutine alone
	failures  int            // in a row, of those that are repeated soon; used by the polling goroutine alone

	mu        sync.Mutex
	status    CollectorStatus
	result    yeastar.Class // of the last poll that ended; empty before
	lastEnded time.Time     // the start of the last poll that ended
	nudged    bool          // since the last success
	snapshot  served
	unsaved   bool      // the snapshot is newer than what was saved
	saved     time.Time // the start of the poll that was saved last
}

func newJob(o Options, c collector.Configured) *job {
	return &job{
		Configured: c, account: o.Account, period: c.Schedule.Interval, out: o.Publisher, store: o.Store, metrics: o.Metrics,
		logger: log.With(o.Logger, "account", o.Account, "collector", c.Name),
		polled: make(chan struct{}), succeeded: make(chan struct{}), nudges: make(chan time.Time, 1),
	}
}

// sweeper is the job's poller, if that queries PBX after PBX.
func (j *job) sweeper() (collector.Sweeper, bool) {
	s, ok := j.poller.(collector.Sweeper)
	return s, ok
}

// poll polls once. A poll that failed because ctx ended counts as none.
func (j *job) poll(ctx context.Context) error {
	started := time.Now()
	j.mu.Lock()
	j.status.Running, j.status.LastStart, j.status.Next = true, started, started.Add(j.period)
	j.mu.Unlock()
	j.progress(0, 0)
	err := j.attempt(ctx, started)

	j.mu.Lock()
	defer j.mu.Unlock()
	now := time.Now()
	j.status.Running = false
	if err != nil {
		j.release(now)
	}
	if err != nil && ctx.Err() != nil {
		return err
	}
	j.lastEnded, j.result, j.status.Duration, j.status.Err = started, classOf(err), now.Sub(started), ""
	if err != nil {
		j.status.Err = err.Error()
	} else {
		j.status.LastSuccess, j.nudged = now, false
		j.status.Total = max(j.status.Total, 1)
		j.status.Done = j.status.Total
		if j.watch != nil {
			j.watch(j.status.Done, j.status.Total)
		}
		closeOnce(j.succeeded)
	}
	j.status.Polls = prepend(j.status.Polls, Poll{Start: started, Duration: j.status.Duration, Total: j.status.Total, Err: j.status.Err})
	closeOnce(j.polled)
	j.metrics.polls.WithLabelValues(j.account, j.Name, string(j.result)).Inc()
	j.metrics.show(j)
	return err
}

// attempt polls and publishes. A panic is an error like any other.
func (j *job) attempt(ctx context.Context, started time.Time) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			c := crash.Of(cause)
			level.Error(j.logger).Log("msg", "Collector panicked", "panic", c.Error(), "stack", string(c.Stack()))
			err = fmt.Errorf("account %s: the collector panicked: %v; please report it with the stack in the log", j.account, cause)
		}
	}()
	snapshot, err := j.poller.Poll(ctx, j.progress)
	if snapshot != nil {
		err = errors.Join(j.publish(snapshot, time.Since(started)), err)
	}
	return err
}

// progress records how far the poll is.
func (j *job) progress(done, total int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.status.Done, j.status.Total = done, total
	j.hold(time.Now())
	if j.watch != nil {
		j.watch(done, total)
	}
}

// classOf is the error's class; what is not an error of a client is invalid.
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

func closeOnce(c chan struct{}) {
	if !isClosed(c) {
		close(c)
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
