package ycmclient_test

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/google/go-cmp/cmp"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// sentAfter returns when the requests for an endpoint came, since start.
func sentAfter(ycm *ycmtest.Server, endpoint ycmtest.Endpoint, start time.Time) []time.Duration {
	var at []time.Duration
	for _, r := range ycm.Requests() {
		if r.Endpoint == endpoint {
			at = append(at, r.Time.Sub(start))
		}
	}
	return at
}

func TestPauseIsAsLongAsYCMSays(t *testing.T) {
	for _, c := range []struct {
		name, retryAfter string
		want             time.Duration
	}{
		{"seconds", "7", 7 * time.Second},
		{"a date", time.Date(2000, 1, 1, 0, 1, 30, 0, time.UTC).Format("Mon, 02 Jan 2006 15:04:05 GMT"), 90*time.Second - time.Millisecond}, // A bubble begins at 2000-01-01; its client is made in a millisecond.
		{"ten minutes", "600", 10 * time.Minute},
		{"decimals", "7.5", 30 * time.Second},
		{"nothing", "", 30 * time.Second},
		{"0", "0", 30 * time.Second},
		{"a negative number", "-9", 30 * time.Second},
		{"a date in the past", "Fri, 31 Dec 1999 23:59:59 GMT", 30 * time.Second},
		{"rubbish", "soon", 30 * time.Second},
		{"a number with an exponent", "1e3", 30 * time.Second},
	} {
		for _, shape := range ycmtest.Shapes() {
			t.Run(c.name+" as "+shape.String(), func(t *testing.T) {
				bubble(t, ycmtest.Options{}, nil, func(t *testing.T, ycm *ycmtest.Server, client *ycmclient.Client, w *watch) {
					start := time.Now()
					ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.Regions, Times: 1, Effect: ycmtest.Chain(
						ycmtest.Header("Retry-After", c.retryAfter), ycmtest.Failure(1000040, shape),
					)})
					query(t, client)
					if diff := cmp.Diff([]time.Duration{0, c.want}, slices.Compact(sentAfter(ycm, ycmtest.Regions, start))); diff != "" {
						t.Errorf("requests (-want +got):\n%s", diff)
					}
					if w.retries[yeastar.RateLimited] != 1 || w.waited != c.want {
						t.Errorf("the observer saw the retries %v and a wait of %v, want one and %v", w.retries, w.waited, c.want)
					}
				})
			})
		}
	}
}

func TestPauseDoublesUntilARequestSucceeds(t *testing.T) {
	bubble(t, ycmtest.Options{}, nil, func(t *testing.T, ycm *ycmtest.Server, client *ycmclient.Client, _ *watch) {
		query(t, client)
		start := time.Now()
		limited := ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.Subscription, Effect: ycmtest.Status(429)})
		for range 3 {
			if _, err := client.Subscription(t.Context()); yeastar.ClassOf(err) != yeastar.RateLimited {
				t.Errorf("got %v, want a rate_limited error after three tries", err)
			}
		}
		s, m := time.Second, time.Minute
		want := []time.Duration{0, 30 * s, 90 * s, 210 * s, 450 * s, 930 * s, 930*s + 10*m, 930*s + 20*m, 930*s + 30*m}
		if diff := cmp.Diff(want, sentAfter(ycm, ycmtest.Subscription, start)); diff != "" {
			t.Errorf("requests (-want +got):\n%s", diff)
		}
		if until := client.RateLimit().PausedUntil; !until.Equal(time.Now().Add(10 * m)) {
			t.Errorf("the account is paused until %v, want ten minutes from now, %v", until, time.Now())
		}
		limited.Remove()
		query(t, client)
		if until := client.RateLimit().PausedUntil; !until.IsZero() {
			t.Errorf("after the pause the account is still paused until %v", until)
		}
		ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.Subscription, Times: 1, Effect: ycmtest.Status(429)})
		again := time.Now()
		if _, err := client.Subscription(t.Context()); err != nil || time.Since(again) != 30*s {
			t.Errorf("after a success the pause took %v (error %v), want 30s again", time.Since(again), err)
		}
	})
}

// A request that was sent before the pause says nothing about what came after it, so its success does not end the row.
func TestPauseDoublesAlthoughAnOlderRequestSucceeds(t *testing.T) {
	bubble(t, ycmtest.Options{}, nil, func(t *testing.T, ycm *ycmtest.Server, client *ycmclient.Client, _ *watch) {
		query(t, client)
		ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.Subscription, Effect: ycmtest.Slow(5 * time.Second)})
		ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.Regions, Times: 2, Effect: ycmtest.Status(429)})
		start := time.Now()
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := client.Subscription(t.Context()); err != nil {
				t.Errorf("the request that was sent before the pause: %v", err)
			}
		})
		wg.Go(func() { query(t, client) })
		wg.Wait()
		want := []time.Duration{0, 30 * time.Second, 90 * time.Second}
		if diff := cmp.Diff(want, sentAfter(ycm, ycmtest.Regions, start)[1:]); diff != "" {
			t.Errorf("requests (-want +got):\n%s", diff)
		}
	})
}

