package poll

import (
	"context"
	"time"
)

// run polls until ctx ends: from start to start on the collector's interval, at once when late, sooner after a failure that
// may have passed, and the first time after the delay. succeeded is told of each poll that succeeded.
func (j *job) run(ctx context.Context, delay time.Duration, succeeded func(*job)) {
	for _, w := range j.waits {
		if !w.wait(ctx) {
			return
		}
	}
	due := j.firstDue(time.Now().Add(delay))
	for j.sleep(ctx, due) {
		started := time.Now()
		err := j.poll(ctx)
		if ctx.Err() != nil {
			return
		}
		ended := time.Now()
		j.log(err, ended.Sub(started))
		j.keepSoon()
		due = j.nextDue(err, started, ended) // May have passed: the next poll is due at once then.
		if err == nil {
			succeeded(j)
		}
	}
}

// wait returns when the first poll of another job has ended, or patience is over. It reports whether it was not ctx
// that ended it.
func (w wait) wait(ctx context.Context) bool {
	var over <-chan time.Time
	if w.patience > 0 {
		timer := time.NewTimer(w.patience)
		defer timer.Stop()
		over = timer.C
	}
	select {
	case <-w.job.polled:
	case <-over:
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}

// firstDue is when the first poll is due: at the given time, or if that is later an interval after a poll that was
// inherited.
func (j *job) firstDue(at time.Time) time.Time {
	j.mu.Lock()
	defer j.mu.Unlock()
	if next := j.lastEnded.Add(j.period); next.After(at) {
		return next
	}
	return at
}

// nextDue is when the next poll is due after one that has ended.
func (j *job) nextDue(err error, started, ended time.Time) time.Time {
	if _, sweeps := j.sweeper(); sweeps {
		return started.Add(j.period) // A sweep goes on anyway, time slice after time slice.
	}
	j.mu.Lock()
	requests := j.requests(j.status.Done)
	j.mu.Unlock()
	return j.repeats.due(classOf(err), started, ended, j.period, requests, j.rate())
}

// sleep waits until a poll is due, and reports whether it is: not if ctx has ended. A nudge makes it due sooner.
func (j *job) sleep(ctx context.Context, due time.Time) bool {
	for {
		j.mu.Lock()
		j.status.Next = due
		j.mu.Unlock()
		timer := time.NewTimer(time.Until(due))
		select {
		case <-ctx.Done():
			timer.Stop()
			return false
		case <-timer.C:
			return ctx.Err() == nil
		case sooner := <-j.nudges:
			timer.Stop()
			if sooner.Before(due) {
				due = sooner
			}
		}
	}
}
