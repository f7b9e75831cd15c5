package poll

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// YCM answers, and then has the account pause for ten minutes: that is exported long before a poll has failed because of it.
func TestLongPauseIsExportedAtOnce(t *testing.T) {
	for retryAfter, want := range map[string]string{"600": "0", "40": "1"} {
		t.Run(retryAfter+" s", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				ycm := b.simulate(t, ycmtest.Options{PBXs: 10}, listOnly())
				defer start(b.Account)()
				after(20 * time.Second)
				expect := func(when, want string) {
					t.Helper()
					for _, series := range []string{`ycm_up{account="main"}`, `ycm_collector_success{account="main",collector="cloud_pbx"}`} {
						if got := value(t, b.registry, series); got != want {
							t.Errorf("%s %s is %q, want %s", when, series, got, want)
						}
					}
				}
				expect("after a good walk", "1")
				ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.CloudPBXList, Times: 1, Effect: ycmtest.Chain(
					ycmtest.Header("Retry-After", retryAfter), ycmtest.Status(429))})
				after(80 * time.Second)
				expect("during the pause", want)
				after(11 * time.Minute)
				expect("after the pause", "1")
			})
		})
	}
}

// An account is not up when its list is not served any more, although no poll has failed yet: also after the process stood still.
func TestAccountIsNotUpWithoutItsList(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ycm := b.simulate(t, ycmtest.Options{PBXs: 10}, plan{"cloud_pbx": every(30*time.Second, 42*time.Second)})
		defer start(b.Account)()
		after(20 * time.Second)
		hung := ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.CloudPBXList, Effect: ycmtest.Hang()})
		counts := map[string]int{}
		for range 100 {
			served := b.shelf.serves("cloud_pbx") != nil
			up := value(t, b.registry, `ycm_up{account="main"}`)
			if up == "1" && !served {
				t.Fatal("ycm_up is 1 while no list is served")
			}
			counts[up]++
			after(time.Second)
		}
		if counts["1"] == 0 || counts["0"] == 0 {
			t.Errorf("in 100 s ycm_up was %v, want 1 and then 0", counts)
		}
		hung.Remove()
		after(time.Minute)
		if got := value(t, b.registry, `ycm_up{account="main"}`); got != "1" {
			t.Errorf("ycm_up is %q when the list is served again, want 1", got)
		}
	})
}
