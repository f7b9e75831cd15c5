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
