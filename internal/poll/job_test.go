package poll

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/exposition"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// selfMetric is a self metric of the account's collector named polls.
func selfMetric(name string) string {
	return name + `{account="main",collector="polls"}`
}

func TestPanicIsAFailedPoll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.add("polls", every(time.Minute, time.Hour), func(context.Context) (exposition.Source, error) {
			panic("a page without an end")
		})
		defer start(b.Account)()
		time.Sleep(90 * time.Second)

		lines := b.journal.with("level=error", "Collector panicked", "a page without an end", "job_test.go", "account=main", "collector=polls")
		if len(lines) != 2 {
			t.Errorf("two polls panicked; the log has %d lines about it at level error with the stack:\n%s", len(lines), b.journal.lines.String())
		}
		for metric, want := range map[string]string{
			`ycm_collector_polls_total{account="main",collector="polls",result="invalid"}`: "2",
			`ycm_collector_polls_total{account="main",collector="polls",result="ok"}`:      "0",
			selfMetric("ycm_collector_success"):                                            "0",
		} {
			if got := value(t, b.registry, metric); got != want {
				t.Errorf("%s is %q after two panics, want %s", metric, got, want)
			}
		}
	})
}

// refusing is a Publisher that cannot use a snapshot.
type refusing struct{ *shelf }

func (refusing) Publish(string, string, exposition.Source, time.Time) error {
	return errors.New("ycm_cloud_pbx_info: samples out of order")
}

func TestUnusableSnapshotIsAFailedPoll(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.options.Publisher = refusing{b.shelf}
	j := b.add("polls", every(time.Minute, time.Hour), func(context.Context) (exposition.Source, error) {
		return nothing(), nil
	})
	err := j.poll(context.Background())
	if err == nil || !strings.Contains(err.Error(), "ycm_cloud_pbx_info: samples out of order") {
		t.Errorf("the poll's error is %v, want one that says what is wrong with the snapshot", err)
	}
	if got := classOf(err); got != yeastar.Invalid {
		t.Errorf("the poll's class is %s, want invalid", got)
	}
}

func TestFailedPollIsOneLineThatSaysWhatAndWhere(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.add("polls", every(time.Minute, time.Hour), func(context.Context) (exposition.Source, error) {
			time.Sleep(2 * time.Second)
			return nil, fmt.Errorf("page 3: %w", &yeastar.Error{
				Account: "main", Endpoint: "cloud_pbx_list", Class: yeastar.Server, HTTPStatus: 500,
				Code: 1000012, Message: "DATABASE_ERROR", RequestID: "9a981b12",
			})
		})
		defer start(b.Account)()
		time.Sleep(10 * time.Second) // The poll is repeated after that.
		all := len(b.journal.with("collector=polls"))
		lines := b.journal.with("level=warn", "account=main", "collector=polls", "duration=2s",
			`err="page 3: cloud_pbx_list: server (HTTP 500, code 1000012, request 9a981b12): DATABASE_ERROR; `)
		if all != 1 || len(lines) != 1 {
			t.Errorf("one poll failed; the log has %d lines, %d of them complete:\n%s", all, len(lines), b.journal.lines.String())
		}
		for metric, want := range map[string]string{
			`ycm_collector_polls_total{account="main",collector="polls",result="server"}`: "1",
			selfMetric("ycm_collector_success"):                                           "0",
			selfMetric("ycm_collector_duration_seconds"):                                  "2",
			selfMetric("ycm_collector_interval_seconds"):                                  "60",
			selfMetric("ycm_collector_last_success_timestamp_seconds"):                    "",
		} {
			if got := value(t, b.registry, metric); got != want {
				t.Errorf("%s is %q after a failed poll of 2 s, want %q", metric, got, want)
			}
		}
	})
}

