package web_test

import (
	"strings"
	"testing"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/poll"
	"github.com/ycm-exporter/ycm_exporter/internal/web"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// statusOf is the status page of an exporter.
func statusOf(t *testing.T, o web.Options, e web.Exporter, query string) string {
	t.Helper()
	status, body, header := request(t, serve(t, o, e), "GET", "/status"+query)
	if status != 200 || !strings.HasPrefix(header.Get("Content-Type"), "text/html") {
		t.Fatalf("got %d with content type %q, want an HTML page", status, header.Get("Content-Type"))
	}
	return body
}

func expectOn(t *testing.T, page string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(page, want) {
			t.Errorf("the status page lacks %q:\n%s", want, page)
		}
	}
}

func TestStatusPageShowsEachCollectorsState(t *testing.T) {
	now := time.Now()
	account := poll.Status{
		Account: "main", BaseURL: "https://ycm.example.com", Listed: true, PBXs: 1234, Demand: 0.5,
		RateLimit:   ycmclient.RateLimitState{RateLimit: ycmclient.RateLimit{Burst: 75, Rate: 60, Interval: time.Minute}, PerSecond: 0.92, PausedUntil: now.Add(5 * time.Minute)},
		TokenExpiry: now.Add(20 * time.Minute),
		Collectors: []poll.CollectorStatus{
			{
				Name: "cloud_pbx", Interval: time.Minute, Running: true, Done: 17, Total: 25, LastSuccess: now.Add(-90 * time.Second), Duration: 20 * time.Second,
				Polls: []poll.Poll{
					{Start: time.Date(2026, 3, 1, 3, 4, 5, 0, time.UTC), Duration: 20 * time.Second},
					{Start: time.Date(2026, 3, 1, 3, 3, 5, 0, time.UTC), Duration: 30 * time.Second, Err: "page 3 <b>timed out</b>"},
				},
			},
			{Name: "firmware", Interval: time.Hour, LastSuccess: now.Add(-time.Hour), Next: now.Add(3 * time.Minute), Err: `page <script>alert("x")</script> answered 502`},
			{Name: "users", Interval: time.Hour},
			{Name: "trunks", Interval: time.Hour, LastSuccess: now.Add(-2 * time.Minute), Restored: true},
		},
	}
	page := statusOf(t, defaults, &fleet{status: []poll.Status{account}}, "")
	expectOn(t, page,
		"https://ycm.example.com", "<dd>1234</dd>", "60 requests every 1m, 0.92 per second at present", "30.0 every 1m", "Paused by rate limit",
		"running, 17 of 25", "1m30s ago", `class="state ok">ok`, "2m ago, before the restart",
		`class="state failing">failing`, "&lt;script&gt;", `class="state starting">starting`, "never",
		"03:04:05 UTC, 20s, <span class=\"ok\">ok</span>", "03:03:05 UTC, 30s, <span class=\"failing\">page 3 &lt;b&gt;timed out&lt;/b&gt;</span>",
	)
	if strings.Contains(page, "<script") || strings.Contains(page, "<b>") {
		t.Errorf("the status page shows an error's text as HTML:\n%s", page)
	}
}

// The first thing on the page is green only when all collectors succeed.
func TestStatusPageBeginsWithTheWorstState(t *testing.T) {
	now := time.Now()
	good := poll.CollectorStatus{Name: "cloud_pbx", LastSuccess: now}
	bad := poll.CollectorStatus{Name: "firmware", LastSuccess: now, Err: "502"}
	fresh := poll.CollectorStatus{Name: "users"}
	restored := poll.CollectorStatus{Name: "trunks", LastSuccess: now, Restored: true}
	waits := poll.CollectorStatus{Name: "pbx_api", Waiting: true}
	account := func(c ...poll.CollectorStatus) poll.Status {
		return poll.Status{Account: "main", Collectors: c}
	}
	paused := account(good)
	paused.RateLimit.PausedUntil = now.Add(time.Hour)
	for want, c := range map[string]struct {
		ready    bool
		accounts []poll.Status
	}{
		`class="state ok">all collectors succeed`:                        {true, []poll.Status{account(good, good)}},
		`class="state starting">1 of 2 collectors have not polled yet`:   {true, []poll.Status{account(good, fresh)}},
		`class="state starting">2 of 3 collectors have not polled yet`:   {true, []poll.Status{account(good, restored, fresh)}},
		`class="state starting">1 of 3 collectors have not polled yet`:   {true, []poll.Status{account(good, good, waits)}},
		`class="state starting">first walk in progress`:                  {false, []poll.Status{account(fresh, fresh)}},
		`class="state failing">1 of 2 collectors failing`:                {true, []poll.Status{account(good, bad)}},
		`class="state failing">3 of 4 collectors failing`:                {true, []poll.Status{account(bad, bad), account(good, bad)}},
		`class="state failing">1 of 1 collectors failing`:                {false, []poll.Status{account(bad)}},
		`class="state failing">1 of 2 accounts paused by the rate limit`: {true, []poll.Status{account(good), paused}},
		`class="state failing">no account is configured`:                 {true, nil},
	} {
		page := statusOf(t, defaults, &fleet{ready: c.ready, status: c.accounts}, "")
		_, after, _ := strings.Cut(page, "<header>")
		if header, _, closed := strings.Cut(after, "</header>"); !closed || !strings.Contains(header, want) {
			t.Errorf("the status page does not begin with %q:\n%s", want, header)
		}
	}
}

