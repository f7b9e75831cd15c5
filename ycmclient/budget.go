package ycmclient

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// RateLimit is a token bucket in the vendor's terms ("Limit API Request Rate for Subordinate Users").
type RateLimit struct {
	Burst    int           // Tokens that the bucket holds.
	Rate     int           // Tokens added each interval, at most Burst.
	Interval time.Duration // A minute or more, as the vendor has it.
}

// BudgetState is what is left of the request budget.
type BudgetState struct {
	Tokens      float64 // Requests that could be sent at once; 0 during a pause.
	Burst, Rate int
	Interval    time.Duration
	PerSecond   float64   // Tokens a second that are asked for at present: less than the limit while others use the Client ID.
	PausedFrom  time.Time // Zero if the account is not paused, like the next.
	PausedUntil time.Time
	Waiting     int // Requests that wait for a token.
}

// budget is the request budget of one Client ID: every request takes a token before it is written, and gives it back
// when it has ended.
//
// YCM's pages do not say whether it adds its tokens steadily or all at once at the end of each interval, nor when its
// intervals begin. The budget is safe in either case. A token that was given back can be taken again one interval
// later, and no two of them closer to each other than interval / rate. YCM has counted a request before the request
// ends. So whatever stretch of one interval is looked at, no token was counted twice in it, and at most Rate tokens
// came back in it: where YCM adds Rate tokens at any moment of such a stretch, or evenly over it, it has at least as many
// as are free here. A process that was frozen, or a request that was late, only makes tokens come back later.
type budget struct {
	mu      sync.Mutex
	limit   RateLimit
	sending int           // Requests that hold a token and have not ended.
	returns []time.Time   // When the tokens of ended requests can be taken again, in order.
	latest  time.Time     // Of all returns that there were.
	spacing *rate.Limiter // Keeps the returns apart.
	sent    time.Time     // When a token was last taken.

	queue   queue
	readers int         // Of the walks under way.
	wakeUp  *time.Timer // For the next return, or the end of a pause.

	pause pause
	share share

	changed func(Level) // Is told of each change that must outlive the process, in order; may be nil.
}

// padded is a little longer, because clocks do not agree and numbers are rounded, here and at YCM.
func padded(d time.Duration) time.Duration { return d + d/500 }

func newBudget(limit RateLimit) *budget {
	b := &budget{limit: limit, share: share{whole: 1}, spacing: rate.NewLimiter(0, 1)}
	b.share.assumedFull = time.Now().Add(padded(limit.Interval))
	b.wakeUp = time.AfterFunc(time.Hour, b.wake)
	b.wakeUp.Stop()
	b.pace()
	return b
}

// setLimit follows a changed configuration. Tokens that are out stay out.
func (b *budget) setLimit(limit RateLimit) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if limit == b.limit {
		return
	}
	b.limit = limit
	b.pace()
	b.grant(time.Now())
}

// onChange sets who is told of each change that must outlive the process.
func (b *budget) onChange(changed func(Level)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.changed = changed
}

// pace sets the distance of the returns to come.
func (b *budget) pace() {
	b.spacing.SetLimitAt(yeastar.Later(time.Now(), b.latest), rate.Every(b.period()))
}

// period is the time in which one token comes.
func (b *budget) period() time.Duration {
	return time.Duration(float64(padded(b.limit.Interval)) / float64(b.limit.Rate) / b.share.whole)
}

// capacity is how many tokens there are.
func (b *budget) capacity() int { return max(1, int(b.share.whole*float64(b.limit.Burst))) }

// free is how many tokens can be taken now; below zero where more are out than there may be.
func (b *budget) free() int { return b.capacity() - b.sending - len(b.returns) }

// errPaused is the error of a request that would have had to wait for a long pause to end.
var errPaused = errors.New("YCM has paused the account for more than " + worthWaiting.String())

