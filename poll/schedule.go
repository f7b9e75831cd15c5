package poll

import (
	"context"
	"time"
)

// run polls until ctx ends: from start to start on the collector's interval, at once when late, and the first time
// after the delay.
func (j *job) run(ctx context.Context, delay time.Duration) {
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
		took := time.Since(started)
		j.log(err, took)
		j.keep(false)
		due = started.Add(j.period) // May have passed: the next poll is due at once then.
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

// sleep waits until a poll is due, and reports whether it is: not if ctx has ended.
func (j *job) sleep(ctx context.Context, due time.Time) bool {
	j.mu.Lock()
	j.status.Next = due
	j.mu.Unlock()
	return sleep(ctx, time.Until(due))
}

// sleep waits, and reports whether it was not ctx that ended it.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return ctx.Err() == nil
	}
}
