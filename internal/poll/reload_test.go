package poll

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ycm-exporter/ycm_exporter/collector"
	"github.com/ycm-exporter/ycm_exporter/internal/exposition"
	"github.com/ycm-exporter/ycm_exporter/internal/secret"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// beforeReload runs a test with an account that has polled 10 PBXs and has ended, as it is when a reload replaces it.
func beforeReload(t *testing.T, p plan, test func(t *testing.T, b *bench, ycm *ycmtest.Server)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ycm := b.simulate(t, ycmtest.Options{PBXs: 10}, p)
		stop := start(b.Account)
		after(20 * time.Second)
		stop()
		test(t, b, ycm)
	})
}

// A reload that changes a collector must neither query YCM at once nor lose what is known.
func TestReloadGoesOnWhereTheAccountWas(t *testing.T) {
	beforeReload(t, listOnly(), func(t *testing.T, b *bench, ycm *ycmtest.Server) {
		old, requests := b.Account, ycm.Count(ycmtest.CloudPBXList)

		b.reload(b.plan.with("cloud_pbx", every(3*time.Minute, 10*time.Minute)))
		if !b.Ready() {
			t.Error("the account was ready before the reload and is not after it")
		}
		before, now := old.Status(), b.Status()
		if now.PBXs != 10 || !now.Collectors[0].LastSuccess.Equal(before.Collectors[0].LastSuccess) {
			t.Errorf("after the reload the status is %+v, want 10 PBXs and the last success of %+v", now, before)
		}
		defer start(b.Account)()
		after(150 * time.Second)
		if got := ycm.Count(ycmtest.CloudPBXList); got != requests {
			t.Errorf("the list was requested again %v after the reload, want it when the new interval has gone by", 150*time.Second)
		}
		after(20 * time.Second)
		if got := ycm.Count(ycmtest.CloudPBXList); got == requests {
			t.Error("the list was not requested when the new interval had gone by")
		}
	})
}

// New credentials are meant to be tried, so an account that a reload changed polls at once.
func TestChangedAccountPollsAtOnce(t *testing.T) {
	beforeReload(t, listOnly(), func(t *testing.T, b *bench, ycm *ycmtest.Server) {
		old, requests := b.Account, ycm.Count(ycmtest.CloudPBXList)

		b.Account = NewAccount(b.options)
		b.Inherit(old, false)
		defer start(b.Account)()
		after(time.Second)
		if got := ycm.Count(ycmtest.CloudPBXList); got == requests {
			t.Error("a changed account waits for its old turn")
		}
	})
}

// A reload during a poll does not prolong the snapshot.
func TestReloadDuringAPollKeepsTheSnapshotsTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ycm := b.simulate(t, ycmtest.Options{PBXs: 10}, listOnly())
		stop := start(b.Account)
		after(20 * time.Second)
		ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.CloudPBXList, Effect: ycmtest.Hang()})
		after(50 * time.Second)
		stop()
		if b.shelf.serves("cloud_pbx") == nil {
			t.Error("the snapshot went with the reload")
		}
		after(10 * time.Minute)
		if b.shelf.serves("cloud_pbx") != nil {
			t.Error("the snapshot was served beyond its time because a poll was under way when polling ended")
		}
	})
}

// A collector that is switched off is not served until it is stale.
func TestReloadWithdrawsWhatIsSwitchedOff(t *testing.T) {
	beforeReload(t, everything(), func(t *testing.T, b *bench, _ *ycmtest.Server) {
		b.reload(listOnly())
		for _, name := range []string{"firmware", "cloud_pbx", "subscription", "users"} {
			if got, want := b.shelf.serves(name) != nil, name == "cloud_pbx"; got != want {
				t.Errorf("after a reload that leaves the list alone on, %s is served: %v, want %v", name, got, want)
			}
		}
	})
}