// take waits until a request may be sent and takes its token; done gives that back when the request has ended. Leftover
// requests take only what walks have no use for, but at least every tenth token.
func (b *budget) take(ctx context.Context, leftover bool) (done func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	b.mu.Lock()
	w := b.queue.add(leftover)
	b.grant(time.Now())
	b.mu.Unlock()
	select {
	case <-w.granted:
		if w.failed {
			return nil, errPaused
		}
		return sync.OnceFunc(b.done), nil
	case <-ctx.Done():
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.queue.remove(w) && !w.failed {
		b.sending-- // It was granted meanwhile, and nothing was sent for it.
	}
	b.grant(time.Now())
	return nil, ctx.Err()
}

// takeFree takes a token if there is one that nobody waits for.
func (b *budget) takeFree() (done func(), ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	b.grant(now)
	if !b.queue.empty() || b.free() < 1 || now.Before(b.pause.until) {
		return nil, false
	}
	b.sending++
	b.sent = now
	b.save()
	return sync.OnceFunc(b.done), true
}

// done gives back the token of a request that has ended.
func (b *budget) done() {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	b.sending--
	b.giveBack(now)
	b.grant(now) // Nothing else is to be kept: as many tokens are out as when this one's request was sent.
}

// giveBack makes a token come back that was last used at that time.
func (b *budget) giveBack(used time.Time) {
	due := yeastar.Later(used.Add(padded(b.limit.Interval)), b.latest)
	b.latest = due.Add(b.spacing.ReserveN(due, 1).DelayFrom(due))
	b.returns = append(b.returns, b.latest)
}

// charge pays for a request that was written without asking, which is over already or will be soon. The debt is bounded: a
// server that makes the HTTP library repeat itself must not silence the account for long.
func (b *budget) charge() {
	b.mu.Lock()
	defer b.mu.Unlock()
	const most = 2 // Buckets.
	if b.sending+len(b.returns) < most*b.limit.Burst {
		b.giveBack(time.Now())
		b.save()
	}
}

// grant hands tokens to those who wait, and sees to it that it is called again when there are more.
func (b *budget) grant(now time.Time) {
	due, _ := slices.BinarySearchFunc(b.returns, now, func(at, now time.Time) int {
		if at.After(now) {
			return 1
		}
		return -1
	})
	b.returns = slices.Delete(b.returns, 0, due)
	if b.share.recover(now) {
		b.pace()
	}
	b.wakeUp.Stop()
	for !b.queue.empty() {
		if b.pause.tooLong(now) {
			b.queue.fail()
			return
		}
		if now.Before(b.pause.until) {
			b.wakeUp.Reset(b.pause.until.Sub(now))
			return
		}
		granted, retry := b.queue.next(now, b.free(), min(b.readers, b.capacity()-1), b.period())
		if !granted {
			if len(b.returns) > 0 && (retry.IsZero() || b.returns[0].Before(retry)) {
				retry = b.returns[0]
			}
			if !retry.IsZero() {
				b.wakeUp.Reset(retry.Sub(now))
			}
			return
		}
		b.sending++
		b.sent = now
		b.save()
	}
}

func (b *budget) wake() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.grant(time.Now())
}

// reserve keeps a token for each of a walk's readers from leftover requests, until the walk calls release: one comes while
// the reader waits for an answer, and must be there when it is back.
func (b *budget) reserve(readers int) (release func()) {
	add := func(n int) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.readers += n
		b.grant(time.Now())
	}
	add(readers)
	return func() { add(-readers) }
}

// limited pauses the account because YCM refused a request that was sent at that time: for retryAfter, if YCM told. It
// returns the pause's end, and whether a pause began: requests that were in flight together are refused together, which
// is one pause. shared says that YCM counts requests which are not ours, so that less is asked for from now on.
func (b *budget) limited(sent time.Time, retryAfter time.Duration) (until time.Time, began, shared bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	if began = b.pause.extend(now, sent, retryAfter); began {
		if shared = b.share.refused(now); shared {
			b.pace()
		}
		for range b.free() { // YCM has none of these tokens.
			b.giveBack(now)
		}
	}
	b.save()
	b.grant(now)
	return b.pause.until, began, shared
}

// succeeded ends the row of pauses if the request was sent after the last of them.
func (b *budget) succeeded(sent time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.pause.row > 0 && !sent.Before(b.pause.until) {
		b.pause.row = 0
		b.save()
	}
}

func (b *budget) state() BudgetState {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	b.grant(now)
	s := BudgetState{
		Tokens: float64(max(0, b.free())),
		Burst:  b.limit.Burst, Rate: b.limit.Rate, Interval: b.limit.Interval,
		PerSecond: b.share.whole * float64(b.limit.Rate) / b.limit.Interval.Seconds(),
		Waiting:   b.queue.len(),
	}
	if now.Before(b.pause.until) {
		s.PausedFrom, s.PausedUntil, s.Tokens = b.pause.from, b.pause.until, 0
	}
	return s
}
