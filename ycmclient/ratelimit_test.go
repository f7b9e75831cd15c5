package ycmclient

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"
)

// walkEvery sends the requests of a walk every interval, one after the other, and returns the longest walk.
func walkEvery(ctx context.Context, l *limiter, s *server, pages int, interval, latency time.Duration) (longest time.Duration) {
	for start := time.Now(); ctx.Err() == nil; start = start.Add(interval) {
		time.Sleep(time.Until(start))
		began := time.Now()
		for range pages {
			done, err := l.take(ctx, false)
			if err != nil {
				return longest
			}
			time.Sleep(latency)
			s.arrive(false)
			done()
		}
		longest = max(longest, time.Since(began))
	}
	return longest
}

// Sweeps get what walks leave of 80 % of the rate, and hardly delay them.
func TestSweepsLeaveWalksTheirTime(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		limit   RateLimit
		pages   int // Of a walk every minute.
		latency time.Duration
		sweeps  float64 // Requests in a minute.
	}{
		{RateLimit{100, 100, time.Minute}, 0, 50 * time.Millisecond, 80},
		{RateLimit{100, 100, time.Minute}, 40, 50 * time.Millisecond, 40},
		{RateLimit{100, 100, time.Minute}, 40, 700 * time.Millisecond, 40}, // A token comes while the walk waits for an answer.
		{RateLimit{100, 100, time.Minute}, 10, 5 * time.Second, 70},
		{RateLimit{100, 100, time.Minute}, 78, 50 * time.Millisecond, 2},
		{RateLimit{600, 300, time.Minute}, 200, time.Millisecond, 40},
	} {
		synctest.Test(t, func(t *testing.T) {
			what := fmt.Sprintf("%+v, walks of %d, latency %v", c.limit, c.pages, c.latency)
			walk := func(sweeps int) (time.Duration, *server) {
				s := newServer(c.limit, rand.New(rand.NewPCG(1, 6)))
				s.way = func() time.Duration { return 100 * time.Millisecond }
				l := s.process(c.limit)
				time.Sleep(c.limit.Interval) // The start has no burst.
				const minutes = 30
				ctx, cancel := context.WithTimeout(t.Context(), minutes*time.Minute)
				defer cancel()
				var sending sync.WaitGroup
				for range sweeps {
					sending.Go(func() { s.send(ctx, l, true, &sending) })
				}
				longest := walkEvery(ctx, l, s, c.pages, time.Minute, c.latency)
				sending.Wait()
				s.check(t, what)
				if swept := float64(s.requests[true]) / minutes; sweeps > 0 && math.Abs(swept-c.sweeps) > 1+0.02*float64(c.limit.Rate) {
					t.Errorf("%s: sweeps send %.1f requests a minute, want %v", what, swept, c.sweeps)
				}
				return longest, s
			}
			alone, _ := walk(0)
			if beside, _ := walk(20); beside > alone*11/10+2*time.Second {
				t.Errorf("%s: a walk takes %v beside sweeps, %v alone", what, beside, alone)
			}
		})
	}
}

// Walks that use all there is leave sweeps 10 %.
func TestSweepsAreNotStarved(t *testing.T) {
	t.Parallel()
	for _, limit := range []RateLimit{{12, 12, time.Minute}, {75, 75, time.Minute}, {600, 300, time.Minute}} {
		synctest.Test(t, func(t *testing.T) {
			s := newServer(limit, rand.New(rand.NewPCG(1, 7)))
			s.way = func() time.Duration { return 10 * time.Millisecond }
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			var sending sync.WaitGroup
			s.run(ctx, s.process(limit), 8, 8, &sending)
			sending.Wait()
			s.check(t, fmt.Sprintf("%+v", limit))
			if share := float64(s.requests[true]) / 60 / float64(limit.Rate); share < 0.08 || share > 0.11 {
				t.Errorf("%+v: beside busy walks, sweeps get %.1f %% of the rate, want 10 %%", limit, 100*share)
			}
		})
	}
}

// PBXs that do not answer hold up sweeps, not walks.
func TestSweepsThatHangLeaveRoomForWalks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(RateLimit{75, 75, time.Minute})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		var sweeping sync.WaitGroup
		for range 20 {
			sweeping.Go(func() {
				if _, err := l.take(ctx, true); err == nil {
					<-ctx.Done()
				}
			})
		}
		time.Sleep(time.Minute)
		for range 3 {
			began := time.Now()
			done, err := l.take(ctx, false)
			if err != nil || time.Since(began) > 2*time.Second {
				t.Errorf("a walk's request waits %v beside sweeps that hang: %v", time.Since(began), err)
				break
			}
			defer done()
		}
		cancel()
		sweeping.Wait()
	})
}