// A collector that cannot poll because the list fails is not to blame: it waits.
func TestStatusPageShowsWhatWaitsForTheFirstList(t *testing.T) {
	account := poll.Status{Account: "main", Collectors: []poll.CollectorStatus{
		{Name: "cloud_pbx", Err: "502"}, {Name: "pbx_api", Waiting: true}, {Name: "trunks", Waiting: true},
	}}
	page := statusOf(t, defaults, &fleet{status: []poll.Status{account}}, "")
	expectOn(t, page, `class="state failing">1 of 3 collectors failing`, `class="state waiting">waiting`)
	if n := strings.Count(page, `class="state waiting">waiting`); n != 2 {
		t.Errorf("%d collectors are shown as waiting, want 2:\n%s", n, page)
	}
}

// Unknown is not 0.
func TestStatusPageShowsNoFleetBeforeTheFirstWalk(t *testing.T) {
	account := poll.Status{Account: "main", RateLimit: ycmclient.RateLimitState{RateLimit: ycmclient.RateLimit{Burst: 75, Rate: 75, Interval: time.Minute}}}
	page := statusOf(t, defaults, &fleet{status: []poll.Status{account}}, "")
	expectOn(t, page, `<dt>Cloud PBXs</dt><dd><span class="soft">unknown</span>`, `<dt>Estimated API demand</dt><dd><span class="soft">unknown</span>`)

	account.Listed = true
	expectOn(t, statusOf(t, defaults, &fleet{status: []poll.Status{account}}, ""), "<dt>Cloud PBXs</dt><dd>0</dd>")
}

func TestStatusPageWarnsWhenDemandExceedsTheRateLimit(t *testing.T) {
	account := poll.Status{Account: "main", Demand: 10, RateLimit: ycmclient.RateLimitState{RateLimit: ycmclient.RateLimit{Burst: 75, Rate: 75, Interval: time.Minute}}}
	expectOn(t, statusOf(t, defaults, &fleet{status: []poll.Status{account}}, ""), `class="state failing">600.0 every 1m, exceeds the rate limit`)
	account.Demand = 0.1
	expectOn(t, statusOf(t, defaults, &fleet{status: []poll.Status{account}}, ""), `class="state ok">6.0 every 1m`)
}

func TestStatusPageLinksToEachShard(t *testing.T) {
	o := defaults
	o.SDShards, o.TelemetryPath = 3, "/a/metrics"
	page := statusOf(t, o, &fleet{status: []poll.Status{{Account: "main"}}}, "")
	expectOn(t, page, `<a href="./a/metrics?account=main&amp;shard=0&amp;shards=3">0</a>`, `<a href="./a/metrics?account=main&amp;shard=2&amp;shards=3">2</a>`)
	if page := statusOf(t, defaults, &fleet{status: []poll.Status{{Account: "main"}}}, ""); strings.Contains(page, "Shards") {
		t.Error("the status page shows shards where there is one")
	}
}

// The page reloads itself, unless somebody wants to read it.
func TestAutoRefreshCanBePaused(t *testing.T) {
	const refresh = `http-equiv="refresh"`
	if page := statusOf(t, defaults, &fleet{}, ""); !strings.Contains(page, refresh) || !strings.Contains(page, `href="?refresh=off"`) {
		t.Errorf("the page does not refresh, or has no link to pause that:\n%s", page)
	}
	if page := statusOf(t, defaults, &fleet{}, "?refresh=off"); strings.Contains(page, refresh) || !strings.Contains(page, `href="status"`) {
		t.Errorf("the paused page refreshes, or has no link to resume:\n%s", page)
	}
}

// storing is an exporter with a directory for persistent state.
type storing struct {
	fleet
	storage web.StorageStatus
}

func (s *storing) Storage() *web.StorageStatus { return &s.storage }

func TestStatusPageShowsTheStorage(t *testing.T) {
	page := statusOf(t, defaults, &storing{storage: web.StorageStatus{Path: "/var/lib/ycm", LastWrite: time.Now().Add(-time.Minute)}}, "")
	expectOn(t, page, "/var/lib/ycm", "<dt>Last write</dt><dd>1m ago", `class="state ok">ok`)
	page = statusOf(t, defaults, &storing{storage: web.StorageStatus{Path: "/var/lib/ycm", Err: "no space left on device"}}, "")
	expectOn(t, page, "<dt>Last write</dt><dd>never", `class="state failing">no space left on device`)
	if page := statusOf(t, defaults, &fleet{}, ""); strings.Contains(page, "Storage") {
		t.Error("the status page shows a storage where there is none")
	}
}
