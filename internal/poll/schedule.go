package poll

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/ycm-exporter/ycm_exporter/collector"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

const (
	// firmwareWait is how long the first poll of the list waits for that of the firmware, so that the first scrape already
	// shows which PBXs are behind.
	firmwareWait = 10 * time.Second
	// firstRetry is when a poll that failed is repeated; each further failure doubles that, up to longestRetry.
	firstRetry   = 10 * time.Second
	longestRetry = 2 * time.Minute
	// nudgeWithin is how soon a failing collector tries again when another of its account succeeds.
	nudgeWithin = 5 * time.Second
)

// run polls until ctx ends: from start to start on the collector's interval, at once when late, sooner after a failure that may
// pass, and the first time after the delay. succeeded is called after each poll that succeeded.
func (j *job) run(ctx context.Context, delay time.Duration, succeeded func(*job)) {
	if !j.wait(ctx) {
		return
	}
	due := time.Now().Add(delay)
	if next := j.lastEnded.Add(j.period); next.After(due) { // After a reload.
		due = next
	}
	for j.sleep(ctx, due) {
		started := time.Now()
		err := j.poll(ctx)
		if ctx.Err() != nil {
			return
		}
		ended := time.Now()
		j.log(err, ended.Sub(started))
		j.save(false)
		due = j.nextDue(err, started, ended)
		if err == nil {
			succeeded(j)
		}
	}
}

// wait returns when the collector that this one uses has polled: the firmware for a while, the list until it succeeds. It reports
// whether ctx has not ended.
func (j *job) wait(ctx context.Context) bool {
	if j.uses != nil {
		known, limit := j.uses.succeeded, (<-chan time.Time)(nil)
		if j.Name == collector.CloudPBX {
			known, limit = j.uses.polled, time.After(firmwareWait)
		}
		select {
		case <-known:
		case <-limit:
		case <-ctx.Done():
		}
	}
	return ctx.Err() == nil
}

// passing reports whether a failure may be over soon, so that the next poll does not wait for the interval. What YCM denies, or
// what is invalid, stays as it is.
func passing(class yeastar.Class) bool {
	return class == yeastar.Network || class == yeastar.Timeout || class == yeastar.Server
}

// nextDue is when the next poll is due; what is past is due at once.
func (j *job) nextDue(err error, started, ended time.Time) time.Time {
	next := started.Add(j.period)
	if _, sweeps := j.sweeper(); sweeps || !passing(classOf(err)) {
		j.failures = 0 // The polls of a sweep follow each other anyway.
		return next
	}
	soon := ended.Add(min(longestRetry, firstRetry<<min(j.failures, 10)))
	j.failures++
	if soon.Before(next) {
		return soon
	}
	return next
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

// nudgeOthers has the account's collectors that fail try again, once and not all at the same time, because a poll of this one
// succeeded: YCM can be reached again, and logins succeed.
func (a *Account) nudgeOthers(succeeded *job) {
	for _, j := range a.jobs {
		if j != succeeded {
			j.nudge()
		}
	}
}

func (j *job) nudge() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.nudged || j.status.Running || !passing(j.result) && j.result != yeastar.Auth {
		return
	}
	j.nudged = true
	select {
	case j.nudges <- time.Now().Add(rand.N(nudgeWithin)):
	default:
	}
}