// Other types of firmware are meant to be exported soon, not when the hour is over; and without the PBXs' own firmware
// nothing more can be said of how far they are behind.
func TestReloadOfFirmwareTypesPollsAtOnce(t *testing.T) {
	beforeReload(t, everything(), func(t *testing.T, b *bench, _ *ycmtest.Server) {
		b.reload(b.plan.with("firmware", b.plan["firmware"].with("types: [cm, cluster]")).with("cloud_pbx", every(time.Minute, 3*time.Hour)))
		defer start(b.Account)()
		after(2 * time.Minute)
		kinds := map[string]bool{}
		for _, s := range samples(b.shelf.serves("firmware"), exposition.Shard{})["ycm_firmware_latest_info"] {
			kinds[s.labels[1]] = true
		}
		if want := map[string]bool{"cm": true, "cluster": true}; !maps.Equal(kinds, want) {
			t.Errorf("after the reload there is firmware of the types %v, want %v", kinds, want)
		}
		if got := b.sampled("cloud_pbx", "ycm_cloud_pbx_firmware_versions_behind"); got != 0 {
			t.Errorf("%d PBXs are compared with firmware that is no longer requested", got)
		}
	})
}

// What a reload takes over is as old as it was: the reload does not give it more time.
func TestReloadDoesNotMakeASnapshotYounger(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ycm := b.simulate(t, ycmtest.Options{PBXs: 10}, listOnly())
		stop := start(b.Account)
		after(20 * time.Second)
		ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.CloudPBXList, Effect: ycmtest.Status(403)})
		after(5 * time.Minute)
		stop()
		b.reload(b.plan.with("cloud_pbx", every(2*time.Minute, 20*time.Minute)))
		defer start(b.Account)()
		after(4 * time.Minute)
		if b.shelf.serves("cloud_pbx") == nil {
			t.Error("a snapshot that may be served for 10 minutes is gone after little more than 9")
		}
		after(time.Minute)
		if b.shelf.serves("cloud_pbx") != nil {
			t.Error("a snapshot that may be served for 10 minutes is there after more, because of a reload")
		}
	})
}

// Whatever the depths, and whether the phones were read to the end or a half of them, a reload is harmless: what was
// half read is read again, and then there is what the new depth says, no more and no less.
func TestReloadOfDepths(t *testing.T) {
	t.Parallel()
	depths := []string{"vendors", "models", "full"}
	for _, from := range depths {
		for _, to := range depths {
			for _, complete := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s to %s, complete %v", from, to, complete), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						b := newBench(t)
						ycm := b.fleetOf(t, 4, listAnd(phonesOf(from, "{vendor: Yealink, model: VP59}")).with("cloud_pbx", every(5*time.Minute, time.Hour)))
						versions(ycm, "84.12.0.32", "84.16.0.25")
						if !complete {
							ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.Proxy, Skip: map[string]int{"vendors": 1, "models": 5, "full": 50}[from], Effect: ycmtest.Hang()})
						}
						stop := start(b.Account)
						after(15*time.Minute + 25*time.Second)
						stop()
						ycm.ClearFaults()
						before := len(ycm.Requests())
						b.reload(b.plan.with("autoprovisioning", b.plan["autoprovisioning"].with("depth: "+to+"\nrequired_phones: [{vendor: Yealink, model: VP59}]")))
						if complete && b.sampled("autoprovisioning", "ycm_autoprovisioning_phone_vendors") == 0 {
							t.Error("what was known is not served after the reload")
						}
						defer start(b.Account)()
						after(75 * time.Minute) // A version that failed is tried again after an hour.
						for family, served := range map[string]bool{
							"ycm_autoprovisioning_phone_vendors":    true,
							"ycm_autoprovisioning_phone_models":     to != "vendors",
							"ycm_autoprovisioning_phone_model_info": to == "full",
							"ycm_autoprovisioning_phone_supported":  true,
						} {
							if got := b.sampled("autoprovisioning", family) > 0; got != served {
								t.Errorf("%s has samples: %v, want %v", family, got, served)
							}
						}
						if got := b.values("autoprovisioning", "ycm_autoprovisioning_phone_models", "version", "vendor"); to != "vendors" && len(got) != 20 {
							t.Errorf("the models of %d vendors of 2 versions are known, want 20", len(got))
						}
						polled := menus(ycm, before)
						vendors := polled["84.12.0.32 phone_vendor"] + polled["84.16.0.25 phone_vendor"]
						deeper := slices.Index(depths, to) > slices.Index(depths, from)
						if read := vendors > 0; read != (deeper || !complete) {
							t.Errorf("after the reload the vendors were queried %d times", vendors)
						}
						for _, lines := range [][]string{b.journal.with("level=error"), b.journal.with("panicked")} {
							if len(lines) > 0 {
								t.Errorf("the log has: %v", lines)
							}
						}
					})
				})
			}
		}
	}
}

