package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// trouble is all that happens to the exporter.
type trouble struct {
	exporter *exporter
	fleets   []*fleet
	settings *settings
	watcher  *watcher
	found    *findings
	rng      *rand.Rand
	address  string
	hanging  sync.WaitGroup // scrapers that do not read
}

// event is a kind of trouble, with how often it comes beside the others.
type event struct {
	name   string
	weight int
	does   func(ctx context.Context)
}

func (t *trouble) events(restarts bool) []event {
	all := []event{
		{"faults", 30, t.fault},
		{"a slow or a dead scraper", 10, t.slowScraper},
		{"reloads every second", 5, t.reloads},
		{"a pause", 2, t.pause},
		{"an outage", 2, t.outage},
		{"tokens that end", 3, t.tokens},
		{"a frozen process", 2, func(context.Context) { t.exporter.freeze(time.Duration(1+t.rng.IntN(20)) * time.Second) }},
		{"a crowd that does not read", 1, t.crowd},
		{"many PBXs that vanish", 1, func(context.Context) { t.fleets[t.rng.IntN(len(t.fleets))].vanish() }},
		{"a wrong secret", 1, t.wrongSecret},
		{"peace", 15, func(ctx context.Context) { sleep(ctx, 15*time.Second) }},
	}
	if restarts {
		all = append(all,
			event{"a restart", 3, func(context.Context) { t.restart(syscall.SIGTERM) }},
			event{"kill -9", 3, func(context.Context) { t.restart(syscall.SIGKILL) }})
	}
	return all
}

// happen lets one thing after another happen until ctx ends.
func (t *trouble) happen(ctx context.Context, restarts bool) {
	events := t.events(restarts)
	sum := 0
	for _, e := range events {
		sum += e.weight
	}
	for ctx.Err() == nil && t.exporter.alive() {
		n := t.rng.IntN(sum)
		for _, e := range events {
			if n -= e.weight; n < 0 {
				if e.weight < 10 {
					t.found.log("%s", e.name)
				}
				e.does(ctx)
				break
			}
		}
		sleep(ctx, time.Duration(t.rng.IntN(2000))*time.Millisecond)
	}
	t.end()
}

// end ends all trouble.
func (t *trouble) end() {
	for _, f := range t.fleets {
		f.sim.ClearFaults()
		f.sim.Unblock()
	}
	t.settings.settle()
	t.reload()
}

// fault makes some requests go wrong.
func (t *trouble) fault(context.Context) {
	endpoints := []ycmtest.Endpoint{"", ycmtest.CloudPBXList, ycmtest.CloudPBXList, ycmtest.CloudPBX, ycmtest.Firmware, ycmtest.Subscription, ycmtest.Proxy, ycmtest.PBXAPI}
	effects := []ycmtest.Effect{
		ycmtest.Reset(), ycmtest.Hang(), ycmtest.Malformed(), ycmtest.Empty(), ycmtest.Oversize(17 << 20), ycmtest.HTML(http.StatusBadGateway),
		ycmtest.HTML(http.StatusOK), ycmtest.Status(http.StatusInternalServerError), ycmtest.Truncate(20), ycmtest.Trickle(2 * time.Second), ycmtest.Slow(3 * time.Second),
		ycmtest.Redirect("https://elsewhere.example/"), ycmtest.BOM(), ycmtest.Switch(), unrequested,
		ycmtest.Chain(ycmtest.Header("Retry-After", "3"), ycmtest.Status(http.StatusServiceUnavailable)),
	}
	t.fleets[t.rng.IntN(len(t.fleets))].sim.Inject(ycmtest.Fault{
		Endpoint: endpoints[t.rng.IntN(len(endpoints))], Skip: t.rng.IntN(8), Times: 1 + t.rng.IntN(4), Effect: effects[t.rng.IntN(len(effects))],
	})
}

// unrequested answers a second time, with the token that came, which the standard library's logger would show.
func unrequested(http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		token := r.Header.Get("Authorization")
		_, _ = fmt.Fprintf(conn, "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\nX-Token: %s\r\n\r\n%[1]s", token) // The client may be gone.
		time.AfterFunc(20*time.Second, func() { _ = conn.Close() })                                                   // The client may be gone.
	})
}

