package ycmclient

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/ycm-exporter/ycm_exporter/yeastar"
)

// RateLimit is a token bucket in the vendor's terms ("Limit API Request Rate for Subordinate Users").
type RateLimit struct {
	Burst    int           // Tokens that the bucket holds.
	Rate     int           // Tokens added each interval.
	Interval time.Duration // A minute or more, as the vendor has it.
}

// BudgetState is what is left of the request budget.
type BudgetState struct {
	Tokens      float64 // Requests that could be sent at once; 0 while requests wait.
	Burst, Rate int
	Interval    time.Duration
	PausedUntil time.Time // Zero if the account is not paused.
}

// budget is the account's request budget: every request waits here for its token. Walks come first: what they ask
// for they get in their order, while a leftover request takes a token only if one is there that nobody waits for, and
// that a walk under way has no use for when the answers come that its readers wait for.
type budget struct {
	limit    RateLimit
	limiter  *rate.Limiter
	leftover chan struct{} // Held by the one leftover request that looks for a token.
	readers  atomic.Int32  // Of the walks under way.

	mu          sync.Mutex
	pausedUntil time.Time
	pauses      int // In a row, without a success between them.
}

func newBudget(limit RateLimit) *budget {
	pace := rate.Limit(float64(limit.Rate) / limit.Interval.Seconds())
	burst := limit.Burst - 1 // One token stays back, so that jitter on the way cannot make YCM see one request too many.
	if burst < 1 {
		const slower = 0.96 // A bucket of one has none to keep back; a slower pace makes the room instead.
		burst, pace = 1, slower*pace
	}
	return &budget{limit: limit, limiter: rate.NewLimiter(pace, burst), leftover: make(chan struct{}, 1)}
}

// wait returns when a request may be sent, having taken its token, or when ctx ends.
func (b *budget) wait(ctx context.Context, leftover bool) error {
	take := b.take
	if leftover {
		take = b.takeLeftover
	}
	for {
		if err := b.outlastPause(ctx); err != nil {
			return err
		}
		if err := take(ctx); err != nil {
			return err
		}
		if b.pause() == 0 {
			return nil
		}
		// A pause began meanwhile. The token is forfeited: all who waited would leave together when the pause ends,
		// more than the bucket holds.
	}
}

// take takes the next token that nobody else has asked for.
func (b *budget) take(ctx context.Context) error {
	reservation := b.limiter.Reserve()
	if err := yeastar.Sleep(ctx, reservation.Delay()); err != nil {
		reservation.Cancel()
		return err
	}
	return nil
}

// takeLeftover takes a token once there is one, never one to come: a walk that asks meanwhile gets it.
func (b *budget) takeLeftover(ctx context.Context) error {
	select {
	case b.leftover <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-b.leftover }()
	for {
		kept := min(float64(b.readers.Load()), float64(b.limiter.Burst()-1))
		missing := 1 + kept - b.limiter.Tokens()
		if missing <= 0 && b.limiter.Allow() {
			return nil
		}
		const shortest = time.Millisecond
		if err := yeastar.Sleep(ctx, max(shortest, time.Duration(missing/float64(b.limiter.Limit())*float64(time.Second)))); err != nil {
			return err
		}
	}
}

// reserve keeps a token for each of a walk's readers from leftover requests, until the walk calls done.
func (b *budget) reserve(readers int) (done func()) {
	b.readers.Add(int32(readers))
	return func() { b.readers.Add(-int32(readers)) }
}

// charge pays for a request that was sent without waiting.
func (b *budget) charge() { b.limiter.Reserve() }

// pause tells how long the account's pause still lasts.
func (b *budget) pause() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return max(0, time.Until(b.pausedUntil))
}

// outlastPause waits until the account is not paused.
func (b *budget) outlastPause(ctx context.Context) error {
	for {
		left := b.pause()
		if left == 0 {
			return ctx.Err()
		}
		if err := yeastar.Sleep(ctx, left); err != nil {
			return err
		}
	}
}

// The pause after YCM says that the budget is overrun and not for how long: it doubles until a request succeeds.
const (
	shortestPause = 30 * time.Second
	longestPause  = 10 * time.Minute
)

// limited pauses the account because YCM refused a request that was sent at that time: for retryAfter, if YCM told.
// It returns the pause's end, and whether a pause began: requests that were in flight together are refused together,
// which is one pause.
func (b *budget) limited(sent time.Time, retryAfter time.Duration) (until time.Time, began bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	began = !sent.Before(b.pausedUntil)
	switch {
	case retryAfter > 0:
	case began:
		retryAfter = shortestPause << min(b.pauses, 10)
	}
	if began {
		b.pauses++
	}
	if until := time.Now().Add(min(longestPause, retryAfter)); until.After(b.pausedUntil) {
		b.pausedUntil = until
	}
	return b.pausedUntil, began
}

// succeeded ends the row of pauses if the request was sent after the last of them.
func (b *budget) succeeded(sent time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !sent.Before(b.pausedUntil) {
		b.pauses = 0
	}
}

func (b *budget) state() BudgetState {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := BudgetState{
		Tokens: max(0, b.limiter.Tokens()),
		Burst:  b.limit.Burst, Rate: b.limit.Rate, Interval: b.limit.Interval,
	}
	if time.Now().Before(b.pausedUntil) {
		s.PausedUntil = b.pausedUntil
	}
	return s
}