// A reload may come before anything was polled, again and again. Nothing is known then, and nothing is made up.
func TestReloadBeforeTheFirstPoll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.fleetOf(t, 10, everythingOfPBXs())
		for range 3 {
			stop := start(b.Account)
			stop()
			b.reload(b.plan)
		}
		defer start(b.Account)()
		after(30 * time.Second)
		for _, name := range []string{"pbx_api", "trunks"} {
			if took := b.sweepDuration(t, name); took > time.Minute {
				t.Errorf("30 seconds after the start, the sweep of %s took %v already", name, took)
			}
		}
		after(time.Hour)
		if got := len(b.up()); got != 10 {
			t.Errorf("%d PBXs are served an hour after reloads before the first poll, want 10", got)
		}
	})
}

// After a reload PBXs are polled as before, although no list comes any more: that of before the reload counts.
func TestReloadDoesNotWaitForAnotherList(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ycm := b.fleetOf(t, 3, listAnd(pbxAPI))
		stop := start(b.Account)
		after(6 * time.Minute)
		stop()
		ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.CloudPBXList, Effect: ycmtest.Hang()})
		before := ycm.Count(ycmtest.Proxy)
		b.reload(b.plan)
		stop = start(b.Account)
		after(6 * time.Minute)
		stop()
		if got := ycm.Count(ycmtest.Proxy) - before; got < 3 {
			t.Errorf("in six minutes after the reload %d PBXs were polled, want all 3", got)
		}
	})
}

// A snapshot that cannot be published after the reload is not served as it was before.
func TestReloadWithdrawsASnapshotThatCannotBePublished(t *testing.T) {
	beforeReload(t, listOnly(), func(t *testing.T, b *bench, _ *ycmtest.Server) {
		b.options.Publisher = refusing{b.shelf}
		b.reload(b.plan)
		if b.shelf.serves("cloud_pbx") != nil {
			t.Error("the snapshot of before the reload is still served")
		}
	})
}

// replace replaces the account, which runs, by a changed one of the same fleet, as a reload does.
func (b *bench) replace(end func(error)) (next func(error)) {
	end(collector.ErrReplaced)
	old := b.Account
	b.Account = NewAccount(b.options)
	b.Inherit(old, false)
	return startUntil(b.Account)
}

// However often the account is changed while its list is walked, the walk ends and the fleet stays.
func TestReloadsDoNotInterruptAWalk(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ycm := b.simulate(t, ycmtest.Options{PBXs: 1000, Latency: 300 * time.Millisecond, Healthy: true}, plan{"cloud_pbx": every(10*time.Second, 20*time.Second)})
		end := startUntil(b.Account)
		defer func() { end(nil) }()
		after(11 * time.Second) // The second walk has begun.
		for reload := range 12 {
			requests := ycm.Count(ycmtest.CloudPBXList)
			end = b.replace(end)
			for range 4 {
				after(time.Second)
				if b.shelf.serves("cloud_pbx") == nil {
					t.Fatalf("the fleet is withdrawn after %d reloads", reload+1)
				}
			}
			if got := ycm.Count(ycmtest.CloudPBXList) - requests; got > 14 {
				t.Errorf("%d pages were requested in 4 s, want one every 300 ms", got)
			}
			if got := value(t, b.registry, `ycm_up{account="main"}`); got != "1" {
				t.Fatalf("ycm_up is %q after %d reloads", got, reload+1)
			}
		}
		end(nil)
		took := value(t, b.registry, `ycm_collector_duration_seconds{account="main",collector="cloud_pbx"}`)
		if seconds, err := strconv.ParseFloat(took, 64); err != nil || seconds < 6 || seconds > 7 {
			t.Errorf("a walk takes %q s, want 6, before and after the reload together", took)
		}
		requests := ycm.Count(ycmtest.CloudPBXList)
		after(time.Minute)
		if got := ycm.Count(ycmtest.CloudPBXList); got != requests {
			t.Errorf("%d pages were requested after the end", got-requests)
		}
	})
}

