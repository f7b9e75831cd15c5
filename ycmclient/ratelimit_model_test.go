package ycmclient

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// bucket is YCM's in one interpretation of its documentation. Its clock is a little slow.
type bucket struct {
	limit   RateLimit
	lump    bool
	phase   time.Duration // From the start to the first lump.
	start   time.Time
	tokens  float64
	filled  time.Time
	refused int
}

func (b *bucket) interval() time.Duration { return b.limit.Interval + b.limit.Interval/1000 }

func (b *bucket) fill(now time.Time) {
	if b.lump {
		lumps := func(t time.Time) float64 {
			return math.Floor(float64(t.Sub(b.start)-b.phase) / float64(b.interval()))
		}
		b.tokens += (lumps(now) - lumps(b.filled)) * float64(b.limit.Rate)
	} else {
		b.tokens += float64(now.Sub(b.filled)) / float64(b.interval()) * float64(b.limit.Rate)
	}
	b.tokens, b.filled = min(b.tokens, float64(b.limit.Burst)), now
}

func (b *bucket) take(now time.Time) {
	b.fill(now)
	if b.tokens--; b.tokens < -1e-6 {
		b.refused++
		b.tokens = 0
	}
}

func (b *bucket) String() string {
	if b.lump {
		return fmt.Sprintf("lumps after %v", b.phase)
	}
	return "continuous"
}

// server is YCM in each reading at once, and the process that sends requests to it.
type server struct {
	mu       sync.Mutex
	random   *rand.Rand
	buckets  []*bucket
	way      func() time.Duration // From a request's token to its arrival.
	idle     func() time.Duration // Before a worker wants to send its next request; may be nil.
	stops    [][2]time.Time       // The process is suspended from the first to the second.
	requests map[bool]int         // By priority, low or not.
}

func newServer(limit RateLimit, random *rand.Rand) *server {
	now := time.Now()
	s := &server{random: random, requests: map[bool]int{}, buckets: []*bucket{{}}}
	for range 12 {
		s.buckets = append(s.buckets, &bucket{lump: true, phase: time.Duration(random.Int64N(int64(limit.Interval)))})
	}
	for _, b := range s.buckets {
		b.limit, b.start, b.filled, b.tokens = limit, now, now, float64(limit.Burst)
	}
	return s
}

func (s *server) with(do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	do()
}

// arrive takes a token for a request.
func (s *server) arrive(low bool) {
	s.with(func() {
		s.requests[low]++
		for _, b := range s.buckets {
			b.take(time.Now())
		}
	})
}

// resumed returns when a process does what is due at that time.
func (s *server) resumed(due time.Time) time.Time {
	for _, stop := range s.stops {
		if !due.Before(stop[0]) && due.Before(stop[1]) {
			return stop[1]
		}
	}
	return due
}

// process starts a limiter whose timers fire late while the process is suspended.
func (s *server) process(limit RateLimit) *limiter {
	l := newLimiter(limit)
	l.after = func(d time.Duration) <-chan time.Time {
		due := time.Now().Add(d)
		return time.After(time.Until(s.resumed(due)))
	}
	return l
}

// send sends requests until ctx ends. Requests that were sent before arrive later.
func (s *server) send(ctx context.Context, l *limiter, low bool, sending *sync.WaitGroup) {
	for {
		if s.idle != nil {
			time.Sleep(s.idle())
		}
		done, err := l.take(ctx, low)
		if err != nil {
			return
		}
		var way, back time.Duration
		s.with(func() { way, back = s.way(), s.way() })
		arrived := make(chan struct{})
		sending.Go(func() {
			time.Sleep(way)
			s.arrive(low)
			close(arrived)
		})
		select {
		case <-arrived:
		case <-ctx.Done(): // The process has ended, its request has not.
			return
		}
		time.Sleep(time.Until(s.resumed(time.Now().Add(back))))
		done()
	}
}

func (s *server) check(t *testing.T, what string) {
	t.Helper()
	for _, b := range s.buckets {
		if b.refused > 0 {
			t.Errorf("%s: YCM with %v refuses %d of %d requests", what, b, b.refused, s.requests[true]+s.requests[false])
		}
	}
}

// run starts workers that send until ctx ends.
func (s *server) run(ctx context.Context, l *limiter, walks, sweeps int, sending *sync.WaitGroup) {
	var workers sync.WaitGroup
	for i := range walks + sweeps {
		workers.Go(func() { s.send(ctx, l, i >= walks, sending) })
	}
	workers.Wait()
}

func runs(few, many int) int {
	if os.Getenv("YCM_TEST_LONG") != "" {
		return many
	}
	return few
}

func anyLimit(random *rand.Rand) RateLimit {
	limit := RateLimit{Rate: 1 + random.IntN(120), Interval: time.Duration(1+random.IntN(3)) * time.Minute}
	if random.IntN(4) == 0 {
		limit.Rate = 1 + random.IntN(12)
	}
	limit.Burst = limit.Rate
	if random.IntN(2) == 0 {
		limit.Burst += random.IntN(2 * limit.Rate)
	}
	return limit
}

