package ycmclient

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// model is YCM's bucket in one reading of its documentation.
type model struct {
	name   string
	limit  RateLimit
	lump   bool
	phase  time.Duration // From the start to the first lump.
	start  time.Time
	tokens float64
	at     time.Time
	over   int
}

func (m *model) take(now time.Time) {
	defer func() { m.at = now }()
	if m.lump {
		lumps := func(t time.Time) float64 {
			return math.Floor(float64(t.Sub(m.start)-m.phase)/float64(m.limit.Interval)) + 1
		}
		m.tokens += (lumps(now) - lumps(m.at)) * float64(m.limit.Rate)
	} else {
		m.tokens += now.Sub(m.at).Seconds() / m.limit.Interval.Seconds() * float64(m.limit.Rate)
	}
	m.tokens = min(m.tokens, float64(m.limit.Burst))
	if m.tokens--; m.tokens < -1e-9 {
		m.over++
		m.tokens = 0
	}
}

// models is every reading of the documentation for a limit.
func models(limit RateLimit, random *rand.Rand) []*model {
	now := time.Now()
	all := []*model{{name: "steady"}}
	for i := range 8 {
		phase := rand.N(limit.Interval)
		if random != nil {
			phase = time.Duration(random.Int64N(int64(limit.Interval)))
		}
		all = append(all, &model{name: fmt.Sprintf("lumps %d", i), lump: true, phase: phase})
	}
	for _, m := range all {
		m.limit, m.start, m.at, m.tokens = limit, now, now, float64(limit.Burst)
	}
	return all
}

// busy sends requests as fast as the budget allows until ctx ends. YCM counts each at any moment between its beginning
// and its end. It returns how many there were.
func busy(ctx context.Context, b *budget, askers int, ycm []*model, random *rand.Rand, slowest time.Duration) int {
	var mu sync.Mutex
	requests := 0
	var asking sync.WaitGroup
	for i := range askers {
		asking.Go(func() {
			for {
				done, err := b.take(ctx, i%2 == 1)
				if err != nil {
					return
				}
				mu.Lock()
				way, back := time.Duration(random.Int64N(int64(slowest))), time.Duration(random.Int64N(int64(slowest)))
				mu.Unlock()
				time.Sleep(way)
				mu.Lock()
				requests++
				for _, m := range ycm {
					m.take(time.Now())
				}
				mu.Unlock()
				time.Sleep(back)
				done()
			}
		})
	}
	asking.Wait()
	return requests
}

// Whatever YCM's documentation means, no request is over the limit, and the limit is used.
func TestBudgetIsNeverOverrunInAnyReading(t *testing.T) {
	for _, limit := range []RateLimit{
		{75, 75, time.Minute},
		{100, 60, time.Minute},
		{600, 300, 3 * time.Minute},
		{5, 5, time.Second},
		{5, 2, time.Minute},
		{1, 1, time.Minute},
		{2000, 1999, time.Minute},
	} {
		for seed := range uint64(3) {
			t.Run(fmt.Sprintf("%d of %d in %v, seed %d", limit.Rate, limit.Burst, limit.Interval, seed), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					random := rand.New(rand.NewPCG(seed, 7))
					b := newBudget(limit)
					ycm := models(limit, random)
					const intervals = 20
					ctx, cancel := context.WithTimeout(t.Context(), intervals*limit.Interval)
					defer cancel()
					requests := busy(ctx, b, 2*limit.Burst, ycm, random, limit.Interval/50)
					for _, m := range ycm {
						if m.over > 0 {
							t.Errorf("%s: %d of %d requests are over the limit", m.name, m.over, requests)
						}
					}
					if due := 0.95 * intervals * float64(limit.Rate); float64(requests) < due {
						t.Errorf("%d requests in %d intervals, want at least %.0f", requests, intervals, due)
					}
				})
			})
		}
	}
}

// A process that is stopped for a while sends nothing meanwhile, and no burst beyond the limit afterwards. Requests that were
// about to be written come late.
func TestBudgetHoldsWhenRequestsAreLate(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 9))
			limit := RateLimit{Burst: 5, Rate: 5, Interval: 10 * time.Second}
			b := newBudget(limit)
			ycm := models(limit, random)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
			defer cancel()
			requests := busy(ctx, b, 12, ycm, random, 25*time.Second)
			for _, m := range ycm {
				if m.over > 0 {
					t.Errorf("seed %d, %s: %d of %d requests are over the limit", seed, m.name, m.over, requests)
				}
			}
		})
	}
}

