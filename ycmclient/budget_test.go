package ycmclient_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// bucket is YCM's own idea of the budget, beside the client's: it never refuses, it only looks.
type bucket struct {
	mu     sync.Mutex
	limit  ycmclient.RateLimit
	tokens float64
	at     time.Time
	over   int      // Requests that the bucket had no token for.
	came   []string // Paths in the order they came.
}

func newBucket(limit ycmclient.RateLimit) *bucket {
	return &bucket{limit: limit, tokens: float64(limit.Burst), at: time.Now()}
}

func (b *bucket) RoundTrip(r *http.Request) (*http.Response, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	refill := now.Sub(b.at).Seconds() / b.limit.Interval.Seconds() * float64(b.limit.Rate)
	b.tokens, b.at = min(b.tokens+refill, float64(b.limit.Burst)), now
	if b.tokens--; b.tokens < -1e-6 {
		b.over++
		b.tokens = 0
	}
	b.came = append(b.came, r.URL.Path)
	return inProcess{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			reply(w, 200, map[string]any{"access_token": "token", "expires_in": 86400})
			return
		}
		reply(w, 200, map[string]any{"status": "Success", "data": []any{}, "errcode": 0})
	})}.RoundTrip(r)
}

func TestBudgetIsUsedAndNeverOverrun(t *testing.T) {
	for _, limit := range []ycmclient.RateLimit{
		{Burst: 75, Rate: 75, Interval: time.Minute},
		{Burst: 600, Rate: 300, Interval: 3 * time.Minute},
		{Burst: 5, Rate: 2, Interval: time.Minute},
		{Burst: 1, Rate: 1, Interval: time.Minute},
		{Burst: 2000, Rate: 1999, Interval: time.Minute},
	} {
		t.Run(fmt.Sprintf("%+v", limit), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBucket(limit)
				client := newClient(t, b, func(o *ycmclient.Options) { o.RateLimit = limit })
				start := time.Now()
				intervals := time.Duration(2 + min(18, 6000/limit.Rate))
				ctx, cancel := context.WithTimeout(t.Context(), intervals*limit.Interval)
				defer cancel()
				var wg sync.WaitGroup
				for range 4 {
					wg.Go(func() {
						for ctx.Err() == nil {
							_, _ = client.Regions(ctx)
						}
					})
					wg.Go(func() {
						for ctx.Err() == nil {
							_, _ = proxied(ctx, client, "3658B4311", "openapi/v1.0/system/information", nil)
						}
					})
				}
				wg.Wait()
				if b.over > 0 {
					t.Errorf("%d of %d requests were over the bucket", b.over, len(b.came))
				}
				due := time.Since(start).Seconds() / limit.Interval.Seconds() * float64(limit.Rate)
				if used := float64(len(b.came)) / due; used < 0.95 {
					t.Errorf("%d requests of %.0f were used, %.1f %%", len(b.came), due, 100*used)
				}
			})
		})
	}
}

// Walks and leftover requests come at random. A walk never waits longer than it would without the others, save for
// the one token that was there when nobody else wanted it.
func TestBudgetServesWalksFirst(t *testing.T) {
	for run := range 20 {
		random := rand.New(rand.NewPCG(uint64(run), 5))
		limit := ycmclient.RateLimit{Burst: 2 + random.IntN(100), Rate: 2 + random.IntN(100), Interval: time.Minute}
		limit.Rate = min(limit.Rate, limit.Burst)
		walkers, others := 1+random.IntN(8), 1+random.IntN(20)
		synctest.Test(t, func(t *testing.T) {
			b := newBucket(limit)
			client := newClient(t, b, func(o *ycmclient.Options) { o.RateLimit = limit })
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			var wg sync.WaitGroup
			for range others {
				wg.Go(func() {
					for ctx.Err() == nil {
						_, _ = proxied(ctx, client, "3658B4311", "openapi/v1.0/trunk/list", nil)
					}
				})
			}
			period := limit.Interval / time.Duration(limit.Rate)
			var mu sync.Mutex
			var worst time.Duration
			for range walkers {
				pause := time.Duration(random.IntN(3)) * period
				wg.Go(func() {
					for ctx.Err() == nil {
						asked := time.Now()
						if _, err := client.Regions(ctx); err == nil {
							mu.Lock()
							worst = max(worst, time.Since(asked))
							mu.Unlock()
						}
						_ = sleepFor(ctx, pause)
					}
				})
			}
			wg.Wait()
			// In the worst case all walkers ask at once, just after somebody took the last token of a bucket that was full.
			if due := limit.Interval + limit.Interval/10 + time.Duration(walkers+1)*period*5/4; worst > due {
				t.Errorf("%+v, %d walkers, %d others: a walk waited %v, at most %v are due to walks", limit, walkers, others, worst, due)
			}
			if b.over > 0 {
				t.Errorf("%d of %d requests were over the bucket", b.over, len(b.came))
			}
		})
	}
}

