package cli

import (
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// held is a page of the list that YCM does not answer before the test lets it, or the exporter gives it up.
type held struct {
	came, open chan struct{}
	givenUp    atomic.Bool
}

// hold holds back the next page of the list that is requested.
func (y *ycm) hold(t *testing.T) *held {
	t.Helper()
	h := &held{came: make(chan struct{}), open: make(chan struct{})}
	y.Inject(ycmtest.Fault{Endpoint: ycmtest.CloudPBXList, Times: 1, Effect: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			close(h.came)
			select {
			case <-h.open:
				next.ServeHTTP(w, r)
			case <-r.Context().Done():
				h.givenUp.Store(true)
				panic(http.ErrAbortHandler)
			}
		})
	}})
	return h
}

func (d *daemon) reload() {
	d.t.Helper()
	if status, body := d.request("POST", "/-/reload"); status != http.StatusOK {
		d.t.Fatalf("reloading a good configuration: got %d %q, want 200", status, body)
	}
}

// wantRequests checks what came at the simulator so far.
func (y *ycm) wantRequests(t *testing.T, when string, want map[ycmtest.Endpoint]int) {
	t.Helper()
	for endpoint, n := range want {
		if got := y.Count(endpoint); got != n {
			t.Errorf("%s %s was requested %d times, want %d", when, endpoint, got, n)
		}
	}
}

// waitPolled waits until each collector that is enabled by default has polled an account.
func (d *daemon) waitPolled(account string) {
	d.t.Helper()
	for _, collector := range []string{"firmware", "cloud_pbx", "subscription"} {
		d.waitFor(fmt.Sprintf("\nycm_collector_success{account=%q,collector=%q} 1\n", account, collector))
	}
}

const pagesOf70 = 3 // The first walk of 70 PBXs looks at page 1, reads page 2 and then page 1.

func TestReloadThatCannotBeUsedChangesNothing(t *testing.T) {
	t.Parallel()
	y := simulate(t, 70)
	d := start(t, "--config.file="+y.configFile, "--web.enable-lifecycle")
	d.waitFor("\nycm_cloud_pbxs{account=\"main\"} 70\n")
	d.waitFor("\nycm_exporter_config_last_reload_successful 1\n")

	y.configure(t, "\n  - name: main\n    base_url: nonsense")
	status, body := d.request("POST", "/-/reload")
	if status != http.StatusInternalServerError || !strings.Contains(body, "base_url") {
		t.Errorf("reloading nonsense: got %d %q, want 500 and the field's name", status, body)
	}
	now := d.metrics()
	for _, want := range []string{"\nycm_exporter_config_last_reload_successful 0\n", "\nycm_cloud_pbxs{account=\"main\"} 70\n"} {
		if !strings.Contains(now, want) {
			t.Errorf("after reloading nonsense a scrape lacks %q", want)
		}
	}
	y.wantRequests(t, "after reloading nonsense", map[ycmtest.Endpoint]int{ycmtest.Token: 1, ycmtest.CloudPBXList: pagesOf70})

	y.configure(t, y.account("main"))
	d.reload()
	if !strings.Contains(d.metrics(), "\nycm_exporter_config_last_reload_successful 1\n") {
		t.Error("after reloading a good configuration a scrape still says that the reload failed")
	}
}

// An account that did not change continues as if nothing had happened: a walk under way is not given up, and nothing is
// requested a second time.
func TestReloadDoesNotDisturbAnUnchangedAccount(t *testing.T) {
	t.Parallel()
	y, second := simulate(t, 70), simulate(t, 80)
	page := y.hold(t)
	d := start(t, "--config.file="+y.configFile, "--web.enable-lifecycle")
	<-page.came

	y.configure(t, y.account("main"), second.account("second"))
	d.reload()
	d.waitFor("\nycm_cloud_pbxs{account=\"second\"} 80\n")
	close(page.open)
	d.waitFor("\nycm_cloud_pbxs{account=\"main\"} 70\n")
	if page.givenUp.Load() {
		t.Error("the walk of the account that did not change was given up")
	}
	y.wantRequests(t, "after a reload that did not concern it,", map[ycmtest.Endpoint]int{ycmtest.Token: 1, ycmtest.CloudPBXList: pagesOf70})
	second.wantRequests(t, "after it was added,", map[ycmtest.Endpoint]int{ycmtest.Token: 1})
}

