package poll

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/ycm-exporter/ycm_exporter/collector"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

const (
	// firstRetry is when a poll that failed is repeated; each further failure doubles that, up to longestRetry.
	firstRetry   = 10 * time.Second
	longestRetry = 2 * time.Minute
	// nudgeWithin is how soon a failing collector tries again when another of its account succeeds.
	nudgeWithin = 5 * time.Second
	// longPause is the longest pause in which collectors do not count as failing.
	longPause = time.Minute
	// watchInterval is how often the account's rate limit and token are looked at.
	watchInterval = 5 * time.Second
)

// run polls until ctx ends: from start to start on the collector's interval, at once when late, sooner after a failure that may
// pass, and the first time after the delay. succeeded is called after each poll that succeeded.
func (j *job) run(ctx context.Context, delay time.Duration, succeeded func(*job)) {
	if j.list != nil {
		select {
		case <-j.list.known:
		case <-ctx.Done():
		}
	}
	due := yeastar.Later(time.Now().Add(delay), j.lastEnded.Add(j.period)) // There was a poll before a reload.
	if j.status.Running {                                                  // It continues.
		due = time.Now()
	}
	for j.sleep(ctx, due) {
		started, first := time.Now(), j.expires.IsZero()
		err := j.poll(ctx)
		if ctx.Err() != nil {
			return
		}
		ended := time.Now()
		j.log(err, ended.Sub(started), first)
		due = j.nextDue(err, started, ended)
		if err == nil {
			succeeded(j)
		}
	}
}

// passing reports whether a failure may be over soon, so that the next poll does not wait for the interval. What YCM denies, or
// what is invalid, stays as it is.
func passing(class yeastar.Class) bool {
	return class == yeastar.Network || class == yeastar.Timeout || class == yeastar.Server
}

// nextDue is when the next poll is due; what is past is due at once.
func (j *job) nextDue(err error, started, ended time.Time) time.Time {
	next := started.Add(j.period)
	if j.sweeper != nil || !passing(classOf(err)) {
		j.failures = 0 // The polls of a sweep follow each other anyway.
		return next
	}
	soon := ended.Add(min(longestRetry, firstRetry<<min(j.failures, 10)))
	j.failures++
	return yeastar.Earlier(soon, next)
}

// sleep waits until a poll is due, and reports whether it is: not if ctx has ended. A nudge makes it due sooner.
func (j *job) sleep(ctx context.Context, due time.Time) bool {
	for {
		j.mu.Lock()
		j.status.Next = due
		j.mu.Unlock()
		select {
		case <-ctx.Done():
			return false
		case <-time.After(time.Until(due)):
			return ctx.Err() == nil
		case <-j.nudges:
			due = yeastar.Earlier(due, time.Now().Add(rand.N(nudgeWithin)))
		}
	}
}

// nudge has collectors poll soon, not all at the same time. which is called with their locks held.
func (a *Account) nudge(which func(*job) bool) {
	for _, j := range a.jobs {
		j.mu.Lock()
		if !j.status.Running && which(j) {
			j.loginFailed = false
			select {
			case j.nudges <- struct{}{}:
			default:
			}
		}
		j.mu.Unlock()
	}
}

// nudgeOthers has the account's collectors that fail try again, once, because a poll of this one succeeded: YCM can be reached again.
func (a *Account) nudgeOthers(succeeded *job) {
	a.nudge(func(j *job) bool {
		due := j != succeeded && !j.nudged && (passing(j.result) || j.result == yeastar.Auth)
		j.nudged = j.nudged || due
		return due
	})
}

// RetryLogins has the collectors poll again whose login failed: the client secret may be another one.
func (a *Account) RetryLogins() { a.nudge(func(j *job) bool { return j.loginFailed }) }

// watch exports the account's rate limit until ctx ends, and that no collector succeeds as soon as a long pause begins: polls wait for
// its end, so they do not report it. An account whose list has expired is not up. When a login succeeds, the collectors poll whose own
// login failed.
func (a *Account) watch(ctx context.Context) {
	var token time.Time
	for {
		if granted := a.options.Client.TokenExpiry(); !granted.Equal(token) {
			token = granted
			a.RetryLogins()
		}
		limit := a.options.Client.RateLimit()
		a.options.Metrics.allowedRate.WithLabelValues(a.options.Account).Set(limit.PerSecond)
		if limit.PausedUntil.Sub(limit.PausedFrom) > longPause && time.Now().Before(limit.PausedUntil) {
			_, listed := a.collectors.Fleet.Listed()
			for _, j := range a.jobs {
				if j.list == nil || listed {
					a.options.Metrics.exportSuccess(a.options.Account, j.Name, false)
				}
			}
		}
		a.watchDemand()
		wait := watchInterval
		if list := a.job(collector.CloudPBX); list != nil {
			list.mu.Lock()
			if rest := time.Until(list.expires); rest > 0 {
				wait = min(wait, rest)
			} else if !list.expires.IsZero() {
				a.options.Metrics.up.WithLabelValues(a.options.Account).Set(0)
			}
			list.mu.Unlock()
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}
