// Package poll decides when collectors poll, how long their snapshots are served, and what is exported about their polls. It
// does not know what they request.
//
// An [Account] has one goroutine for each enabled collector, which polls on its own interval, from start to start and never
// overlapping itself. It recovers panics, publishes snapshots and withdraws them, and keeps the self metrics.
package poll

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/common/model"

	"github.com/ycm-exporter/ycm_exporter/collector"
	"github.com/ycm-exporter/ycm_exporter/internal/exposition"
	"github.com/ycm-exporter/ycm_exporter/internal/sweep"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// Publisher serves the snapshots. An exposition.Set is one.
type Publisher interface {
	// Publish serves a snapshot in place of the collector's last one, until it expires.
	Publish(account, collector string, src exposition.Source, expires time.Time) error
	// Withdraw serves the collector's snapshot no longer.
	Withdraw(account, collector string)
}

// Store persists what collectors know, by name. It reports failures itself. A storage.Store is one.
type Store interface {
	// Save replaces records in the background; records is called by another goroutine.
	Save(name string, records func(write func(record any) error) error)
	// Load has load read records as the process before has left them, and reports whether it could.
	Load(name string, load func(next func(record any) error) error) bool
}

// Options configure an account.
type Options struct {
	Account    string // its name
	BaseURL    *url.URL
	Client     *ycmclient.Client
	Direct     []*sweep.Direct // PBXs with direct access; the account closes their clients
	Collectors []collector.Configured
	Publisher  Publisher
	Store      Store // nil: nothing persists across restarts
	// StoreSuffix of the account's fleet follows the names of collectors in the store.
	StoreSuffix string
	Metrics     *Metrics
	Logger      log.Logger
}

// Account polls one YCM account.
type Account struct {
	options    Options
	collectors collector.Account
	jobs       []*job  // in the order in which they start
	warned     float64 // the demand that was logged
}

// NewAccount makes an account that does not poll yet.
func NewAccount(o Options) *Account {
	a, causes := &Account{options: o}, &causes{by: map[string]*job{}}
	for _, c := range o.Collectors {
		if c.Schedule.Enabled {
			own, known := o, make(chan struct{})
			own.Logger = log.With(o.Logger, "account", o.Account, "collector", c.Name)
			a.jobs = append(a.jobs, &job{
				Configured: c, Options: own, period: c.Schedule.Interval, causes: causes,
				watch: func(int, int) {}, known: known, listed: sync.OnceFunc(func() { close(known) }), nudges: make(chan struct{}, 1),
			})
		}
	}
	list := a.job(collector.CloudPBX)
	a.collectors = collector.NewAccount(o.Account, o.Client, o.Direct, list != nil, func(name string) bool {
		j := a.job(name)
		if j == nil {
			return false
		}
		j.mu.Lock()
		defer j.mu.Unlock()
		return time.Now().Before(j.expires)
	})
	for _, j := range a.jobs {
		given := a.collectors
		given.Queried = j.queried()
		j.poller = given.Start(j.Configured)
		if j.QueriesPBXs {
			j.list = list
		}
		if j.sweeper, _ = j.poller.(collector.Sweeper); j.sweeper != nil {
			j.period = sweep.PublishInterval(j.Schedule.Interval)
		}
		if j.Check > 0 {
			j.period = min(j.period, j.Check)
		}
	}
	return a
}

// job is that of the collector with the name, nil if that is not enabled.
func (a *Account) job(name string) *job {
	if i := slices.IndexFunc(a.jobs, func(j *job) bool { return j.Name == name }); i >= 0 {
		return a.jobs[i]
	}
	return nil
}