// Polls that fail alike are reported once, and when they succeed again.
func TestFailureOfAKindIsReportedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		var allowed atomic.Bool
		b.add("polls", every(time.Minute, time.Hour), func(context.Context) (exposition.Source, error) {
			if allowed.Load() {
				return nothing(), nil
			}
			return nil, &yeastar.Error{Class: yeastar.Denied, Code: 1000042}
		})
		defer start(b.Account)()
		expect := func(level, message string, want int) {
			t.Helper()
			if got := len(b.journal.with("level="+level, message)); got != want {
				t.Errorf("the log says %d times %q at level %s, want %d:\n%s", got, message, level, want, b.journal.lines.String())
			}
		}
		time.Sleep(2*time.Minute + 30*time.Second)
		expect("warn", "Poll failed", 1)
		expect("debug", "Poll still failing", 2)
		if got := value(t, b.registry, `ycm_collector_polls_total{account="main",collector="polls",result="denied"}`); got != "3" {
			t.Errorf("polls denied: %q, want 3", got)
		}
		allowed.Store(true)
		time.Sleep(time.Minute)
		expect("info", "Poll recovered", 1)
		allowed.Store(false)
		time.Sleep(time.Minute)
		expect("warn", "Poll failed", 2)
	})
}

// A cause that is the same for all collectors of an account is one line of the log, and one that is a collector's own is one more.
func TestCauseIsOneLineOfAnAccount(t *testing.T) {
	t.Parallel()
	for class, want := range map[yeastar.Class]int{yeastar.Network: 1, yeastar.Auth: 1, yeastar.Denied: 3} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			for _, name := range []string{"one", "two", "three"} {
				b.add(name, every(time.Minute, time.Hour), failing(1, class, new([]time.Duration)))
			}
			stop := start(b.Account)
			time.Sleep(5 * time.Minute)
			stop()
			if failed, again := len(b.journal.with("level=warn", "Poll failed")), len(b.journal.with("level=info", "Poll recovered")); failed != want || again != want {
				t.Errorf("three collectors failed with %s and recovered: %d and %d lines, want %d each:\n%s", class, failed, again, want, &b.journal.lines)
			}
		})
	}
}

// Without a list, --once reports the list's error, and not one of each collector that needs it.
func TestOnceWithoutAListHasOneError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ycm := b.simulate(t, ycmtest.Options{PBXs: 3}, everythingOfPBXs())
		ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.CloudPBXList, Effect: ycmtest.Status(http.StatusForbidden)})
		err := b.Once(t.Context(), nil)
		if err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "collector cloud_pbx: ") {
			t.Errorf("the error is %v, want that of cloud_pbx alone", err)
		}
	})
}

// A collector that waits for the first list is waiting, not failed.
func TestCollectorWithoutAListIsWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ycm := b.simulate(t, ycmtest.Options{PBXs: 3}, listAnd(pbxAPI))
		fault := ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.CloudPBXList, Effect: ycmtest.Status(http.StatusInternalServerError)})
		defer start(b.Account)()
		after(30 * time.Minute)
		if list, api := b.Status().Collectors[0], b.Status().Collectors[1]; list.Waiting || list.Err == "" || !api.Waiting || api.Err != "" {
			t.Errorf("while the list fails the states are %+v and %+v, want failing and waiting", list, api)
		}
		if got := value(t, b.registry, `ycm_collector_success{account="main",collector="pbx_api"}`); got != "" {
			t.Errorf("ycm_collector_success of a collector that waits is %s, want none", got)
		}
		if got := value(t, b.registry, `ycm_collector_polls_total{account="main",collector="pbx_api",result="not_found"}`); got != "0" || len(b.journal.with("collector=pbx_api")) > 0 {
			t.Errorf("a collector that waits has failed %s times, and the log has %v", got, b.journal.with("collector=pbx_api"))
		}
		fault.Remove()
		after(10 * time.Minute)
		if api := b.Status().Collectors[1]; api.Waiting || api.LastSuccess.IsZero() {
			t.Errorf("with a list the state is %+v, want a success", api)
		}
	})
}

// An operator finds the vendor's name for a code in the documentation of YCM.
func TestStatusNamesTheCodeOfAFailure(t *testing.T) {
	t.Parallel()
	failure := &yeastar.Error{Account: "main", Endpoint: "users", Class: yeastar.Denied, HTTPStatus: 403, Code: 1000042, RequestID: "r-1", Message: "no"}
	want := "Permission denied (denied, users, HTTP 403, code 1000042 ACCESS_DENIED, request r-1): no. " + sentence(yeastar.Denied.Advice())
	if got, cause := describe("main", failure); got != want || cause != "Permission denied" {
		t.Errorf("got %q with the cause %q, want %q", got, cause, want)
	}
}