// Everything of the account waits, and refusals of requests that were in flight together are one pause.
func TestPauseHoldsForTheWholeAccount(t *testing.T) {
	var logged bytes.Buffer
	bubble(t, ycmtest.Options{Latency: time.Second}, func(o *ycmclient.Options) {
		o.Logger = level.NewFilter(log.NewLogfmtLogger(log.NewSyncWriter(&logged)), level.AllowInfo())
	},
		func(t *testing.T, ycm *ycmtest.Server, client *ycmclient.Client, _ *watch) {
			query(t, client)
			start := time.Now()
			ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.Regions, Times: 8, Effect: ycmtest.Failure(1000040, ycmtest.Shape{})})
			var wg sync.WaitGroup
			for range 8 {
				wg.Go(func() { query(t, client) })
			}
			time.Sleep(2 * time.Second)
			synctest.Wait()
			wg.Go(func() {
				if _, err := client.Subscription(t.Context()); err != nil {
					t.Errorf("another request fails because of the pause: %v", err)
				}
			})
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				if _, err := client.PlanStatistics(ctx); yeastar.ClassOf(err) != yeastar.Timeout {
					t.Errorf("a request with little patience: %v, want a timeout", err)
				}
			})
			wg.Wait()
			if at := sentAfter(ycm, ycmtest.Subscription, start); len(at) != 1 || at[0] < 31*time.Second {
				t.Errorf("the other request was sent after %v, want after the pause", at)
			}
			if at := sentAfter(ycm, ycmtest.Regions, start)[9:]; len(at) != 8 || at[7] > 35*time.Second {
				t.Errorf("the refused requests were sent again after %v, want all at the end of one pause of 30s", at)
			}
			if n := ycm.Count(ycmtest.PlanStatistics); n > 0 {
				t.Errorf("a request was sent during the pause")
			}
			line := logged.String()
			if strings.Count(line, "\n") != 1 {
				t.Fatalf("the pause made these log lines, want one:\n%s", line)
			}
			for _, want := range []string{"level=warn", "account=main", "endpoint=regions", "until=2000-01-01T00:00:3"} {
				if !strings.Contains(line, want) {
					t.Errorf("the log line lacks %s: %s", want, line)
				}
			}
		})
}

// Another program uses the same Client ID, so that YCM's bucket is emptier than the client's. All who waited through
// the pause must not leave at once and exceed the limit again.
func TestPauseIsNotFollowedByARush(t *testing.T) {
	limit := ycmtest.RateLimit{Burst: 100, Rate: 60, Interval: time.Minute}
	bubble(t, ycmtest.Options{RateLimit: &limit}, func(o *ycmclient.Options) {
		o.RateLimit = ycmclient.RateLimit{Burst: 100, Rate: 60, Interval: time.Minute}
	}, func(t *testing.T, ycm *ycmtest.Server, client *ycmclient.Client, _ *watch) {
		time.Sleep(time.Hour)
		for range 10 {
			query(t, client)
		}
		ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.Regions, Times: 1, Effect: ycmtest.Failure(1000040, ycmtest.Shape{})})
		start := time.Now()
		query(t, client)
		var wg sync.WaitGroup
		for range 40 {
			wg.Go(func() { query(t, client) })
		}
		wg.Wait()
		sent := sentAfter(ycm, ycmtest.Regions, start)[10:]
		if sent[1]-sent[0] < 30*time.Second {
			t.Errorf("after the refusal at %v a request was sent at %v, want none for 30s", sent[0], sent[1])
		}
		if last := sent[len(sent)-1] - sent[1]; last < 45*time.Second {
			t.Errorf("after the pause 40 requests were sent within %v, want them at half the rate", last)
		}
	})
}

// No request waits for a pause of more than ten minutes: a walk fails, and others fail at once. The state shows the pause from its
// beginning.
func TestLongPauseFailsRequestsAtOnce(t *testing.T) {
	for retryAfter, want := range map[string]time.Duration{
		"601": 601 * time.Second, "86400": time.Hour,
		"Sat, 01 Jan 2000 00:30:00 GMT": 30 * time.Minute, "Sat, 01 Jan 2050 00:00:00 GMT": time.Hour,
	} {
		t.Run(retryAfter, func(t *testing.T) {
			bubble(t, ycmtest.Options{}, nil, func(t *testing.T, ycm *ycmtest.Server, client *ycmclient.Client, _ *watch) {
				query(t, client)
				start := time.Now()
				ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.CloudPBXList, Times: 1, Effect: ycmtest.Chain(
					ycmtest.Header("Retry-After", retryAfter), ycmtest.Failure(1000040, ycmtest.Shape{}))})
				if _, err := client.Walk(t.Context(), new(ycmclient.WalkState), nil, nil); yeastar.ClassOf(err) != yeastar.RateLimited || time.Since(start) > time.Minute {
					t.Errorf("the walk ends after %v with %v, want at once rate_limited", time.Since(start), err)
				}
				if _, err := client.Regions(t.Context()); yeastar.ClassOf(err) != yeastar.RateLimited || !strings.Contains(err.Error(), "paused") {
					t.Errorf("another request: got %v, want that the account is paused", err)
				}
				s := client.RateLimit()
				if s.PausedFrom.Sub(start) > time.Minute || s.PausedUntil.Sub(start).Round(time.Second) != want {
					t.Errorf("paused from %v to %v, want from %v for %v", s.PausedFrom, s.PausedUntil, start, want)
				}
				time.Sleep(time.Until(s.PausedUntil.Add(-5 * time.Minute)))
				query(t, client) // The rest is worth waiting for.
				if now := time.Now(); now.Before(s.PausedUntil) {
					t.Errorf("a request was sent at %v, within the pause until %v", now, s.PausedUntil)
				}
			})
		})
	}
}