func (t *trouble) slowScraper(ctx context.Context) {
	complete := t.rng.IntN(2) == 0
	t.hanging.Go(func() { t.exporter.hang(ctx, complete) })
}

// crowdSize is more than the exporter serves at once.
const crowdSize = 220

// crowd takes all places that there are for scrapes.
func (t *trouble) crowd(ctx context.Context) {
	t.watcher.crowded.Store(time.Now().Add(45 * time.Second).Unix())
	for range crowdSize {
		t.hanging.Go(func() { t.exporter.hang(ctx, true) })
	}
}

// reloads changes the configuration every second for a while.
func (t *trouble) reloads(ctx context.Context) {
	for range 5 + t.rng.IntN(15) {
		t.settings.change()
		t.reload()
		if t.rng.IntN(5) == 0 {
			t.badReload()
		}
		sleep(ctx, time.Second)
	}
}

func (t *trouble) reload() { t.post(false, http.StatusOK) }

// badReload tries a configuration that cannot be used, which must change nothing. The next start is to find a good one.
func (t *trouble) badReload() {
	t.post(true, http.StatusInternalServerError)
	if err := t.settings.write(false); err != nil {
		t.found.add("configuration", "%v", err)
	}
}

func (t *trouble) post(broken bool, want int) {
	if err := t.settings.write(broken); err != nil {
		t.found.add("configuration", "%v", err)
		return
	}
	if !broken && t.rng.IntN(4) == 0 {
		t.exporter.signal(syscall.SIGHUP)
		return
	}
	began := time.Now()
	a, err := t.exporter.request(http.MethodPost, "/-/reload", nil)
	if err != nil || a.status != want {
		took := time.Since(began)
		stacks, _ := t.exporter.request(http.MethodGet, "/debug/pprof/goroutine?debug=1", nil) // What is known is reported.
		t.found.add("reload", "after %v: HTTP %d, want %d, error %v: %s\n%.20000s", took, a.status, want, err, a.body, stacks.body)
	}
}

// pause has an account pause.
func (t *trouble) pause(context.Context) {
	seconds := []int{3, 20, 40, 70}[t.rng.IntN(4)]
	t.found.log("the pause is of %d s", seconds)
	t.fleets[t.rng.IntN(len(t.fleets))].sim.Inject(ycmtest.Fault{Endpoint: ycmtest.CloudPBXList, Times: 1, Effect: ycmtest.Chain(
		ycmtest.Header("Retry-After", strconv.Itoa(seconds)), ycmtest.Failure(1000040, ycmtest.Shape{}))})
}

// outage lets all requests to a YCM fail for a while.
func (t *trouble) outage(ctx context.Context) {
	effect := []ycmtest.Effect{ycmtest.Reset(), ycmtest.Hang(), ycmtest.Status(http.StatusBadGateway)}[t.rng.IntN(3)]
	injected := t.fleets[t.rng.IntN(len(t.fleets))].sim.Inject(ycmtest.Fault{Effect: effect})
	sleep(ctx, time.Duration(5+t.rng.IntN(20))*time.Second)
	injected.Remove()
}

func (t *trouble) tokens(context.Context) {
	if sim := t.fleets[t.rng.IntN(len(t.fleets))].sim; t.rng.IntN(2) == 0 {
		sim.ExpireTokens()
	} else {
		sim.RevokeTokens()
	}
}

// wrongSecret has YCM refuse an account, through reloads, and never so often that it locks the address out.
func (t *trouble) wrongSecret(ctx context.Context) {
	i := t.rng.IntN(len(t.fleets))
	t.settings.wrongSecret(i, true)
	t.fleets[i].sim.RevokeTokens()
	for range 5 {
		t.settings.change()
		t.reload()
		sleep(ctx, 2*time.Second)
	}
	t.settings.wrongSecret(i, false)
	t.reload()
}

// restart ends the process and starts it again.
func (t *trouble) restart(signal syscall.Signal) {
	t.exporter.stop(signal)
	if err := t.exporter.start(t.address); err != nil {
		t.found.add("hang", "%v", err)
	}
}