// A walk that hangs continues for no more than a minute after a reload; the next, whose last one failed, not at all.
func TestReloadDoesNotWaitForAHungWalk(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ycm := b.simulate(t, ycmtest.Options{PBXs: 10}, plan{"cloud_pbx": every(10*time.Minute, time.Hour)})
		b.options.Client = ycmclient.New(ycmclient.Options{
			Servers: ycmclient.NewServers(nil), Observer: ycmclient.Unobserved, RateLimit: ycmclient.RateLimit{Burst: 75, Rate: 75, Interval: time.Minute},
			Account: "main", BaseURL: b.options.BaseURL, ClientID: "demo-client-id", Secret: secret.Static(secret.New("demo-client-secret")),
			Timeout: time.Hour, Transport: ycm.Transport(),
		})
		b.Account = NewAccount(b.options)
		end := startUntil(b.Account)
		defer func() { end(nil) }()
		after(9 * time.Minute)
		hung := ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.CloudPBXList, Effect: ycmtest.Hang()})
		after(2 * time.Minute)
		end = b.replace(end)
		after(59 * time.Second)
		requests := ycm.Count(ycmtest.CloudPBXList)
		after(30 * time.Second)
		if got := ycm.Count(ycmtest.CloudPBXList); got == requests {
			t.Error("90 s after a reload the list was not requested, because a request of before the reload hangs")
		}
		hung.Remove()
		requests = ycm.Count(ycmtest.CloudPBXList)
		end = b.replace(end)
		after(2 * time.Second)
		if got := ycm.Count(ycmtest.CloudPBXList); got == requests {
			t.Error("after a reload while the list fails it was not requested at once")
		}
	})
}

// A poll that takes long continues as well, unless the reload changes what it requests.
func TestReloadGoesOnWithThePollsOfYCM(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ycm := b.simulate(t, ycmtest.Options{PBXs: 10}, everything())
		for _, endpoint := range []ycmtest.Endpoint{ycmtest.Regions, ycmtest.Subscription} {
			ycm.Inject(ycmtest.Fault{Endpoint: endpoint, Effect: ycmtest.Slow(20 * time.Second)})
		}
		end := startUntil(b.Account)
		defer func() { end(nil) }()
		for _, types := range []string{"[pbx]", "[pbx]", "[cm]"} {
			after(6 * time.Second)
			b.plan["firmware"] = b.plan["firmware"].with("types: " + types)
			b.options.Collectors = b.plan.configured()
			end = b.replace(end)
		}
		after(10 * time.Second)
		if b.shelf.serves("subscription") == nil {
			t.Error("a poll of 20 s was interrupted by reloads that do not concern it")
		}
		if b.shelf.serves("firmware") != nil {
			t.Error("a poll for other types of firmware than are configured now went on")
		}
		after(30 * time.Second)
		latest := samples(b.shelf.serves("firmware"), exposition.Shard{})["ycm_firmware_latest_info"]
		if len(latest) == 0 || latest[0].labels[1] != "cm" {
			t.Errorf("the firmware is %v, want that of the type cm", latest)
		}
		if got := ycm.Count(ycmtest.Subscription); got != 1 {
			t.Errorf("the subscription was requested %d times, want once", got)
		}
	})
}
