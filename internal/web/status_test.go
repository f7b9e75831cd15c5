package web_test

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/poll"
	"github.com/ycm-exporter/ycm_exporter/internal/storage"
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
		"https://ycm.example.com", "<dd>1234</dd>", "60 requests per 1m, usable now: 55.2 per minute", `class="state ok">30.0 requests per minute (50 % of the rate limit)</span>`, "Paused by rate limit",
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
	for want, accounts := range map[string][]poll.Status{
		`class="state ok">2 of 2 collectors ok<`:                                       {account(good, good)},
		`class="state starting">1 of 2 collectors ok, 1 not polled yet<`:               {account(good, fresh)},
		`class="state starting">1 of 3 collectors ok, 2 not polled yet<`:               {account(good, restored, fresh)},
		`class="state starting">2 of 3 collectors ok, 1 waiting for the PBX list<`:     {account(good, good, waits)},
		`class="state failing">1 of 2 collectors ok, 1 failing<`:                       {account(good, bad)},
		`class="state failing">1 of 4 collectors ok, 3 failing<`:                       {account(bad, bad), account(good, bad)},
		`class="state failing">1 of 3 collectors ok, 1 failing, 1 waiting for the PBX`: {account(good, bad, waits)},
		`class="state failing">2 of 2 collectors ok, paused by the rate limit: main<`:  {account(good), paused},
		`class="state failing">0 of 0 collectors ok<`:                                  nil,
	} {
		page := statusOf(t, defaults, &fleet{status: accounts}, "")
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
	expectOn(t, page, `class="state failing">0 of 3 collectors ok, 1 failing, 2 waiting for the PBX list`, `class="state waiting">waiting`)
	if n := strings.Count(page, `class="state waiting">waiting`); n != 2 {
		t.Errorf("%d collectors are shown as waiting, want 2:\n%s", n, page)
	}
}

// One refused login fails every collector of an account: the page shows it once, with the advice.
func TestStatusPageShowsASharedCauseOnce(t *testing.T) {
	const login, other = "Login refused (auth, token, HTTP 401): invalid_client. Check client_id.", "Invalid response (invalid, users)."
	failed := func(name, err, cause string) poll.CollectorStatus {
		return poll.CollectorStatus{Name: name, Err: err, Cause: cause, Polls: []poll.Poll{{Err: "short"}}}
	}
	account := poll.Status{Account: "main", Collectors: []poll.CollectorStatus{
		failed("cloud_pbx", login, "Login refused"), failed("firmware", login+" Older.", "Login refused"), {Name: "users", LastSuccess: time.Now()},
	}}
	page := statusOf(t, defaults, &fleet{status: []poll.Status{account}}, "")
	expectOn(t, page, `<p class="summary"><span class="state failing">1 of 3 collectors ok, 2 failing</span><br>`+login+"</p>", "Login refused, see above")
	if n := strings.Count(page, login); n != 1 {
		t.Errorf("the shared error is shown %d times, want once:\n%s", n, page)
	}
	account.Collectors[2] = failed("users", other, "")
	page = statusOf(t, defaults, &fleet{status: []poll.Status{account}}, "")
	if n := strings.Count(page, login); n != 2 || !strings.Contains(page, other) || strings.Contains(page, "see above") {
		t.Errorf("of different errors, the page does not show each with its collector:\n%s", page)
	}
}

// From the top of the page, each account is one line and one tap away.
func TestStatusPageLinksToEachAccount(t *testing.T) {
	page := statusOf(t, defaults, &fleet{status: []poll.Status{
		{Account: "east", Collectors: []poll.CollectorStatus{{Name: "cloud_pbx", LastSuccess: time.Now()}}},
		{Account: "west", Collectors: []poll.CollectorStatus{{Name: "cloud_pbx", Err: "502", Cause: "Login refused"}}},
	}}, "")
	expectOn(t, page,
		`<a href="#east">east</a> <span class="ok">1 of 1 collectors ok</span>`, `<section id="east">`,
		`<a href="#west">west</a> <span class="failing">0 of 1 collectors ok, 1 failing</span> · Login refused`, `<section id="west">`)
}