// Other collectors are no reason to log in again.
func TestReloadOfTheCollectorsKeepsTheToken(t *testing.T) {
	t.Parallel()
	y := simulate(t, 70)
	d := start(t, "--config.file="+y.configFile, "--web.enable-lifecycle")
	d.waitFor("\nycm_cloud_pbxs{account=\"main\"} 70\n")

	y.configure(t, y.account("main"), "\ncollectors:\n  users: {enabled: true}")
	d.reload()
	d.waitFor("\nycm_user_info{account=\"main\"")
	y.wantRequests(t, "after a collector was switched on,", map[ycmtest.Endpoint]int{ycmtest.Token: 1, ycmtest.CloudPBXList: pagesOf70})
}

// What is excluded is gone at once, and comes back at once when it is wanted again: YCM need not be queried for it, and what is
// left is served on.
func TestReloadExcludesMetricsWithoutAskingAgain(t *testing.T) {
	t.Parallel()
	const excluded, left = "\nycm_cloud_pbx_feature_enabled{", "\nycm_cloud_pbxs{account=\"main\"} 70\n"
	y := simulate(t, 70)
	d := start(t, "--config.file="+y.configFile, "--web.enable-lifecycle")
	d.waitFor("\nycm_cloud_pbx_firmware_versions_behind{")
	d.waitFor("\nycm_subscription_extensions_used{")
	if scrape := d.metrics(); !strings.Contains(scrape, excluded) || !strings.Contains(scrape, left) {
		t.Fatalf("the first scrape has not both %s and %s", excluded, left)
	}
	requested := y.Count(ycmtest.CloudPBXList)

	y.configure(t, y.account("main"), "\nmetrics: {exclude: [ycm_cloud_pbx_feature_enabled]}")
	d.reload()
	if strings.Contains(d.metrics(), excluded) {
		t.Errorf("after a reload that excludes nothing else, a scrape still has %s", excluded)
	}

	y.configure(t, y.account("main"), "\nmetrics: {exclude: [ycm_cloud_pbx_feature_enabled, ycm_subscription_.*]}")
	d.reload()
	scrape := d.metrics()
	for _, gone := range []string{"ycm_cloud_pbx_feature_enabled", "ycm_subscription_"} {
		if strings.Contains(scrape, gone) {
			t.Errorf("after a reload that excludes it, a scrape still has %s", gone)
		}
	}
	if !strings.Contains(scrape, left) {
		t.Errorf("after a reload that excludes other metrics, a scrape has no %s", left)
	}

	y.configure(t, y.account("main"))
	d.reload()
	if !strings.Contains(d.metrics(), excluded) {
		t.Errorf("after a reload that excludes it no longer, a scrape has no %s", excluded)
	}
	if again := y.Count(ycmtest.CloudPBXList); again != requested {
		t.Errorf("the list was requested %d times more, want none: what is excluded is left out of what is known", again-requested)
	}
}

// What was read of a fleet is still served after a reload if the account still lists the same PBXs, and gone at once if
// it lists others: YCM answers nothing here after the reload, so that nothing new can hide what became of the old.
func TestReloadServesTheOldSnapshotsOfTheSameFleetAlone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(account, otherURL string) string
		stay   bool
	}{
		{"another rate limit", func(account, _ string) string { return strings.ReplaceAll(account, "1000", "2000") }, true},
		{"another time-out", func(account, _ string) string { return account + "\n    timeout: 7s" }, true},
		{"another YCM", func(account, otherURL string) string {
			return regexp.MustCompile(`base_url: .*`).ReplaceAllString(account, "base_url: "+otherURL)
		}, false},
		{"another client ID", func(account, _ string) string { return strings.ReplaceAll(account, demoClientID, "another") }, false},
		{"another search", func(account, _ string) string { return account + "\n    search: harbour" }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			y, other := simulate(t, 70), simulate(t, 80)
			d := start(t, "--config.file="+y.configFile, "--web.enable-lifecycle")
			d.waitFor("\nycm_cloud_pbxs{account=\"main\"} 70\n")
			for _, simulator := range []*ycm{y, other} {
				simulator.Inject(ycmtest.Fault{Endpoint: ycmtest.CloudPBXList, Effect: ycmtest.Hang()})
			}
			y.configure(t, c.change(y.account("main"), other.url))
			d.reload()
			now := d.metrics()
			if got := strings.Count(now, "\nycm_cloud_pbx_info{"); got != 70 && c.stay || got != 0 && !c.stay {
				t.Errorf("after the reload %d of the 70 PBXs are served, want them to stay: %v", got, c.stay)
			}
			if got := strings.Contains(now, "\nycm_cloud_pbxs{"); got != c.stay {
				t.Errorf("after the reload the fleet's size is served: %v, want %v", got, c.stay)
			}
		})
	}
}

