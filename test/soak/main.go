// Command soak puts an exporter, built with the race detector, to the test for a while: simulated YCMs whose fleets change
// during a walk and that fail in all ways, a configuration that changes every second, restarts, kill -9, a process that is
// frozen, scrapers that do not read. It ends with 1 if anything was served that was not true, if a limit was overrun, and if
// anything leaked, hung, raced, crashed or showed a secret.
//
//	make soak              # ten minutes
//	make soak SOAK=2h
package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

func main() {
	binary := flag.String("exporter", "", "the exporter, built with -race")
	duration := flag.Duration("for", 10*time.Minute, "how long the soak takes")
	seed := flag.Uint64("seed", rand.Uint64()>>32, "the seed of the random events; the same seed brings the same events in the same order")
	flag.Parse()
	found := newFindings(os.Stdout)
	life, kill := context.WithCancel(context.Background())
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-interrupted
		kill()
		time.Sleep(time.Second)
		os.Exit(2)
	}()
	if err := soak(life, *binary, *duration, *seed, found); err != nil {
		found.add("soak", "%v", err)
	}
	if summary := found.summary(); summary != "" {
		fmt.Printf("FAILED with -seed=%d: %s\n", *seed, summary)
		os.Exit(1)
	}
	fmt.Println("Nothing was found wrong.")
}

func soak(life context.Context, binary string, duration time.Duration, seed uint64, found *findings) error {
	folder, err := os.MkdirTemp("", "soak-")
	if err != nil {
		return err
	}
	address, err := freeAddress(life)
	if err != nil {
		return err
	}
	found.log("soaking for %v with -seed=%d; configuration, storage and log are in %s", duration, seed, folder)
	fleets := []*fleet{
		newFleet("large", 700, ycmtest.RateLimit{Burst: 300, Rate: 240, Interval: time.Minute}, seed, found),
		newFleet("lumps", 150, ycmtest.RateLimit{Burst: 150, Rate: 150, Interval: time.Minute, Lump: true}, seed+1, found),
		newFleet("small", 40, ycmtest.RateLimit{Burst: 75, Rate: 75, Interval: time.Minute, Hint: true}, seed+2, found),
	}
	e := &exporter{life: life, binary: binary, folder: folder, url: "http://" + address, found: found}
	s := newSettings(e.configFile(), fleets, seed)
	w := &watcher{exporter: e, fleets: fleets, settings: s, found: found, walks: map[string]time.Duration{}, count: map[string]int{}}
	t := &trouble{exporter: e, fleets: fleets, settings: s, watcher: w, found: found, rng: rand.New(rand.NewPCG(seed, 2)), address: address}
	s.settle()
	if err := s.write(false); err != nil {
		return err
	}
	if err := e.start(address); err != nil {
		return err
	}
	r := run{t, duration}
	r.both(seed)
	e.stop(syscall.SIGTERM)
	r.verdict()
	if found.summary() == "" {
		return os.RemoveAll(folder)
	}
	return nil
}

// run is a soak that is under way.
type run struct {
	*trouble
	duration time.Duration
}

// both runs the first half with restarts, and a second one without, which shows what one process keeps.
func (r run) both(seed uint64) {
	ctx, stop := context.WithCancel(context.Background())
	var watching sync.WaitGroup
	for i := range uint64(3) {
		watching.Go(func() { r.watcher.watch(ctx, rand.New(rand.NewPCG(seed, 10+i))) })
	}
	watching.Go(func() { r.churn(ctx) })
	r.happenFor(r.duration/2, true)
	r.restart(syscall.SIGTERM)
	r.happenFor(min(r.duration/10, time.Minute), false) // All is in use that ever will be.
	r.calm()
	before, _ := r.exporter.measure()
	var heap heaps
	measuring, enough := context.WithCancel(ctx)
	watching.Go(func() { heap.watch(measuring, r.exporter, max(3*time.Second, r.duration/100)) })
	r.stirAgain()
	r.happenFor(r.duration/2-min(r.duration/10, time.Minute), false)
	enough()
	r.calm()
	r.exporter.settled(before)
	stop()
	watching.Wait()
	if first, last, ok := heap.trend(); ok {
		r.found.log("the heap was %.1f MiB at least at the beginning and %.1f MiB at the end", first/(1<<20), last/(1<<20))
		if last > first*mayGrow+mayGrowBy {
			r.found.add("leak", "the heap grew from %.1f to %.1f MiB", first/(1<<20), last/(1<<20))
		}
	}
}

func (r run) happenFor(d time.Duration, restarts bool) {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	r.happen(ctx, restarts)
	r.hanging.Wait()
}

// churn changes PBXs until ctx ends.
func (r run) churn(ctx context.Context) {
	for ctx.Err() == nil {
		for _, f := range r.fleets {
			f.stir()
			f.forget(time.Now().Add(-longestWalk - time.Minute))
		}
		sleep(ctx, 300*time.Millisecond)
	}
}

// mayRecover is how long it takes at most until all is well again after trouble: a pause of 70 s, the share of the rate that is
// used after it, and three walks that agree are the longest way.
const mayRecover = 5 * time.Minute

// calm ends the changes, has the exporter query no PBX, and waits until it reports that all is well.
func (r run) calm() {
	for _, f := range r.fleets {
		f.setCalm(true)
	}
	r.settings.rest()
	r.reload()
	began := time.Now()
	for time.Since(began) < mayRecover {
		if missing := r.unwell(began); missing == "" {
			r.found.log("all was well %v after the trouble", time.Since(began).Round(time.Second))
			return
		}
		time.Sleep(time.Second)
	}
	r.found.add("hang", "%v after all trouble ended: %s", mayRecover, r.unwell(began))
}

// unwell names an account whose list was not read since a moment, empty if there is none.
func (r run) unwell(since time.Time) string {
	a, err := r.exporter.request(http.MethodGet, "/metrics", nil)
	if err != nil {
		return err.Error()
	}
	samples, err := parse(a)
	if err != nil {
		return err.Error()
	}
	read := map[string]bool{}
	for _, s := range samples {
		if s.family == "ycm_collector_last_success_timestamp_seconds" && s.labels["collector"] == "cloud_pbx" && int64(s.value) > since.Unix() {
			read[s.labels["account"]] = true
		}
	}
	for _, f := range r.fleets {
		if !read[f.account] {
			return "the list of account " + f.account + " was not read"
		}
	}
	return ""
}

func (r run) stirAgain() {
	for _, f := range r.fleets {
		f.setCalm(false)
	}
	r.settings.settle()
	r.reload()
}

// verdict finds what only the end shows.
func (r run) verdict() {
	var secrets []string
	for _, f := range r.fleets {
		secrets = append(secrets, f.secrets()...)
		stats := f.sim.Stats()
		r.found.log("account %s: %d requests, at least %.2f tokens left in any bucket, %d logins refused, %d scrapes compared with the truth",
			f.account, stats.Requests, f.meter.least, stats.LoginsRefused, r.watcher.count[f.account])
		if stats.Refused > 0 {
			r.found.add("request over the limit", "account %s: YCM refused %d", f.account, stats.Refused)
		}
		if stats.Lockouts > 0 {
			r.found.add("lock-out", "account %s: YCM locked the address out %d times", f.account, stats.Lockouts)
		}
		for _, v := range f.sim.Violations() {
			r.found.add("violation", "account %s: %s", f.account, v)
		}
		if r.watcher.count[f.account] == 0 {
			r.found.add("soak", "no scrape had account %s", f.account)
		}
	}
	r.exporter.searchLog(secrets)
}

func freeAddress(ctx context.Context) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}