// A restart, a reload and a changed limit forget no token that is out.
func TestBudgetGoesOnAfterARestart(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 11))
			limit := RateLimit{Burst: 10, Rate: 8, Interval: time.Minute}
			ycm := models(limit, random)
			var level Level
			requests := 0
			for restart := range 30 {
				b := newBudget(limit)
				if restart > 0 {
					b.restore(level)
				}
				b.changed = func(l Level) { level = l }
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(random.Int64N(int64(2*time.Minute))))
				requests += busy(ctx, b, 20, ycm, random, 2*time.Second)
				cancel()
			}
			for _, m := range ycm {
				if m.over > 0 {
					t.Errorf("seed %d, %s: %d of %d requests are over the limit", seed, m.name, m.over, requests)
				}
			}
		})
	}
}

func TestBudgetAsksForLessWhenItIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudget(RateLimit{Burst: 60, Rate: 60, Interval: time.Minute})
		perSecond := func(want float64) {
			t.Helper()
			if got := b.state().PerSecond; math.Abs(got-want) > 1e-9 {
				t.Errorf("%v requests a second are asked for, want %v", got, want)
			}
		}
		refuse := func() bool {
			_, _, shared := b.limited(time.Now(), time.Second)
			time.Sleep(2 * time.Second)
			return shared
		}
		if refuse() {
			t.Error("a refusal just after the start, when YCM's bucket was taken to be full, halves the rate")
		}
		perSecond(1)
		time.Sleep(time.Hour)
		if !refuse() {
			t.Error("a refusal inside the limit does not tell that the Client ID is shared")
		}
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
	})
}

// However busy walks are, one token of ten is for the requests that they leave behind.
func TestBudgetLeavesATenthToLeftoverRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudget(RateLimit{Burst: 10, Rate: 10, Interval: time.Minute})
		release := b.reserve(4)
		defer release()
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		var mu sync.Mutex
		sent := map[bool]int{}
		var asking sync.WaitGroup
		for i := range 12 {
			asking.Go(func() {
				leftover := i >= 6
				for {
					done, err := b.take(ctx, leftover)
					if err != nil {
						return
					}
					mu.Lock()
					sent[leftover]++
					mu.Unlock()
					done()
				}
			})
		}
		asking.Wait()
		if share := float64(sent[true]) / float64(sent[true]+sent[false]); share < 0.09 || share > 0.11 {
			t.Errorf("%d walk requests and %d leftover requests: a share of %.3f, want a tenth", sent[false], sent[true], share)
		}
	})
}

func TestDebtOfUnaskedRequestsIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudget(RateLimit{Burst: 10, Rate: 10, Interval: time.Minute})
		for range 1000 {
			b.charge()
		}
		asked := time.Now()
		done, err := b.take(t.Context(), false)
		if err != nil {
			t.Fatal(err)
		}
		done()
		if waited := time.Since(asked); waited > 3*time.Minute {
			t.Errorf("after 1,000 unasked requests the account is silent for %v", waited)
		}
	})
}

// A pause that a restart finds under way lasts no longer because the clock was set back meanwhile.
func TestAPauseIsNotLongerByAClockThatWasSetBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudget(RateLimit{Burst: 10, Rate: 10, Interval: time.Minute})
		ahead := time.Now().AddDate(0, 0, 1)
		b.restore(Level{Sent: ahead, Share: 1, PausedUntil: ahead.Add(30 * time.Second), Pauses: 1})
		began := time.Now()
		done, err := b.take(t.Context(), false)
		if err != nil {
			t.Fatal(err)
		}
		done()
		if paused := time.Since(began); paused != 30*time.Second {
			t.Errorf("a pause of 30 s lasts %v after the clock was set back by a day", paused)
		}
	})
}

func TestALevelThatMakesNoSenseIsHarmless(t *testing.T) {
	for name, level := range map[string]Level{
		"from the future": {Taken: 5, Sent: time.Now().AddDate(100, 0, 0), Share: 1, ShareSince: time.Now().AddDate(100, 0, 0), PausedUntil: time.Now().AddDate(100, 0, 0), Pauses: 1 << 40},
		"huge":            {Taken: 1 << 40, Share: 1e300},
		"negative":        {Taken: -5, Share: -1, Pauses: -3},
		"not a number":    {Share: math.NaN()},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBudget(RateLimit{Burst: 10, Rate: 10, Interval: time.Minute})
				b.restore(level)
				time.Sleep(longestTold) // As long as a pause can last.
				ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
				defer cancel()
				done, err := b.take(ctx, false)
				if err != nil {
					t.Fatalf("nothing can be sent for more than an hour: %v", err)
				}
				done()
			})
		})
	}
}
