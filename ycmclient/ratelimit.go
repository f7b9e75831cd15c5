package ycmclient

import (
	"context"
	"errors"
	"math"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
	"golang.org/x/time/rate"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// RateLimit is a token bucket in the vendor's terms ("Limit API Request Rate for Subordinate Users").
type RateLimit struct {
	Burst    int           // Tokens that the bucket holds.
	Rate     int           // Tokens added every interval, at most Burst.
	Interval time.Duration // A minute or more, as the vendor has it.
}

// Carries returns how many requests per second may be sent all the time: above that YCM raises an alarm.
func (l RateLimit) Carries() float64 { return sweepShare * float64(l.Rate) / l.Interval.Seconds() }

// RateLimitState is what the limiter of an account does at present.
type RateLimitState struct {
	RateLimit
	PerSecond   float64   // Requests per second that the exporter allows itself at present.
	PausedFrom  time.Time // Zero if the account is not paused, like the next.
	PausedUntil time.Time
}

const (
	// maxInFlight is how many requests may be in flight with a large limit: those of a walk, and as many of sweeps.
	maxInFlight = 16

	// clockDrift is by how much YCM's clock may be slower than this one.
	clockDrift = 0.002

	// Sweeps together with walks use at most sweepShare of the rate, because YCM raises an alarm there. Where walks alone use
	// that much for more than an interval, sweeps still get leastSweepShare.
	sweepShare      = 0.8
	leastSweepShare = 0.1
)

const (
	// The pause after a refusal that does not say for how long doubles until a request succeeds. What YCM says is kept up to an
	// hour.
	shortestPause = 30 * time.Second
	longestPause  = 10 * time.Minute
	longestGiven  = time.Hour

	// worthWaiting is the longest pause that requests wait for. During a longer one they fail, so that a collector reports it.
	worthWaiting = 10 * time.Minute

	// How the used part of the rate falls and rises while another client uses the Client ID.
	leastUsed    = 0.1
	recovery     = 0.05
	recoveryTime = 10 * time.Minute
)

// limiter keeps the requests of one Client ID within YCM's rate limit, whose documentation does not say whether tokens are
// added continuously or all at once at the end of an interval, nor when an interval ends.
//
// Let S be the tokens in YCM's bucket less the requests that have not reached it, C the tokens here, and f the part of YCM's
// interval that has passed. With a burst of B-R-n and at most n requests in flight, S >= C + R(1-f) holds at all times: while an interval
// passes both sides fall alike, at its end S grows by R or is at least B-n >= C + R, and a new process starts with C = 0. Where B-R-n is
// below 1, at most R-n requests leave in an interval, and at most n that left before it arrive in it.
//
// Tokens are taken when a request is sent and never reserved, so that a process that was suspended does not send at once all
// that was waiting.
type limiter struct {
	// A request holds turn while it waits for a token, a low-priority one also lowTurn. The first in line is next.
	turn, lowTurn *semaphore.Weighted
	after         func(time.Duration) <-chan time.Time // time.After, but in tests.

	mu          sync.Mutex
	limit       RateLimit
	perInterval float64 // Requests that are sent in an interval at most, when not throttled.
	allowed     int     // Requests in flight.
	inFlight    int
	lowInFlight int
	all         *rate.Limiter
	shared      *rate.Limiter // Holds sweepShare; walks take from it without waiting, low-priority requests wait for it.
	lowTaken    time.Time     // When the latest low-priority request was let go.
	debt        float64       // How far walks may overdraw shared.

	pausedFrom, pausedUntil time.Time
	nextPause               time.Duration // If YCM does not say how long it is.
	used                    float64       // The part of the rate that is used, from leastUsed to 1,
	usedSince               time.Time     // and when that last changed.

	changed chan struct{} // Closed and replaced when waiting requests must look again.
}

func newLimiter(limit RateLimit) *limiter {
	l := &limiter{
		turn: semaphore.NewWeighted(1), lowTurn: semaphore.NewWeighted(1), after: time.After, changed: make(chan struct{}),
		limit: limit, used: 1, nextPause: shortestPause, all: rate.NewLimiter(0, 0), shared: rate.NewLimiter(0, 1),
	}
	l.apply(time.Now())
	return l
}

// apply sets the rates and bursts of the limit and what is used of it. Tokens stay, as far as the burst allows.
func (l *limiter) apply(now time.Time) {
	spare := l.limit.Burst - l.limit.Rate
	if l.allowed = maxInFlight; spare <= maxInFlight {
		// One in eleven, so that nine in ten requests remain.
		l.allowed = min(max(l.limit.Rate/11, 1), maxInFlight)
	}
	burst := spare - l.allowed
	l.perInterval = float64(l.limit.Rate)
	if burst < 1 {
		burst = 1
		l.perInterval = max(l.perInterval-float64(l.allowed), 0.5)
	}
	perSecond := l.used / l.limit.Interval.Seconds() / (1 + clockDrift)
	l.all.SetLimitAt(now, rate.Limit(perSecond*l.perInterval))
	l.all.SetBurstAt(now, burst)
	l.shared.SetLimitAt(now, rate.Limit(perSecond*sweepShare*float64(l.limit.Rate)))
	l.debt = float64(burst) + (1-sweepShare)*float64(l.limit.Rate) // What walks can use beyond the share in an interval.
}

// setLimit follows a changed configuration. A higher rate begins with the missing tokens of an interval, as YCM may not have added
// them yet.
func (l *limiter) setLimit(limit RateLimit) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if limit == l.limit {
		return
	}
	now := time.Now()
	before := l.perInterval / l.limit.Interval.Seconds()
	l.limit = limit
	l.apply(now)
	more := l.perInterval - before*limit.Interval.Seconds()
	for range int(math.Ceil(more)) {
		l.all.ReserveN(now, 1)
	}
	l.wake()
}