func sleepFor(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// While walks use up the budget, leftover requests wait; when the walks are done they get all of it.
func TestLeftoverRequestsGetWhatWalksLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limit := ycmclient.RateLimit{Burst: 10, Rate: 10, Interval: time.Minute}
		b := newBucket(limit)
		client := newClient(t, b, func(o *ycmclient.Options) { o.RateLimit = limit })
		walking, stop := context.WithTimeout(t.Context(), 10*time.Minute)
		defer stop()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
		defer cancel()
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				for walking.Err() == nil {
					_, _ = client.Regions(walking)
				}
			})
		}
		synctest.Wait()
		wg.Go(func() {
			for ctx.Err() == nil {
				_, _ = proxied(ctx, client, "3658B4311", "openapi/v1.0/trunk/list", nil)
			}
		})
		leftover := func() int {
			b.mu.Lock()
			defer b.mu.Unlock()
			return len(slices.DeleteFunc(slices.Clone(b.came), func(path string) bool { return path[len(path)-4:] != "list" }))
		}
		<-walking.Done()
		during := leftover()
		if during < 8 || during > 11 {
			t.Errorf("%d leftover requests were sent while walks wanted the whole budget of 100, want a tenth", during)
		}
		wg.Wait()
		if n := leftover() - during; n < 95 {
			t.Errorf("%d leftover requests were sent in ten minutes without a walk, want 100 or so", n)
		}
	})
}

func TestBudgetIsWaitedForOnTheContextAndNotOnTheTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limit := ycmclient.RateLimit{Burst: 2, Rate: 1, Interval: time.Hour}
		w := newWatch()
		client := newClient(t, newBucket(limit), func(o *ycmclient.Options) {
			o.RateLimit, o.Timeout, o.Observer = limit, time.Second, w
		})
		if _, err := client.Regions(t.Context()); err != nil { // With its token that is all there is.
			t.Fatal(err)
		}
		asked := time.Now()
		if _, err := client.Regions(t.Context()); err != nil {
			t.Errorf("a request that waited for the budget far longer than the time-out fails: %v", err)
		}
		if waited := time.Since(asked); waited < 59*time.Minute || w.waited != waited {
			t.Errorf("it waited %v and the observer was told of %v, want an hour", waited, w.waited)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		asked = time.Now()
		_, err := client.Regions(ctx)
		if !errors.Is(err, context.DeadlineExceeded) || yeastar.ClassOf(err) != yeastar.Timeout || time.Since(asked) != time.Minute {
			t.Errorf("with a minute's patience: %v after %v", err, time.Since(asked))
		}
		if state := client.Budget(); state.Tokens > 0.1 || state.Burst != 2 || state.Rate != 1 || state.Interval != time.Hour || !state.PausedUntil.IsZero() {
			t.Errorf("the budget's state is %+v", state)
		}
		time.Sleep(10 * time.Hour)
		if state := client.Budget(); state.Tokens != 2 {
			t.Errorf("after ten hours %v tokens are there, want the 2 that there are", state.Tokens)
		}
	})
}
