package poll

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/exposition"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// failing is a collector that fails so often with an error of a class, and then succeeds; it tells when it was polled.
func failing(times int, class yeastar.Class, at *[]time.Duration) fake {
	began := time.Now()
	return func(context.Context) (exposition.Source, error) {
		*at = append(*at, time.Since(began).Round(time.Second))
		if times--; times >= 0 {
			return nil, &yeastar.Error{Account: "main", Endpoint: "regions", Class: class}
		}
		return nothing(), nil
	}
}

// An exporter that is started a moment before YCM can be reached does not stand there without data for an hour.
func TestAPollThatFailedIsRepeatedSoon(t *testing.T) {
	for class, want := range map[yeastar.Class][]time.Duration{
		yeastar.Network: {0, 10, 30, 70, 150, 270, 390},
		yeastar.Timeout: {0, 10, 30, 70, 150, 270, 390},
		yeastar.Server:  {0, 10, 30, 70, 150, 270, 390},
		yeastar.Denied:  {0},
		yeastar.Invalid: {0},
		yeastar.Auth:    {0},
	} {
		t.Run(string(class), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				var at []time.Duration
				b.add("hourly", every(time.Hour, 3*time.Hour), failing(100, class, &at))
				defer start(b.Account)()
				time.Sleep(450 * time.Second)
				synctest.Wait()
				for i := range want {
					want[i] *= time.Second
				}
				if !slices.Equal(at, want) {
					t.Errorf("polls began at %v, want %v", at, want)
				}
			})
		})
	}
}

func TestRepeatsKeepTheIntervalAndATenthOfTheRate(t *testing.T) {
	began := time.Now()
	for name, c := range map[string]struct {
		period, took   time.Duration
		requests, rate float64
		want           []time.Duration // from the end of a poll to the next
	}{
		"a few requests":       {time.Hour, time.Second, 2, 1, []time.Duration{20 * time.Second, 20 * time.Second, 40 * time.Second}},
		"a thousand requests":  {2 * time.Hour, time.Second, 1000, 2, []time.Duration{5000 * time.Second, 5000 * time.Second}},
		"a short interval":     {15 * time.Second, time.Second, 2, 100, []time.Duration{10 * time.Second, 14 * time.Second}},
		"a poll that was late": {15 * time.Second, time.Minute, 2, 100, []time.Duration{-45 * time.Second}},
	} {
		var r repeats
		for i, want := range c.want {
			ended := began.Add(c.took)
			if got := r.due(yeastar.Network, began, ended, c.period, c.requests, c.rate).Sub(ended); got != want {
				t.Errorf("%s: repeat %d is due %v after the end, want %v", name, i+1, got, want)
			}
		}
	}
}

// When YCM answers one collector, the others need not wait for their time; but a collector that fails on is not tried again and
// again because others succeed.
func TestASuccessNudgesTheOthersOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		var often, rare []time.Duration
		b.add("rare", every(time.Hour, 3*time.Hour), failing(7, yeastar.Network, &rare))
		b.add("often", every(100*time.Second, time.Hour), failing(0, yeastar.Network, &often))
		stop := start(b.Account)
		time.Sleep(50*time.Second + 10*time.Minute)
		stop()
		if len(rare) < 3 || rare[1]-rare[0] > nudgeWithin || rare[2] > 50*time.Second {
			t.Errorf("the failing collector was polled at %v, want it to be nudged within %v of the other's success, and repeated", rare, nudgeWithin)
		}
		if len(rare) > 9 {
			t.Errorf("the failing collector was polled %d times, at %v", len(rare), rare)
		}
	})
}
