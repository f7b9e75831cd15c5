// Package poll is when collectors poll: each on its own interval, from start to start and never overlapping itself.
//
// An [Account] owns one goroutine for each enabled collector. One wrapper around all collectors (job.poll) times a poll,
// recovers a panic, keeps the self metrics, publishes the snapshot and sees to its end. It knows collectors by the roles
// that they have for each other, not by their names.
package poll

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"

	"github.com/ycm-exporter/ycm_exporter/collector"
	"github.com/ycm-exporter/ycm_exporter/internal/exposition"
	"github.com/ycm-exporter/ycm_exporter/internal/sweep"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// Publisher takes the snapshots. An exposition.Set is one.
type Publisher interface {
	// Publish serves a snapshot in place of the collector's last one, until it expires.
	Publish(account, collector string, src exposition.Source, expires time.Time) error
	// Extend changes when the present snapshot expires.
	Extend(account, collector string, expires time.Time)
	// Withdraw serves the collector's snapshot no longer.
	Withdraw(account, collector string)
}

// Options is what an account is made of.
type Options struct {
	Account    string // its name
	BaseURL    *url.URL
	Client     *ycmclient.Client
	Direct     []sweep.Direct // PBXs that are spoken to directly; the account closes their clients
	Collectors []collector.Configured
	Publisher  Publisher
	Keeper     Keeper // may be nil: nothing outlives a restart
	Metrics    *Metrics
	Logger     log.Logger
}

// Account polls one YCM account: each enabled collector on its own interval.
type Account struct {
	options Options
	fleet   *sweep.Fleet
	jobs    []*job // in the order in which they start
}

// NewAccount makes an account that does not poll yet.
func NewAccount(o Options) *Account {
	a := &Account{options: o}
	for _, c := range o.Collectors {
		if c.Schedule.Enabled {
			a.jobs = append(a.jobs, newJob(o, c))
		}
	}
	given := collector.NewAccount(o.Account, o.Client, o.Direct, func(role collector.Role) collector.Peer {
		if j := a.provider(role); j != nil {
			return j
		}
		return nil
	})
	a.fleet = given.Fleet
	for _, j := range a.jobs {
		given.Schedule, given.Settings, given.Excluded, given.Asked = j.Schedule, j.Settings, j.Excluded, j.asked
		j.poller = j.New(given)
		if _, ok := j.sweeper(); ok {
			j.period = sweep.PublishInterval(j.Schedule.Interval)
		}
		if j.Check > 0 {
			j.period = min(j.period, j.Check)
		}
		for _, n := range j.Needs {
			if provider := a.provider(n.Role); provider != nil {
				j.waits = append(j.waits, wait{provider, n.Patience})
			}
		}
	}
	return a
}

// provider is the account's job with a role, or nil.
func (a *Account) provider(role collector.Role) *job {
	return a.find(func(j *job) bool { return j.Provides == role })
}

func (a *Account) find(is func(*job) bool) *job {
	if i := slices.IndexFunc(a.jobs, is); i >= 0 {
		return a.jobs[i]
	}
	return nil
}

// Inherit takes over what an account has learned that a reload of the configuration replaces and that has ended: its
// collectors' readings, and how their polls went. old must be of the same fleet: the same server, client and search, but may
// have had another name, under which nothing is served any more.
// Polls go on when they were due; but where the account itself was changed, or what the collector is to ask for, they
// start at once, because that is meant to be tried. The snapshots of collectors that the new configuration switches off
// are withdrawn.
func (a *Account) Inherit(old *Account, unchanged bool) {
	for _, before := range old.jobs {
		if j := a.find(func(j *job) bool { return j.Name == before.Name }); j != nil {
			j.inherit(before, unchanged)
		} else {
			a.options.Publisher.Withdraw(a.options.Account, before.Name)
		}
	}
}

// Reading is that of the collector with a role, nil if there is none.
func (a *Account) Reading(role collector.Role) any {
	if j := a.provider(role); j != nil {
		return j.Reading()
	}
	return nil
}

// open makes the self metrics tell of the account.
func (a *Account) open() {
	name := a.options.Account
	a.options.Metrics.Track(name, a.options.Client.Budget)
	a.options.Metrics.begin(name, a.options.Collectors)
}

// startSlot is the time between the first polls of an account's collectors; each starts somewhere inside its slot.
// The firmware is first, because the list of PBXs is compared with it.
const startSlot = 250 * time.Millisecond

// Run polls until ctx ends, and returns when every goroutine has ended and the tokens of PBXs that are spoken to
// directly have been given back.
func (a *Account) Run(ctx context.Context) {
	a.open()
	a.logStart()
	var running sync.WaitGroup
	for i, j := range a.jobs {
		delay := time.Duration(i)*startSlot + rand.N(startSlot)
		running.Go(func() { j.run(ctx, delay, a.nudgeOthers) })
	}
	running.Go(func() { a.watchPauses(ctx) })
	running.Wait()
	a.close(ctx)
}

// Once polls each enabled collector once, one after the other, and returns the errors of those that failed. progress,
// which may be nil, is told how far each poll is, by one goroutine at a time; a total of 0 is not known yet. It must
// not call the account back. Afterwards PBXs that are spoken to directly cannot be asked any more.
func (a *Account) Once(ctx context.Context, progress func(collector string, done, total int)) error {
	a.open()
	defer a.close(ctx)
	var failed []error
	for _, j := range a.jobs {
		if s, ok := j.sweeper(); ok {
			s.AllAtOnce()
		}
		if progress != nil {
			j.watch = func(done, total int) { progress(j.Name, done, total) }
		}
		if err := j.poll(ctx); err != nil {
			failed = append(failed, fmt.Errorf("collector %s: %w", j.Name, err))
		}
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(failed...)
}

// closingTime is how long it may take at the end to give back the tokens of PBXs that are spoken to directly, and to have
// the readings kept.
const closingTime = 5 * time.Second

// close waits for the requests that are under way, and then, also after ctx has ended, gives back the tokens of PBXs and
// has the readings kept. Where the disk takes longer than closingTime for that, it goes on without anybody waiting.
func (a *Account) close(ctx context.Context) {
	for _, j := range a.jobs {
		if s, ok := j.sweeper(); ok {
			s.Wait()
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closingTime)
	defer cancel()
	kept := make(chan struct{})
	go func() {
		defer close(kept)
		var keeping sync.WaitGroup
		for _, j := range a.jobs {
			keeping.Go(j.keepLast)
		}
		keeping.Wait()
	}()
	if err := a.fleet.Close(ctx); err != nil {
		level.Warn(a.options.Logger).Log("msg", "A PBX's token could not be given back; it counts until it expires", "account", a.options.Account, "err", err)
	}
	select {
	case <-kept:
	case <-ctx.Done():
	}
}

// Ready reports whether the first poll of the list of PBXs has ended, well or badly, or a list was recalled. An account that does not poll the
// list is ready.
func (a *Account) Ready() bool {
	list := a.provider(collector.ListOfPBXs)
	if list == nil {
		return true
	}
	select {
	case <-list.polled:
		return true
	default:
		return false
	}
}