// Each poll of a sweep covers a part of the PBXs: what matters is how far it is, and how long the last complete one took.
func TestStatusPageShowsTheProgressOfSweeps(t *testing.T) {
	account := poll.Status{Account: "main", Collectors: []poll.CollectorStatus{
		{Name: "trunks", Polls: make([]poll.Poll, 1), Sweeps: true, Sweep: 14 * time.Minute, Duration: 2 * time.Second, Done: 7, Total: 118},
		{Name: "phones", Polls: make([]poll.Poll, 1), Sweeps: true, Duration: 3 * time.Second, Done: 1, Total: 90},
	}}
	page := statusOf(t, defaults, &fleet{status: []poll.Status{account}}, "")
	expectOn(t, page, "14m (last sweep)", `data-name="Sweep">7 of 118 PBXs`, "first sweep", `data-name="Sweep">1 of 90 PBXs`)
	if strings.Contains(page, ">2s") || strings.Contains(page, ">3s") {
		t.Errorf("the duration of a part of a sweep is shown:\n%s", page)
	}
}

// Unknown is not 0.
func TestStatusPageShowsNoFleetBeforeTheFirstWalk(t *testing.T) {
	account := poll.Status{Account: "main", RateLimit: ycmclient.RateLimitState{RateLimit: ycmclient.RateLimit{Burst: 75, Rate: 75, Interval: time.Minute}}}
	page := statusOf(t, defaults, &fleet{status: []poll.Status{account}}, "")
	expectOn(t, page, `<dt>Cloud PBXs</dt><dd><span class="soft">no data</span>`, `<dt>Estimated API demand</dt><dd><span class="soft">no data</span>`)

	account.Listed = true
	expectOn(t, statusOf(t, defaults, &fleet{status: []poll.Status{account}}, ""), "<dt>Cloud PBXs</dt><dd>0</dd>")
}

func TestStatusPageWarnsWhenDemandExceedsTheRateLimit(t *testing.T) {
	account := poll.Status{Account: "main", Demand: 10, RateLimit: ycmclient.RateLimitState{RateLimit: ycmclient.RateLimit{Burst: 75, Rate: 75, Interval: time.Minute}, PerSecond: 1.25}}
	expectOn(t, statusOf(t, defaults, &fleet{status: []poll.Status{account}}, ""), `class="state failing">600.0 requests per minute (800 % of the rate limit), exceeds what is usable`)
	account.Demand = 1.1 // Above 80 %, as in the log.
	expectOn(t, statusOf(t, defaults, &fleet{status: []poll.Status{account}}, ""), `class="state waiting">66.0 requests per minute (88 % of the rate limit)<`)
	account.Demand = 0.1
	expectOn(t, statusOf(t, defaults, &fleet{status: []poll.Status{account}}, ""), `class="state ok">6.0 requests per minute (8 % of the rate limit)<`)
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

// The page reloads itself, unless the reader pauses that.
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
	storage storage.Status
}

func (s *storing) Storage() *storage.Status { return &s.storage }

func TestStatusPageShowsTheStorage(t *testing.T) {
	page := statusOf(t, defaults, &storing{storage: storage.Status{Path: "/var/lib/ycm", LastWrite: time.Now().Add(-time.Minute)}}, "")
	expectOn(t, page, "/var/lib/ycm", "<dt>Last write</dt><dd>1m ago", `class="state ok">ok`)
	page = statusOf(t, defaults, &storing{storage: storage.Status{Path: "/var/lib/ycm", Err: syscall.ENOSPC}}, "")
	expectOn(t, page, "<dt>Last write</dt><dd>never", `class="state failing">no space left on device`)
	if page := statusOf(t, defaults, &fleet{}, ""); strings.Contains(page, "Storage") {
		t.Error("the status page shows a storage where there is none")
	}
}
