package poll

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// A glitch of YCM's that hides half of the fleet is not served: the old snapshot is, and ages. What three walks agree on
// is.
func TestHalfOfTheFleetIsNotGoneAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ycm := b.simulate(t, ycmtest.Options{PBXs: 100}, listOnly())
		defer start(b.Account)()
		after(90 * time.Second)
		unconfirmed := func() string { return value(t, b.registry, `ycm_cloud_pbxs_unconfirmed{account="main"}`) }
		expect := func(when string, pbxs int, want, up string) {
			t.Helper()
			if got := b.sampled("cloud_pbx", "ycm_cloud_pbx_info"); got != pbxs {
				t.Errorf("%s %d PBXs are served, want %d", when, got, pbxs)
			}
			if got := unconfirmed(); got != want {
				t.Errorf("%s ycm_cloud_pbxs_unconfirmed is %q, want %s", when, got, want)
			}
			if got := value(t, b.registry, `ycm_up{account="main"}`); got != up {
				t.Errorf("%s ycm_up is %q, want %s", when, got, up)
			}
		}
		expect("before the glitch", 100, "0", "1")
		half := func(id int64) bool { return id%2 == 0 }
		gone := 0
		for _, id := range ycm.IDs() {
			if half(id) {
				gone++
			}
		}
		ycm.SetListing(ycmtest.Listing{Unlisted: half})
		after(time.Minute)
		expect("during the glitch", 100, "1", "0")
		if lines := b.journal.with("level=warn", "are missing from the list", "this is walk 1"); len(lines) != 1 {
			t.Errorf("%d lines of the log are about the glitch, want one: %v", len(lines), lines)
		}
		ycm.SetListing(ycmtest.Listing{})
		after(time.Minute)
		expect("after the glitch", 100, "0", "1")

		ycm.SetListing(ycmtest.Listing{Unlisted: half})
		after(2 * time.Minute)
		expect("after two walks without half of the fleet", 100, "1", "0")
		after(time.Minute)
		expect("after three", 100-gone, "0", "1")
	})
}

// Where YCM counts otherwise than it lists, both are exported.
func TestTotalAndListAreServedSideBySide(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.simulate(t, ycmtest.Options{PBXs: 100, Listing: ycmtest.Listing{TotalOff: 7}}, listOnly())
		defer start(b.Account)()
		after(150 * time.Second)
		for family, want := range map[string]float64{"ycm_cloud_pbxs_reported": 107, "ycm_cloud_pbxs": 100} {
			for labels, got := range b.values("cloud_pbx", family) {
				if got != want {
					t.Errorf("%s%s is %v, want %v", family, labels, got, want)
				}
			}
			if n := b.sampled("cloud_pbx", family); n != 1 {
				t.Errorf("%s has %d samples, want 1", family, n)
			}
		}
		if got := value(t, b.registry, `ycm_walk_mismatches_total{account="main"}`); got != "3" {
			t.Errorf("ycm_walk_mismatches_total is %q after three walks, want 3", got)
		}
	})
}
