package poll

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/exposition"
	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// The age of a backup is its age when the list was polled, however long ago that is when it is scraped.
func TestBackupAgeIsOfThePoll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ycm := b.simulate(t, ycmtest.Options{PBXs: 3}, everything())
		ids := ycm.IDs()
		for i, backup := range []time.Duration{-2 * time.Hour, time.Hour} {
			ycm.Update(ids[i], func(p *ycmtest.PBX) { p.LastBackup = time.Now().Add(backup).Unix() })
		}
		ycm.Update(ids[2], func(p *ycmtest.PBX) { p.LastBackup = 0 })
		if err := b.Once(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		after(10 * time.Minute)
		ages := samples(b.shelf.serves("cloud_pbx"), exposition.Shard{})["ycm_cloud_pbx_backup_age_seconds"]
		if len(ages) != 2 || ages[0].value != 7200 || ages[1].value != 0 {
			t.Errorf("backups of 2 h ago, of an hour ahead and never have the ages %+v, want 7200, 0 and none", ages)
		}
	})
}

// Not every account has remote management or plans; that must not cost it the figures of its subscription.
func TestSubscriptionWithoutItsParts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ycm := b.simulate(t, ycmtest.Options{PBXs: 3}, plan{"subscription": every(time.Minute, time.Hour)})
		ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.PlanStatistics, Effect: ycmtest.Failure(1000005, ycmtest.Shape{})})
		ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.RMConnections, Effect: ycmtest.Failure(1000042, ycmtest.Shape{})})
		if err := b.Once(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		for family, want := range map[string]int{
			"ycm_subscription_extensions_used":                                1,
			"ycm_subscription_plan_cloud_pbxs":                                0,
			"ycm_subscription_remote_connections_used":                        0,
			"ycm_subscription_remote_connections_capacity":                    0,
			"ycm_subscription_remote_management_expiration_timestamp_seconds": 0,
		} {
			if got := b.sampled("subscription", family); got != want {
				t.Errorf("%s has %d samples where plans are not found and remote connections denied, want %d", family, got, want)
			}
		}
	})
}

// A poll is all or nothing: a page that fails leaves the last snapshot as it was.
func TestFailureOfAPartFailsThePoll(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		endpoint  ycmtest.Endpoint
		collector string
	}{
		{ycmtest.Regions, "firmware"},
		{ycmtest.Firmware, "firmware"},
		{ycmtest.CloudPBXList, "cloud_pbx"},
		{ycmtest.Subscription, "subscription"},
		{ycmtest.PlanStatistics, "subscription"},
		{ycmtest.RMConnections, "subscription"},
		{ycmtest.Users, "users"},
		{ycmtest.UserSubscription, "users"},
	} {
		t.Run(string(c.endpoint), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				ycm := b.simulate(t, ycmtest.Options{PBXs: 60}, everything())
				if err := b.Once(t.Context(), nil); err != nil {
					t.Fatal(err)
				}
				before := fmt.Sprintf("%p", b.shelf.serves(c.collector))
				ycm.Inject(ycmtest.Fault{Endpoint: c.endpoint, Skip: min(1, ycm.Count(c.endpoint)-1), Effect: ycmtest.Status(http.StatusInternalServerError)})
				err := b.Once(t.Context(), nil)
				if err == nil || !strings.Contains(err.Error(), "collector "+c.collector) || strings.Count(err.Error(), "collector ") != 1 {
					t.Errorf("the error is %v, want one of the collector %s alone", err, c.collector)
				}
				if fmt.Sprintf("%p", b.shelf.serves(c.collector)) != before {
					t.Error("the last good snapshot was replaced")
				}
			})
		})
	}
}
