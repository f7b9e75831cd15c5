package ycmclient_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// A walk takes latency x pages / readers, or pages / rate, whichever is longer.
func TestWalkIsAsFastAsLatencyAndRateLimitAllow(t *testing.T) {
	for _, c := range []struct {
		name    string
		readers int
		limit   *ycmtest.RateLimit
		longest time.Duration
	}{
		{"one page in flight", 1, nil, 85 * time.Second},
		{"eight pages in flight", 8, nil, 15 * time.Second},
		{"eight pages in flight within the rate limit", 8, &ycmtest.RateLimit{Burst: 60, Rate: 60, Interval: time.Minute}, 105 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, ycmtest.Options{PBXs: 3999, Latency: time.Second, RateLimit: c.limit}, func(o *ycmclient.Options) {
				o.PageConcurrency = c.readers
				if c.limit != nil {
					o.RateLimit = ycmclient.RateLimit{Burst: c.limit.Burst, Rate: c.limit.Rate, Interval: c.limit.Interval}
				}
			}, func(t *testing.T, ycm *ycmtest.Server, client *ycmclient.Client, _ *watch) {
				start := time.Now()
				list, err := client.Walk(t.Context(), nil, nil, nil)
				if err != nil || len(list.PBXs) != 3999 {
					t.Fatalf("%d PBXs and the error %v", len(list.PBXs), err)
				}
				if took := time.Since(start); took > c.longest {
					t.Errorf("80 pages took %v, want at most %v", took, c.longest)
				}
				if most := ycm.MostWithin(999 * time.Millisecond); c.limit == nil && most > c.readers {
					t.Errorf("%d requests came together, want at most %d", most, c.readers)
				}
				if n := ycm.Stats().Refused; n > 0 {
					t.Errorf("%d requests were over YCM's bucket", n)
				}
			})
		})
	}
}

// Sweeps of 2,000 PBXs beside a walk every minute want more than the rate limit carries.
func TestWalksKeepTheirIntervalBesideProxyCalls(t *testing.T) {
	t.Parallel()
	// A token comes every 600 ms. With a longer latency one comes while the walk waits for an answer, and must be there when it
	// is back.
	for _, latency := range []time.Duration{50 * time.Millisecond, 700 * time.Millisecond} {
		t.Run(latency.String(), func(t *testing.T) { walksBesideProxyCalls(t, latency) })
	}
}

func walksBesideProxyCalls(t *testing.T, latency time.Duration) {
	limit := ycmtest.RateLimit{Burst: 100, Rate: 100, Interval: time.Minute}
	bubble(t, ycmtest.Options{PBXs: 2000, RateLimit: &limit, Latency: latency}, func(o *ycmclient.Options) {
		o.RateLimit = ycmclient.RateLimit{Burst: 100, Rate: 100, Interval: time.Minute}
	}, func(t *testing.T, ycm *ycmtest.Server, client *ycmclient.Client, _ *watch) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		var wg sync.WaitGroup
		pbxs := ycm.PBXs()
		for worker := range 4 {
			wg.Go(func() {
				for i := worker; ctx.Err() == nil; i += 4 {
					_, _ = proxied(ctx, client, pbxs[i%len(pbxs)].SN, "openapi/v1.0/system/information", nil)
				}
			})
		}
		var previous []ycmclient.CloudPBX
		var longest time.Duration
		start := time.Now()
		for minute := range 10 {
			time.Sleep(time.Until(start.Add(time.Duration(minute) * time.Minute)))
			begin := time.Now()
			list, err := client.Walk(ctx, nil, previous, nil)
			if err != nil || len(list.PBXs) != 2000 {
				t.Errorf("minute %d: %d PBXs and the error %v", minute, len(list.PBXs), err)
			}
			previous, longest = list.PBXs, max(longest, time.Since(begin))
		}
		wg.Wait()
		stats := ycm.Stats()
		t.Logf("walks took up to %v, %d proxy calls, %d requests in ten minutes", longest, stats.By[ycmtest.Proxy], stats.Requests)
		alone := max(24600*time.Millisecond, 41*latency) // 41 requests, at 100 a minute or one after the other.
		if longest > alone*10/9+2*time.Second {
			t.Errorf("a walk took %v beside proxy calls, want what it takes alone, %v, and 10 %%", longest, alone)
		}
		if stats.Refused > 0 {
			t.Errorf("%d requests were over YCM's bucket", stats.Refused)
		}
		if stats.Requests < 780 || stats.Requests > 805 {
			t.Errorf("%d requests in ten minutes, want 80 %% of 100 per minute", stats.Requests)
		}
	})
}

// The vendor does not document whether tokens are added continuously. If they are added in lumps, nothing is refused either.
func TestWalkGetsThroughABucketThatIsFilledInLumps(t *testing.T) {
	limit := ycmtest.RateLimit{Burst: 30, Rate: 30, Interval: time.Minute, Lump: true}
	bubble(t, ycmtest.Options{PBXs: 8000, RateLimit: &limit}, func(o *ycmclient.Options) {
		o.RateLimit, o.PageConcurrency = ycmclient.RateLimit{Burst: 30, Rate: 30, Interval: time.Minute}, 4
	}, func(t *testing.T, _ *ycmtest.Server, client *ycmclient.Client, w *watch) {
		list, err := client.Walk(t.Context(), nil, nil, nil)
		if err != nil || len(list.PBXs) != 8000 || w.retries[yeastar.RateLimited] > 0 {
			t.Errorf("%d PBXs, the error %v and the retries %v", len(list.PBXs), err, w.retries)
		}
	})
}