// Inherit takes over the snapshots of an account that a reload replaces and that has ended, and the outcome of its polls. old
// must be of the same fleet: the same server, client and search, but may have had another name, under which nothing is served
// any more. Polls are due when they were; but where the account itself was changed, or the collector's settings, they start at
// once. The snapshots of collectors that are no longer enabled are withdrawn.
func (a *Account) Inherit(old *Account, unchanged bool) {
	a.warned = old.warned
	for _, before := range old.jobs {
		if j := a.job(before.Name); j != nil {
			j.inherit(before, unchanged)
		} else {
			a.options.Publisher.Withdraw(a.options.Account, before.Name)
		}
	}
}

// Restore serves the snapshots that the process before has persisted, until they would have expired anyway.
func (a *Account) Restore() {
	for _, j := range a.jobs {
		if j.Store != nil {
			j.Store.Load(j.Name+j.StoreSuffix, j.restore)
		}
	}
}

// PhoneCatalogues returns what collector autoprovisioning has read of each firmware version.
func (a *Account) PhoneCatalogues() []collector.PhoneCatalogue { return a.collectors.PhoneCatalogues() }

// startSlot is the time between the first polls of an account's collectors; each starts somewhere inside its slot.
const startSlot = 250 * time.Millisecond

// Run polls until ctx ends, and returns when every goroutine has ended and the tokens of PBXs with direct access are revoked. If the cause
// is [collector.ErrReplaced], polls that query YCM alone go on for the account that inherits.
func (a *Account) Run(ctx context.Context) {
	a.options.Metrics.begin(a.options.Account, a.options.Client.RateLimit(), a.options.Collectors)
	var polled []string
	for _, j := range a.jobs {
		polled = append(polled, j.Name+":"+model.Duration(j.Schedule.Interval).String())
	}
	level.Info(a.options.Logger).Log("msg", "Account started", "account", a.options.Account, "base_url", a.options.BaseURL.Redacted(),
		"collectors", strings.Join(polled, ","), "requests_per_second", math.Round(100*a.options.Client.RateLimit().PerSecond)/100)
	var running sync.WaitGroup
	for i, j := range a.jobs {
		delay := time.Duration(i)*startSlot + rand.N(startSlot)
		running.Go(func() { j.run(ctx, delay, a.nudgeOthers) })
	}
	running.Go(func() { a.watch(ctx) })
	running.Wait()
	a.close(ctx)
}

// Once polls each enabled collector once, one after the other, and returns the errors of those that failed. progress, which may
// be nil, receives how far each poll is; a total of 0 is not known yet. The account cannot be used afterwards.
func (a *Account) Once(ctx context.Context, progress func(collector string, done, total int)) error {
	a.options.Metrics.begin(a.options.Account, a.options.Client.RateLimit(), a.options.Collectors)
	defer a.close(ctx)
	var failed []error
	for _, j := range a.jobs {
		if j.sweeper != nil {
			j.sweeper.AllAtOnce()
		}
		if progress != nil {
			j.watch = func(done, total int) { progress(j.Name, done, total) }
		}
		if _, listed := a.collectors.Fleet.Listed(); j.list != nil && !listed {
			continue // The error is that of the list.
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

// closeLimit is how long it may take to revoke the tokens of PBXs with direct access.
const closeLimit = 3 * time.Second

// close waits for the requests that are under way, and, also after ctx has ended, revokes the tokens of PBXs.
func (a *Account) close(ctx context.Context) {
	for _, j := range a.jobs {
		if j.sweeper != nil {
			j.sweeper.Wait()
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeLimit)
	defer cancel()
	if err := a.collectors.Fleet.Close(ctx); err != nil {
		level.Warn(a.options.Logger).Log("msg", "Failed to revoke PBX token, it stays valid until it expires", "account", a.options.Account, "err", err)
	}
}

// Ready reports whether the first poll of the list of PBXs has ended, well or badly, or a list was restored. An account that does
// not poll the list is ready.
func (a *Account) Ready() bool {
	list := a.job(collector.CloudPBX)
	if list == nil {
		return true
	}
	list.mu.Lock()
	defer list.mu.Unlock()
	return list.result != "" || !list.expires.IsZero()
}
