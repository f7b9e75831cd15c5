package poll

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-kit/log/level"

	"github.com/ycm-exporter/ycm_exporter/collector"
	"github.com/ycm-exporter/ycm_exporter/internal/crash"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// job is one collector of one account.
type job struct {
	collector.Configured
	Options // of the account; the logger is the collector's own
	poller  collector.Poller
	sweeper collector.Sweeper     // the poller, if that queries PBX after PBX; else nil
	period  time.Duration         // from the start of a poll to the start of the next
	list    *job                  // the list of PBXs, if this collector waits for it
	causes  *causes               // of the account
	watch   func(done, total int) // receives how far the present poll is

	known    chan struct{} // closed by listed
	listed   func()        // the first poll has succeeded, or a snapshot was restored
	nudges   chan struct{} // try again soon
	failures int           // in a row, of those that are repeated soon; used by the polling goroutine alone

	mu          sync.Mutex
	status      CollectorStatus
	result      yeastar.Class // of the last poll that ended; empty before
	lastEnded   time.Time     // the start of the last poll that ended
	nudged      bool          // since the last success
	loginFailed bool          // is why the last poll that ended failed
	expires     time.Time     // of the snapshot that is served; zero before the first
}

// poll polls once. A poll that failed because ctx ended counts as none.
func (j *job) poll(ctx context.Context) error {
	started := time.Now()
	j.mu.Lock()
	if j.status.Running { // Since before a reload.
		started = j.status.LastStart
	}
	j.status.Running, j.status.LastStart = true, started
	j.mu.Unlock()
	j.progress(0, 0)
	before := j.expires
	err := j.attempt(ctx, started)
	defer func() {
		if j.Store != nil && !j.expires.Equal(before) {
			j.Store.Save(j.Name+j.StoreSuffix, j.records)
		}
	}()
	j.mu.Lock()
	defer j.mu.Unlock()
	now := time.Now()
	j.status.Running = ctx.Err() != nil && errors.Is(context.Cause(ctx), collector.ErrReplaced) && !j.QueriesPBXs
	if err != nil && ctx.Err() != nil {
		return err
	}
	j.lastEnded, j.result, j.status.Duration = started, classOf(err), now.Sub(started)
	failed := (*yeastar.Error)(nil)
	j.loginFailed = j.result == yeastar.Auth && errors.As(err, &failed) && failed.Endpoint == ycmclient.EndpointToken
	j.status.Err, j.status.Cause = describe(j.Account, err)
	if err != nil {
		j.status.Restored = j.status.Restored && now.Before(j.expires)
	} else {
		j.status.LastSuccess, j.nudged = now, false
		if j.sweeper == nil { // A sweep continues.
			j.status.Total = max(j.status.Total, 1)
			j.status.Done = j.status.Total
			j.watch(j.status.Done, j.status.Total)
		}
		j.status.Steps = j.status.Total
		j.listed()
	}
	j.status.Polls = prepend(j.status.Polls, Poll{Start: started, Duration: j.status.Duration, Err: j.status.Err})
	j.Metrics.polls.WithLabelValues(j.Account, j.Name, string(j.result)).Inc()
	j.Metrics.export(j)
	return err
}

// attempt polls and publishes. A panic is an error like any other.
func (j *job) attempt(ctx context.Context, started time.Time) error {
	err := crash.Catch(func() error {
		snapshot, err := j.poller.Poll(ctx, j.progress)
		if snapshot != nil {
			err = errors.Join(j.publish(snapshot, time.Since(started)), err)
		}
		return err
	})
	if c := (*crash.Crash)(nil); errors.As(err, &c) {
		level.Error(j.Logger).Log("msg", "Collector panicked", "panic", c.Error(), "stack", string(c.Stack()))
		return fmt.Errorf("account %s: the collector panicked: %w; please report this bug with the stack trace in the log", j.Account, c)
	}
	return err
}

// progress records how far the poll is.
func (j *job) progress(done, total int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.status.Done, j.status.Total = done, total
	j.watch(done, total)
}

// classOf is the error's class; what is not an error of a client is invalid.
func classOf(err error) yeastar.Class {
	var failed *yeastar.Error
	if err != nil && !errors.As(err, &failed) {
		return yeastar.Invalid
	}
	return yeastar.ClassOf(err)
}