// wake makes waiting requests look again.
func (l *limiter) wake() {
	close(l.changed)
	l.changed = make(chan struct{})
}

// errPaused is the error of a request that would have had to wait for a long pause to end.
var errPaused = errors.New("requests are paused by YCM for more than " + worthWaiting.String())

// take waits until a request may be sent; done must be called once, when it has reached YCM and ended. Low-priority requests get what the
// others leave of 80 % of the rate.
func (l *limiter) take(ctx context.Context, low bool) (done func(), err error) {
	if low {
		if err := l.lowTurn.Acquire(ctx, 1); err != nil {
			return nil, err
		}
		defer l.lowTurn.Release(1)
		if err := l.wait(ctx, l.takeShared); err != nil {
			return nil, err
		}
	}
	if err := l.turn.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	defer l.turn.Release(1)
	err = l.wait(ctx, func(now time.Time) time.Duration { return l.takeToken(now, low) })
	if err != nil {
		return nil, err
	}
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.inFlight--
		if low {
			l.lowInFlight--
		}
		l.wake()
	}, nil
}

// wait calls try until it returns 0; else it returns how long it need not be called, unless something changes.
func (l *limiter) wait(ctx context.Context, try func(now time.Time) time.Duration) error {
	for {
		l.mu.Lock()
		now := l.recover()
		rest := l.pausedUntil.Sub(now)
		if rest > worthWaiting {
			l.mu.Unlock()
			return errPaused
		}
		if rest <= 0 {
			rest = try(now)
		}
		changed := l.changed
		l.mu.Unlock()
		if rest <= 0 {
			return nil
		}
		select {
		case <-l.after(rest):
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// takeToken lets a request go if a token is there and not too many are in flight.
func (l *limiter) takeToken(now time.Time, low bool) time.Duration {
	if l.inFlight >= l.allowed {
		return time.Hour // For a change.
	}
	if !l.all.AllowN(now, 1) {
		return untilToken(l.all, now)
	}
	l.inFlight++
	if low {
		l.lowInFlight++
	} else if l.shared.TokensAt(now) > -l.debt {
		l.shared.ReserveN(now, 1)
	}
	return 0
}

// takeShared lets a low-priority request compete with the others.
func (l *limiter) takeShared(now time.Time) time.Duration {
	least := time.Duration(float64(time.Second) * sweepShare / leastSweepShare / float64(l.shared.Limit()))
	switch {
	case l.lowInFlight >= max(1, l.allowed/2):
		return time.Hour // For a change.
	case l.shared.AllowN(now, 1), l.shared.TokensAt(now) < 1-l.debt && now.Sub(l.lowTaken) >= least:
		l.lowTaken = now
		return 0
	}
	return min(untilToken(l.shared, now), least) // Walks may reach their debt meanwhile.
}

// untilToken is how long it takes until the limiter has a token.
func untilToken(limiter *rate.Limiter, now time.Time) time.Duration {
	missing := max(0, 1-limiter.TokensAt(now))
	return time.Duration(missing/float64(limiter.Limit())*float64(time.Second)) + 1 // Rounded up.
}

// refused pauses the account because YCM refused a request that was sent at that time: for retryAfter, if YCM said so. It
// returns the end of the pause, and whether a pause began: requests that were in flight together are refused together, which is
// one pause. As this exporter alone keeps the limit, another client uses the Client ID, so less of the limit is used from now on.
func (l *limiter) refused(sent time.Time, retryAfter time.Duration) (until time.Time, began bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now, length := time.Now(), min(longestGiven, retryAfter)
	if began = !sent.Before(l.pausedUntil); began {
		if length <= 0 {
			length = l.nextPause
		}
		l.nextPause = min(longestPause, 2*l.nextPause)
		l.pausedFrom = now
		l.used, l.usedSince = max(leastUsed, l.used/2), now
		l.apply(now)
		l.all.ReserveN(now, int(max(0, l.all.TokensAt(now)))) // YCM has none of these tokens.
	}
	l.pausedUntil = yeastar.Later(l.pausedUntil, now.Add(length))
	l.wake()
	return l.pausedUntil, began
}

// recover returns the time, after it raised the rate for what has passed without a refusal.
func (l *limiter) recover() time.Time {
	now := time.Now()
	if steps := now.Sub(l.usedSince) / recoveryTime; l.used < 1 && steps > 0 {
		l.used = min(1, l.used+recovery*float64(steps))
		l.usedSince = l.usedSince.Add(steps * recoveryTime)
		l.apply(now)
	}
	return now
}

// succeeded ends the row of pauses if the request was sent after the last of them.
func (l *limiter) succeeded(sent time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !sent.Before(l.pausedUntil) {
		l.nextPause = shortestPause
	}
}

func (l *limiter) state() RateLimitState {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.recover()
	s := RateLimitState{RateLimit: l.limit, PerSecond: l.used * l.perInterval / l.limit.Interval.Seconds()}
	if now.Before(l.pausedUntil) {
		s.PausedFrom, s.PausedUntil = l.pausedFrom, l.pausedUntil
	}
	return s
}