// Requests of sweeps that wait do not line up ahead of a walk that comes later.
func TestWaitingSweepsDoNotDelayALaterWalk(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(RateLimit{75, 75, time.Minute})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		var flights []func() // As many as may be, for as long as the server takes.
		for len(flights) < l.allowed {
			done, err := l.take(ctx, false)
			if err != nil {
				t.Fatal(err)
			}
			flights = append(flights, done)
		}
		var sweeping sync.WaitGroup
		for range 20 {
			sweeping.Go(func() {
				if done, err := l.take(ctx, true); err == nil {
					time.Sleep(10 * time.Second)
					done()
				}
			})
		}
		time.Sleep(2 * time.Minute)
		for _, done := range flights {
			done()
		}
		began := time.Now()
		done, err := l.take(ctx, false)
		if waited := time.Since(began); err != nil || waited > 3*time.Second {
			t.Errorf("a walk's request waits %v behind sweeps, want no longer than for one request of theirs: %v", waited, err)
		}
		if err == nil {
			done()
		}
		sweeping.Wait()
	})
}

func TestRateFallsAndRisesWhileAnotherClientUsesTheClientID(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(RateLimit{200, 60, time.Minute})
		perSecond := func(want float64) {
			t.Helper()
			if got := l.state().PerSecond; math.Abs(got-want) > 1e-9 {
				t.Errorf("the rate is %v requests per second, want %v", got, want)
			}
		}
		refuse := func() {
			l.refused(time.Now(), time.Second)
			time.Sleep(2 * time.Second)
		}
		perSecond(1)
		refuse()
		perSecond(0.5)
		for range 5 {
			refuse()
		}
		perSecond(0.1)
		time.Sleep(10 * time.Minute)
		perSecond(0.15)
		time.Sleep(50 * time.Minute)
		perSecond(0.4)
		time.Sleep(3 * time.Hour)
		perSecond(1)
		refuse()
		began, sent := time.Now(), 0
		for time.Since(began) < 4*time.Minute {
			done, err := l.take(t.Context(), false)
			if err != nil {
				t.Fatal(err)
			}
			sent++
			done()
		}
		if sent < 118 || sent > 122 {
			t.Errorf("after a refusal %d requests are sent in 4 minutes, want 120, half the rate", sent)
		}
	})
}

// What a burst left is not sent after a refusal: YCM has none of it.
func TestRefusalEndsTheBurst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(RateLimit{200, 60, time.Minute})
		time.Sleep(time.Hour)
		l.refused(time.Now(), time.Second)
		time.Sleep(time.Second)
		sent := 0
		for range 100 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			if done, err := l.take(ctx, false); err == nil {
				sent++
				done()
			}
			cancel()
		}
		if sent > 1 {
			t.Errorf("%d requests follow a refusal at once, want at most one", sent)
		}
	})
}

// stepClock makes all times that v holds look as they would had the wall clock been set forward by d meanwhile.
func stepClock(v reflect.Value, d time.Duration) {
	switch {
	case v.Type() == reflect.TypeFor[time.Time]():
		t := (*time.Time)(unsafe.Pointer(v.UnsafeAddr()))
		type layout struct {
			wall uint64
			ext  int64
		}
		raw := (*layout)(unsafe.Pointer(t))
		const hasMonotonic = 1 << 63
		if raw.wall&hasMonotonic != 0 {
			raw.wall = hasMonotonic | (raw.wall&^hasMonotonic-uint64(d/time.Second)<<30)&^hasMonotonic
		} else if !t.IsZero() {
			raw.ext -= int64(d / time.Second)
		}
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			stepClock(v.Field(i), d)
		}
	case v.Kind() == reflect.Pointer && !v.IsNil():
		stepClock(v.Elem(), d)
	}
}

// A wall clock that is set changes neither what may be sent nor how long a pause is. Times in a bubble have no monotonic reading,
// so this test is not in one.
func TestWallClockDoesNotMatter(t *testing.T) {
	t.Parallel()
	for _, step := range []time.Duration{-100 * time.Hour, 100 * time.Hour} {
		slow, fast := newLimiter(RateLimit{2, 2, 24 * time.Hour}), newLimiter(RateLimit{1000, 1000, time.Millisecond})
		stepClock(reflect.ValueOf(slow), step)
		stepClock(reflect.ValueOf(fast), step)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		if _, err := slow.take(ctx, false); err == nil {
			t.Errorf("a step of %v lets a request go that is not due for hours", step)
		}
		cancel()
		ctx, cancel = context.WithTimeout(t.Context(), 10*time.Second)
		done, err := fast.take(ctx, false)
		if err != nil {
			t.Fatalf("a step of %v holds up a request that is due: %v", step, err)
		}
		done()
		cancel()
		fast.refused(time.Now(), 5*time.Minute)
		stepClock(reflect.ValueOf(fast), step)
		s := fast.state()
		if rest := time.Until(s.PausedUntil); rest > 5*time.Minute || rest < 4*time.Minute {
			t.Errorf("a step of %v makes a pause of 5 minutes %v", step, rest)
		}
		if s.PerSecond > 500_000 {
			t.Errorf("a step of %v ends the throttling: %v requests per second", step, s.PerSecond)
		}
	}
}