// Requests that wait already when a long pause begins fail then.
func TestLongPauseEndsTheWaiting(t *testing.T) {
	bubble(t, ycmtest.Options{}, func(o *ycmclient.Options) {
		o.RateLimit = ycmclient.RateLimit{Burst: 20, Rate: 20, Interval: time.Minute}
	}, func(t *testing.T, ycm *ycmtest.Server, client *ycmclient.Client, _ *watch) {
		ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.Regions, Times: 1, Effect: ycmtest.Chain(
			ycmtest.Slow(10*time.Second), ycmtest.Header("Retry-After", "1200"), ycmtest.Failure(1000040, ycmtest.Shape{}))})
		start := time.Now()
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				if _, err := client.Regions(t.Context()); yeastar.ClassOf(err) != yeastar.RateLimited {
					t.Errorf("got %v, want a rate_limited error", err)
				}
			})
		}
		wg.Wait()
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("waiting requests failed after %v, want when the pause began, after 17 s", took)
		}
	})
}

// A server that is down for maintenance says when to request it again.
func TestRetryAfterOf503IsHonoured(t *testing.T) {
	for retryAfter, want := range map[string][]time.Duration{
		"45":    {0, 45 * time.Second},
		"86400": {0}, // Is not waited for; the next poll comes soon enough.
	} {
		bubble(t, ycmtest.Options{}, nil, func(t *testing.T, ycm *ycmtest.Server, client *ycmclient.Client, _ *watch) {
			query(t, client)
			start := time.Now()
			ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.Subscription, Times: 1, Effect: ycmtest.Chain(
				ycmtest.Header("Retry-After", retryAfter), ycmtest.Status(503))})
			if _, err := client.Subscription(t.Context()); (err == nil) != (len(want) == 2) {
				t.Errorf("Retry-After %s: got error %v", retryAfter, err)
			}
			if diff := cmp.Diff(want, sentAfter(ycm, ycmtest.Subscription, start)); diff != "" {
				t.Errorf("Retry-After %s: requests (-want +got):\n%s", retryAfter, diff)
			}
		})
	}
}

// A walk that has read a part keeps it through as many pauses as a page may be refused for, and requests nothing twice
// that was answered. Refused from the first page on, it has nothing to keep.
func TestWalkKeepsItsPlaceThroughPauses(t *testing.T) {
	for _, c := range []struct {
		name           string
		before, refuse int
		pages          int // Requests for pages that YCM saw.
		served         bool
		took           time.Duration
	}{
		{"two pauses in the middle", 3, 2, 11 + 2, true, 90 * time.Second},
		{"one too many", 3, 3, 3 + 3, false, 90 * time.Second},
		{"two pauses at once", 0, 2, 11 + 2, true, 90 * time.Second},
		{"three at once", 0, 3, 3, false, 90 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			one := func(o *ycmclient.Options) { o.PageConcurrency = 1 }
			bubble(t, ycmtest.Options{PBXs: 480}, one, func(t *testing.T, ycm *ycmtest.Server, client *ycmclient.Client, _ *watch) {
				query(t, client)
				start := time.Now()
				ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.CloudPBXList, Skip: c.before, Times: c.refuse, Effect: ycmtest.Status(429)})
				list, err := client.Walk(t.Context(), nil, nil, nil)
				if c.served && (err != nil || len(list.PBXs) != 480) {
					t.Errorf("got %d PBXs and the error %v, want 480", len(list.PBXs), err)
				}
				if !c.served && yeastar.ClassOf(err) != yeastar.RateLimited {
					t.Errorf("got the error %v, want a rate_limited one", err)
				}
				if n := len(sentAfter(ycm, ycmtest.CloudPBXList, start)); n != c.pages {
					t.Errorf("%d pages were requested, want %d", n, c.pages)
				}
				if took := time.Since(start).Truncate(30 * time.Second); took != c.took {
					t.Errorf("the walk took %v, want %v", took, c.took)
				}
			})
		})
	}
}
