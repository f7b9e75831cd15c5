package poll

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ycm-exporter/ycm_exporter/internal/exposition"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// simulate gives a bench's account a simulated YCM in memory. It must be called in a synctest bubble.
func (b *bench) simulate(t *testing.T, o ycmtest.Options, collectors plan) *ycmtest.Server {
	t.Helper()
	ycm := ycmtest.New(o)
	t.Cleanup(ycm.Close)
	b.connect(t, &url.URL{Scheme: "https", Host: "ycm.example.com"}, ycm.Transport(), collectors)
	return ycm
}

// after lets time go by, and everything be done that is due.
func after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// listed is the ids of the PBXs that a scrape would show.
func (b *bench) listed(t *testing.T) []string {
	t.Helper()
	source := b.shelf.serves("cloud_pbx")
	if source == nil {
		t.Fatal("no list of PBXs is served")
	}
	var ids []string
	for _, s := range samples(source, exposition.Shard{})["ycm_cloud_pbx_info"] {
		ids = append(ids, s.labels[1])
	}
	return ids
}

// sampled counts the samples of a family that a scrape would show.
func (b *bench) sampled(collector, family string) int {
	source := b.shelf.serves(collector)
	if source == nil {
		return 0
	}
	return len(samples(source, exposition.Shard{})[family])
}

func listOnly() plan {
	return plan{"cloud_pbx": every(time.Minute, 10*time.Minute)}
}

// An account follows its fleet: what is created appears and what is deleted goes at the next poll.
func TestAccountFollowsItsFleet(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ycm := b.simulate(t, ycmtest.Options{PBXs: 120, Seed: 1}, listOnly())
		if b.Ready() {
			t.Error("the account is ready before its first poll")
		}
		if got := value(t, b.registry, `ycm_up{account="main"}`); got != "" {
			t.Errorf("ycm_up is %s before the first poll, want it absent", got)
		}
		defer start(b.Account)()
		after(10 * time.Second)
		if !b.Ready() {
			t.Error("the account is not ready after its first poll")
		}
		if got := value(t, b.registry, `ycm_up{account="main"}`); got != "1" {
			t.Errorf("ycm_up is %q after a good poll, want 1", got)
		}
		ids := ycm.IDs()
		born := ycm.Add(nil)
		ycm.Delete(ids[3])
		after(time.Minute)
		now := b.listed(t)
		if len(now) != 120 || slices.Contains(now, fmt.Sprint(ids[3])) || !slices.Contains(now, fmt.Sprint(born.ID)) {
			t.Errorf("120 PBXs, one deleted and one created: the list has %d; the deleted: %v, the new one: %v",
				len(now), slices.Contains(now, fmt.Sprint(ids[3])), slices.Contains(now, fmt.Sprint(born.ID)))
		}
		if got := ycm.Violations(); len(got) != 0 {
			t.Errorf("the simulator found violations: %v", got)
		}
	})
}

// A YCM that is down must not keep the exporter from becoming ready, nor look well.
func TestFirstPollThatFailsMakesReadyToo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ycm := b.simulate(t, ycmtest.Options{PBXs: 3}, listOnly())
		fault := ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.CloudPBXList, Effect: ycmtest.HTML(http.StatusBadGateway)})
		defer start(b.Account)()
		after(30 * time.Second)
		if !b.Ready() || value(t, b.registry, `ycm_up{account="main"}`) != "0" {
			t.Errorf("after a failed poll: ready %v, ycm_up %q; want true, 0", b.Ready(), value(t, b.registry, `ycm_up{account="main"}`))
		}
		fault.Remove()
		after(time.Minute)
		if got := value(t, b.registry, `ycm_up{account="main"}`); got != "1" {
			t.Errorf("ycm_up is %q after YCM came back, want 1", got)
		}
	})
}

func TestAccountWithoutListIsReady(t *testing.T) {
	t.Parallel()
	if !newBench(t).Ready() {
		t.Error("an account that polls no list is not ready")
	}
}

// When nothing is known of the firmware any more, nothing is said of it.
func TestStaleFirmwareIsNotJoined(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		collectors := listOnly()
		collectors["firmware"] = every(5*time.Minute, 12*time.Minute)
		ycm := b.simulate(t, ycmtest.Options{PBXs: 10}, collectors)
		defer start(b.Account)()
		after(time.Minute)
		ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.Firmware, Effect: ycmtest.Status(http.StatusInternalServerError)})
		after(10 * time.Minute)
		if b.sampled("cloud_pbx", "ycm_cloud_pbx_firmware_versions_behind") == 0 {
			t.Error("the firmware that was learned 11 minutes ago is not used, want it used for 12")
		}
		after(5 * time.Minute)
		if got := b.sampled("cloud_pbx", "ycm_cloud_pbx_firmware_versions_behind"); got != 0 {
			t.Errorf("%d PBXs are compared with firmware that was learned 16 minutes ago, want none after 12", got)
		}
	})
}

func TestOncePollsEverythingInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ycm := b.simulate(t, ycmtest.Options{PBXs: 120}, everythingOfPBXs())
		ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.Subscription, Effect: ycmtest.Failure(1000042, ycmtest.Shape{})})
		ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.Users, Effect: ycmtest.Malformed()})
		var order []string
		last := map[string][2]int{}
		err := b.Once(t.Context(), func(collector string, done, total int) {
			if _, found := last[collector]; !found {
				order = append(order, collector)
			}
			last[collector] = [2]int{done, total}
		})
		want := []string{"firmware", "cloud_pbx", "subscription", "users", "pbx_api", "trunks", "autoprovisioning"}
		if diff := cmp.Diff(want, order); diff != "" {
			t.Errorf("order of polls (-want +got):\n%s", diff)
		}
		for _, name := range []string{"firmware", "cloud_pbx", "pbx_api", "trunks", "autoprovisioning"} {
			if p := last[name]; p[0] != p[1] || p[1] == 0 {
				t.Errorf("the progress of %s ended at %d of %d, want it done", name, p[0], p[1])
			}
		}
		for _, part := range []string{"collector subscription: account main: ", "1000042", "collector users: account main: "} {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("two collectors failed; the error lacks %q: %v", part, err)
			}
		}
		if yeastar.ClassOf(err) != yeastar.Denied {
			t.Errorf("the class of the first error is %s, want denied", yeastar.ClassOf(err))
		}
		if got := len(b.listed(t)); got != 120 {
			t.Errorf("the list has %d PBXs, want 120", got)
		}
		if b.sampled("cloud_pbx", "ycm_cloud_pbx_firmware_versions_behind") == 0 {
			t.Error("the list does not show the firmware, although that was polled before it")
		}
		if lines := append(b.journal.with("level=warn"), b.journal.with("level=error")...); len(lines) != 0 {
			t.Errorf("errors that are returned are logged as well: %v", lines)
		}
	})
}

func TestOnceEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ycm := b.simulate(t, ycmtest.Options{PBXs: 10}, everything())
		ycm.Inject(ycmtest.Fault{Effect: ycmtest.Hang()})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if err := b.Once(ctx, nil); err == nil || strings.Count(err.Error(), "collector ") != 1 {
			t.Errorf("the context ended in the first poll; the error is %v, want that of the first collector alone", err)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("it took %v to end with a context of a second", took)
		}
	})
}

func TestStatusShowsEachCollector(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ycm := b.simulate(t, ycmtest.Options{PBXs: 10}, everything())
		ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.CloudPBXList, Effect: ycmtest.Slow(4 * time.Second)})
		ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.Subscription, Effect: ycmtest.Failure(1000042, ycmtest.Shape{})})
		defer start(b.Account)()
		after(3 * time.Second)
		before := b.Status()
		if list := before.Collectors[0]; !list.Running || list.LastStart.IsZero() || !list.LastSuccess.IsZero() || len(list.Polls) != 0 || before.Listed {
			t.Errorf("while the first list is read, its status is %+v, want running, started, without a success, and no fleet", list)
		}
		after(10 * time.Second)
		s := b.Status()
		if s.Account != "main" || s.BaseURL != "https://ycm.example.com" || !s.Listed || s.PBXs != 10 || s.RateLimit.Burst != 100_000 || s.TokenExpiry.IsZero() {
			t.Errorf("the status of the account is %+v", s)
		}
		list, subscription := s.Collectors[0], s.Collectors[2]
		if list.Name != "cloud_pbx" || list.Running || list.LastSuccess.IsZero() || list.Err != "" ||
			list.Interval != time.Hour || list.Duration < 4*time.Second || !list.Next.Equal(list.LastStart.Add(time.Hour)) {
			t.Errorf("after a poll of 4 s the status of the list is %+v", list)
		}
		if p := list.Polls; len(p) != 1 || !p[0].Start.Equal(list.LastStart) || p[0].Duration != list.Duration || list.Steps != 10 || p[0].Err != "" {
			t.Errorf("the list's polls are %+v, want the one of 4 s", p)
		}
		if p := subscription.Polls; len(p) != 1 || p[0].Err != subscription.Err {
			t.Errorf("the polls of the subscription are %+v, want the one that was denied", p)
		}
		// One request for ten PBXs and one that finds their end, two for firmware and regions, and one for each user.
		if each := s.Demand * time.Hour.Seconds(); each < 12 || each > 18 {
			t.Errorf("the demand is %v requests an hour, want about 15", each)
		}
		if subscription.Name != "subscription" || !strings.Contains(subscription.Err, "1000042") || !subscription.LastSuccess.IsZero() {
			t.Errorf("after a denied poll the status of the subscription is %+v", subscription)
		}
		if subscription.Cause != "Permission denied" {
			t.Errorf("the cause that collectors may share is %q", subscription.Cause)
		}
		sentences := regexp.MustCompile(`^[A-Z][a-z ]+ \(\w+, subscription, HTTP \d+, code 1000042(, request \S+)?\): .+\. [A-Z].+\.$`)
		if !sentences.MatchString(subscription.Err) || strings.Contains(subscription.Err, "account main") {
			t.Errorf("the error of the subscription is %q, want sentences with the advice", subscription.Err)
		}
	})
}