// Requests of random walks and sweeps, with restarts, suspensions and latencies up to 25 s, are never refused, whichever way YCM
// adds its tokens.
func TestRateLimitIsNeverExceeded(t *testing.T) {
	t.Parallel()
	for seed := range uint64(runs(150, 2000)) {
		random := rand.New(rand.NewPCG(seed, 1))
		limit, walks, sweeps := anyLimit(random), random.IntN(9), random.IntN(9)
		slowest := []time.Duration{50 * time.Millisecond, time.Second, 6 * time.Second, 25 * time.Second}[random.IntN(4)]
		restarts, suspended := random.IntN(2) == 0, random.IntN(2) == 0
		what := fmt.Sprintf("seed %d: %+v, %d walks, %d sweeps, up to %v, restarts %v, suspended %v", seed, limit, walks, sweeps, slowest, restarts, suspended)
		synctest.Test(t, func(t *testing.T) {
			s := newServer(limit, random)
			s.way = func() time.Duration { return time.Duration(random.Int64N(int64(slowest/2) + 1)) }
			end := time.Now().Add(8 * limit.Interval)
			if suspended {
				for at := time.Now(); at.Before(end); {
					at = at.Add(time.Duration(random.Int64N(int64(limit.Interval))))
					stop := [2]time.Time{at, at.Add(time.Duration(random.Int64N(int64(2 * limit.Interval))))}
					s.stops, at = append(s.stops, stop), stop[1]
				}
			}
			var sending sync.WaitGroup
			for time.Now().Before(end) {
				life := time.Until(end)
				if restarts {
					life = min(life, time.Duration(random.Int64N(int64(limit.Interval))))
				}
				ctx, cancel := context.WithTimeout(t.Context(), life)
				s.run(ctx, s.process(limit), walks, sweeps, &sending)
				<-ctx.Done()
				cancel()
			}
			sending.Wait()
			s.check(t, what)
		})
	}
}

// After an idle time, requests take seconds to arrive and then arrive at once, as after an interruption of the network, while
// there is more to send.
func TestRateLimitHoldsWhenRequestsAreDelayedTogether(t *testing.T) {
	t.Parallel()
	for seed := range uint64(runs(100, 1000)) {
		random := rand.New(rand.NewPCG(seed, 2))
		limit := anyLimit(random)
		walks, sweeps := 1+random.IntN(20), random.IntN(9)
		synctest.Test(t, func(t *testing.T) {
			s := newServer(limit, random)
			start := time.Now()
			busy := 2*limit.Interval + time.Duration(random.Int64N(int64(limit.Interval)))
			idle := time.Duration(random.IntN(3)) * limit.Interval
			in := func() time.Duration { return time.Since(start) % (idle + busy) }
			s.idle = func() time.Duration { return max(0, idle-in()) }
			s.way = func() time.Duration {
				const outage = 25 * time.Second
				return max(time.Millisecond, idle+outage-in())
			}
			ctx, cancel := context.WithTimeout(t.Context(), 10*limit.Interval)
			defer cancel()
			var sending sync.WaitGroup
			s.run(ctx, s.process(limit), walks, sweeps, &sending)
			sending.Wait()
			s.check(t, fmt.Sprintf("seed %d: %+v, %d walks, %d sweeps", seed, limit, walks, sweeps))
		})
	}
}

// With work to do, at least 90 % of the configured rate is used from 20 requests per interval on.
func TestRateLimitIsUsed(t *testing.T) {
	t.Parallel()
	limits := []RateLimit{
		{75, 75, time.Minute},
		{20, 20, time.Minute},
		{33, 33, time.Minute},
		{100, 60, time.Minute},
		{320, 300, time.Minute},
		{600, 300, 3 * time.Minute},
		{2000, 1999, time.Minute},
	}
	for seed := range uint64(runs(10, 100)) {
		limit := anyLimit(rand.New(rand.NewPCG(seed, 3)))
		limit.Rate, limit.Burst = limit.Rate+20, limit.Burst+20
		limits = append(limits, limit)
	}
	for _, limit := range limits {
		synctest.Test(t, func(t *testing.T) {
			s := newServer(limit, rand.New(rand.NewPCG(1, 4)))
			s.way = func() time.Duration { return 10 * time.Millisecond }
			intervals := 8
			if limit.Burst == 320 {
				intervals = 100 // In which YCM's slow clock makes up for its burst.
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(intervals)*limit.Interval)
			defer cancel()
			var sending sync.WaitGroup
			s.run(ctx, s.process(limit), 8, 0, &sending)
			sending.Wait()
			s.check(t, fmt.Sprintf("%+v", limit))
			if used := float64(s.requests[false]) / float64(intervals) / float64(limit.Rate); used < 0.9 {
				t.Errorf("%+v: a walk uses %.1f %% of the rate", limit, 100*used)
			}
		})
	}
}

// Limits that change at YCM and in the configuration, in either direction, are not exceeded.
func TestRateLimitIsNotExceededByReloads(t *testing.T) {
	t.Parallel()
	for seed := range uint64(runs(60, 1000)) {
		random := rand.New(rand.NewPCG(seed, 5))
		limit := anyLimit(random)
		synctest.Test(t, func(t *testing.T) {
			s := newServer(limit, random)
			ways := rand.New(rand.NewPCG(seed, 6))
			s.way = func() time.Duration { return time.Duration(ways.Int64N(int64(200 * time.Millisecond))) }
			l := s.process(limit)
			ctx, cancel := context.WithTimeout(t.Context(), 10*limit.Interval)
			defer cancel()
			var sending sync.WaitGroup
			what := fmt.Sprintf("seed %d: %+v", seed, limit)
			sending.Go(func() {
				for range 6 {
					time.Sleep(time.Duration(random.Int64N(int64(2 * limit.Interval))))
					changed := anyLimit(random)
					changed.Interval = limit.Interval
					what += fmt.Sprintf(", then %+v", changed)
					s.with(func() {
						for _, b := range s.buckets {
							b.fill(time.Now())
							b.limit = changed
							b.fill(time.Now())
						}
					})
					l.setLimit(changed)
				}
			})
			s.run(ctx, l, 4, 4, &sending)
			sending.Wait()
			s.check(t, what)
		})
	}
}