// What was read of a fleet belongs to it, not to the name of its account: accounts that are renamed, or swap their names, keep
// it, and nothing of one is exported by the name of the other. YCM answers nothing after the reload.
func TestReloadThatRenamesAnAccountKeepsWhatIsKnown(t *testing.T) {
	t.Parallel()
	small, large := simulate(t, 70), simulate(t, 80)
	small.configure(t, small.account("main"), large.account("second"))
	d := start(t, "--config.file="+small.configFile, "--web.enable-lifecycle")
	for _, name := range []string{"main", "second"} {
		d.waitPolled(name)
	}
	for _, simulator := range []*ycm{small, large} {
		simulator.Inject(ycmtest.Fault{Effect: ycmtest.Hang()})
	}
	for _, names := range [][2]string{{"second", "main"}, {"north", "main"}, {"main", "south"}} {
		small.configure(t, small.account(names[0]), large.account(names[1]))
		d.reload()
		now := d.metrics()
		for i, pbxs := range []int{70, 80} {
			for _, want := range []string{
				fmt.Sprintf("\nycm_cloud_pbxs{account=%q} %d\n", names[i], pbxs),
				fmt.Sprintf("\nycm_up{account=%q} 1\n", names[i]),
				fmt.Sprintf("\nycm_collector_last_success_timestamp_seconds{account=%q,collector=\"cloud_pbx\"}", names[i]),
				fmt.Sprintf("\nycm_subscription_extensions_used{account=%q}", names[i]),
			} {
				if !strings.Contains(now, want) {
					t.Errorf("after the accounts were named %v, a scrape has no %s", names, want)
				}
			}
			if got := strings.Count(now, fmt.Sprintf("\nycm_cloud_pbx_info{account=%q,", names[i])); got != pbxs {
				t.Errorf("after the accounts were named %v, account %s has %d PBXs, want %d", names, names[i], got, pbxs)
			}
		}
		for _, gone := range []string{"main", "second", "north"} {
			if gone != names[0] && gone != names[1] && strings.Contains(now, fmt.Sprintf("account=%q", gone)) {
				t.Errorf("after the accounts were named %v, a scrape still has account %s", names, gone)
			}
		}
	}
}

// An account of another fleet begins again under the name: the outcome of the polls of the fleet before is not its own.
func TestReloadToAnotherFleetForgetsHowPollsWent(t *testing.T) {
	t.Parallel()
	y, other := simulate(t, 70), simulate(t, 80)
	d := start(t, "--config.file="+y.configFile, "--web.enable-lifecycle")
	d.waitPolled("main")
	other.Inject(ycmtest.Fault{Effect: ycmtest.Hang()})
	y.configure(t, other.account("main"))
	d.reload()
	d.waitFor("\nycm_collector_polls_total{account=\"main\",collector=\"cloud_pbx\",result=\"ok\"} 0\n")
	now := d.metrics()
	for _, false := range []string{"\nycm_up{", "\nycm_collector_success{", "\nycm_collector_last_success_timestamp_seconds{", "\nycm_api_token_expiration_timestamp_seconds{"} {
		if strings.Contains(now, false) {
			t.Errorf("before the first poll of another fleet has ended, a scrape has %s", false)
		}
	}
}

// An account that is no longer configured ends: a walk under way is given up, and no series is left of it.
func TestReloadEndsAnAccountThatIsGone(t *testing.T) {
	y, second := simulate(t, 70), simulate(t, 80)
	const patient = "\n    timeout: 5m" // Only the end of the account gives the walk up.
	y.configure(t, y.account("main")+patient, second.account("second"), "\ncollectors:\n  cloud_pbx: {interval: 1s}")
	d := start(t, "--config.file="+y.configFile, "--web.enable-lifecycle")
	d.waitFor("\nycm_cloud_pbxs{account=\"main\"} 70\nycm_cloud_pbxs{account=\"second\"} 80\n")
	page := y.hold(t)
	<-page.came

	y.configure(t, second.account("second"))
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	d.eventually("nothing is served of the account that is gone", func() bool { return !strings.Contains(d.metrics(), `account="main"`) })
	d.eventually("its walk is given up", page.givenUp.Load)
	if now := d.metrics(); !strings.Contains(now, "\nycm_cloud_pbxs{account=\"second\"} 80\n") {
		t.Error("the snapshot of the account that stays is gone")
	}
	second.wantRequests(t, "after another account ended,", map[ycmtest.Endpoint]int{ycmtest.Token: 1})
}
