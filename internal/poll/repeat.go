package poll

import (
	"math/rand/v2"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

const (
	// firstRepeat is when a poll that failed is repeated; each further failure doubles that, up to longestRepeat.
	firstRepeat   = 10 * time.Second
	longestRepeat = 2 * time.Minute
	// repeatShare is the share of the rate that repeats may use.
	repeatShare = 0.1
	// nudgeWithin is how soon a failing collector tries again when another of its account succeeds.
	nudgeWithin = 5 * time.Second
)

// repeats tells when a poll that failed is tried again before its interval is over. It is used by the polling goroutine,
// but for nudged.
type repeats struct {
	row    int  // failures in a row that may pass soon
	nudged bool // of this row; guarded by the job's lock
}

// passing reports whether a failure may be over soon, so that it does not take an interval to try again. What YCM denies, or
// what cannot be understood, stays as it is.
func passing(class yeastar.Class) bool { return class.Retryable() && class != yeastar.RateLimited }

// due is when the next poll is due after one that began and ended then, having sent so many requests.
func (r *repeats) due(class yeastar.Class, began, ended time.Time, period time.Duration, requests, rate float64) time.Time {
	next := began.Add(period)
	if !passing(class) {
		r.row = 0
		return next
	}
	wait := min(longestRepeat, firstRepeat<<min(r.row, 10))
	r.row++
	if rate > 0 {
		wait = max(wait, time.Duration(requests/(repeatShare*rate)*float64(time.Second)))
	}
	if soon := ended.Add(wait); soon.Before(next) {
		return soon
	}
	return next
}

// nudgeOthers lets the account's collectors whose last poll failed try again, once and not all at the same time, because a
// poll of this one succeeded: YCM can be reached again.
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
	if j.repeats.nudged || j.status.Err == "" || j.status.Running || !passing(j.failure) {
		return
	}
	j.repeats.nudged = true
	select {
	case j.nudges <- time.Now().Add(rand.N(nudgeWithin)):
	default:
	}
}
