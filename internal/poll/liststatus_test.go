package poll

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// The demand of the list on the status page is what its polls request, which grows with the fleet.
func TestDemandOfTheListIsWhatItRequests(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ycm := b.simulate(t, ycmtest.Options{PBXs: 1000}, listOnly())
		defer start(b.Account)()
		after(5*time.Minute + 30*time.Second)
		before := ycm.Count(ycmtest.CloudPBXList)
		after(10 * time.Minute)
		requests := float64(ycm.Count(ycmtest.CloudPBXList) - before)
		if demand := b.Status().Demand * (10 * time.Minute).Seconds(); demand < 0.9*requests || demand > 1.1*requests {
			t.Errorf("the demand is %.0f requests in 10 minutes, want the %.0f that were sent", demand, requests)
		}
	})
}
