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

// failing is a collector that fails so often with an error of a class, and then succeeds; it records when it was polled.
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
	t.Parallel()
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

// When YCM answers one collector, the others need not wait for their time; but a collector that fails on is not tried again and
// again because others succeed.
func TestASuccessNudgesTheOthersOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		var often, rare []time.Duration
		b.add("rare", every(time.Hour, 3*time.Hour), failing(100, yeastar.Network, &rare))
		b.add("often", every(30*time.Second, time.Hour), failing(0, yeastar.Network, &often))
		stop := start(b.Account)
		time.Sleep(50*time.Second + 10*time.Minute)
		stop()
		if len(rare) < 3 || rare[1]-rare[0] > nudgeWithin || rare[2] > 50*time.Second {
			t.Errorf("the failing collector was polled at %v, want it to be nudged within %v of the other's success, and repeated", rare, nudgeWithin)
		}
		if len(rare) > 10 {
			t.Errorf("the failing collector was polled %d times, at %v", len(rare), rare)
		}
	})
}

// A failure that passes with a login, or with the network, is tried again when another collector succeeds; others wait for their
// interval.
func TestSuccessNudgesFailuresThatMayPass(t *testing.T) {
	t.Parallel()
	for class, want := range map[yeastar.Class]bool{
		yeastar.Network: true, yeastar.Timeout: true, yeastar.Server: true, yeastar.Auth: true, yeastar.Denied: false, yeastar.Invalid: false, yeastar.NotFound: false,
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			var other, failed []time.Duration
			b.add("rare", every(time.Hour, 3*time.Hour), failing(1, class, &failed))
			b.add("other", every(time.Hour, 3*time.Hour), failing(0, class, &other))
			stop := start(b.Account)
			time.Sleep(startSlot*2 + nudgeWithin)
			stop()
			if got := len(failed) == 2; got != want {
				t.Errorf("after an error of class %s and a success of another collector, the poll was repeated: %t, want %t", class, got, want)
			}
		})
	}
}
