package ycmclient

import (
	"context"
	"errors"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// RateLimit is a token bucket in the vendor's terms ("Limit API Request Rate for Subordinate Users").
type RateLimit struct {
	Burst    int           // Tokens that the bucket holds.
	Rate     int           // Tokens added every interval, at most Burst.
	Interval time.Duration // A minute or more, as the vendor has it.
}

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
	turn, lowTurn chan struct{}
	after         func(time.Duration) <-chan time.Time // time.After, but in tests.

	mu          sync.Mutex
	limit       RateLimit
	perInterval float64 // Requests that are sent in an interval at most, when not throttled.
	allowed     int     // Requests in flight.
	inFlight    int
	lowInFlight int
	all         *rate.Limiter
	shared      *rate.Limiter // Holds sweepShare; walks take from it without waiting, low-priority requests wait for it.
	least       *rate.Limiter // Holds leastSweepShare.
	debt        float64       // How far walks may overdraw shared.
	pause       pause
	throttle    throttle
	changed     chan struct{} // Closed and replaced when waiting requests must look again.
}

func newLimiter(limit RateLimit) *limiter {
	l := &limiter{
		turn: make(chan struct{}, 1), lowTurn: make(chan struct{}, 1), after: time.After,
		limit: limit, throttle: throttle{factor: 1}, changed: make(chan struct{}),
		all: rate.NewLimiter(0, 0), shared: rate.NewLimiter(0, 1), least: rate.NewLimiter(0, 1),
	}
	l.apply(time.Now())
	return l
}

// apply sets the rates and bursts of the limit and throttle. Tokens stay, as far as the burst allows.
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
	perSecond := l.throttle.factor / l.limit.Interval.Seconds() / (1 + clockDrift)
	l.all.SetLimitAt(now, rate.Limit(perSecond*l.perInterval))
	l.all.SetBurstAt(now, burst)
	l.shared.SetLimitAt(now, rate.Limit(perSecond*sweepShare*float64(l.limit.Rate)))
	l.least.SetLimitAt(now, rate.Limit(perSecond*leastSweepShare*float64(l.limit.Rate)))
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
var errPaused = errors.New("YCM has paused the account for more than " + worthWaiting.String())

// take waits until a request may be sent; done must be called when it has ended. Low-priority requests get what the
// others leave of 80 % of the rate.
func (l *limiter) take(ctx context.Context, low bool) (done func(), err error) {
	if low {
		if err := acquire(ctx, l.lowTurn); err != nil {
			return nil, err
		}
		defer func() { <-l.lowTurn }()
		if err := l.wait(ctx, l.takeShared); err != nil {
			return nil, err
		}
	}
	if err := acquire(ctx, l.turn); err != nil {
		return nil, err
	}
	defer func() { <-l.turn }()
	err = l.wait(ctx, func(now time.Time) time.Duration { return l.takeToken(now, low) })
	if err != nil {
		return nil, err
	}
	return sync.OnceFunc(func() { l.done(low) }), nil
}

func acquire(ctx context.Context, turn chan struct{}) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// wait calls try until it returns 0; else it returns how long it need not be called, unless something changes.
func (l *limiter) wait(ctx context.Context, try func(now time.Time) time.Duration) error {
	for {
		l.mu.Lock()
		now := time.Now()
		if l.throttle.recover(now) {
			l.apply(now)
		}
		rest := l.pause.until.Sub(now)
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

// forChange is how long a request waits that only a change can help.
const forChange = time.Hour

// takeToken lets a request go if a token is there and not too many are in flight.
func (l *limiter) takeToken(now time.Time, low bool) time.Duration {
	if l.inFlight >= l.allowed {
		return forChange
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
	switch {
	case l.lowInFlight >= max(1, l.allowed/2):
		return forChange
	case l.shared.AllowN(now, 1):
		return 0
	case l.shared.TokensAt(now) < 1-l.debt && l.least.AllowN(now, 1):
		return 0
	}
	// Walks may reach their debt meanwhile.
	return min(untilToken(l.shared, now), time.Duration(float64(time.Second)/float64(l.least.Limit())))
}

// untilToken is how long it takes until the limiter has a token.
func untilToken(limiter *rate.Limiter, now time.Time) time.Duration {
	missing := max(0, 1-limiter.TokensAt(now))
	return time.Duration(missing/float64(limiter.Limit())*float64(time.Second)) + 1 // Rounded up.
}

// done ends a request: it has reached YCM.
func (l *limiter) done(low bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.inFlight--
	if low {
		l.lowInFlight--
	}
	l.wake()
}

// refused pauses the account because YCM refused a request that was sent at that time: for retryAfter, if YCM said so. It
// returns the end of the pause, and whether a pause began: requests that were in flight together are refused together, which is
// one pause. As this exporter alone keeps the limit, another client uses the Client ID, so less of the limit is used from now on.
func (l *limiter) refused(sent time.Time, retryAfter time.Duration) (until time.Time, began bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if began = l.pause.extend(now, sent, retryAfter); began {
		l.throttle.refused(now)
		l.apply(now)
		l.all.ReserveN(now, int(max(0, l.all.TokensAt(now)))) // YCM has none of these tokens.
	}
	l.wake()
	return l.pause.until, began
}

// succeeded ends the row of pauses if the request was sent after the last of them.
func (l *limiter) succeeded(sent time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !sent.Before(l.pause.until) {
		l.pause.row = 0
	}
}

func (l *limiter) state() RateLimitState {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if l.throttle.recover(now) {
		l.apply(now)
	}
	s := RateLimitState{RateLimit: l.limit, PerSecond: l.throttle.factor * l.perInterval / l.limit.Interval.Seconds()}
	if now.Before(l.pause.until) {
		s.PausedFrom, s.PausedUntil = l.pause.from, l.pause.until
	}
	return s
}
