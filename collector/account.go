package collector

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-kit/log"

	"github.com/ycm-exporter/ycm_exporter/config"
	"github.com/ycm-exporter/ycm_exporter/exposition"
	"github.com/ycm-exporter/ycm_exporter/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// Names of the collectors, as in the configuration and in the label collector.
const (
	cloudPBXName     = "cloud_pbx"
	firmwareName     = "firmware"
	subscriptionName = "subscription"
	usersName        = "users"

	pbxAPIName           = "pbx_api"
	trunksName           = "trunks"
	autoprovisioningName = "autoprovisioning"
)

func collectorNames() []string {
	return []string{cloudPBXName, firmwareName, subscriptionName, usersName, pbxAPIName, trunksName, autoprovisioningName}
}

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
	Account    config.Account
	Collectors config.Collectors
	Client     *ycmclient.Client
	Direct     func(config.PBX) *pbxclient.Client // for the account's PBXs that are spoken to directly; the account closes them
	Out        Publisher
	Metrics    *Metrics
	Logger     log.Logger
}

// Account polls one YCM account: each enabled collector on its own interval.
type Account struct {
	options Options
	known   *knowledge
	jobs    []*job // in the order in which they start

	directory *directory
}

// knowledge is what an account's collectors learn for each other.
type knowledge struct {
	list     atomic.Pointer[ycmclient.List] // the last complete list of PBXs
	firmware atomic.Pointer[catalogue]      // the last complete list of PBX firmware
}

// pbxs is the last complete list of PBXs, empty before the first.
func (k *knowledge) pbxs() []ycmclient.CloudPBX {
	if list := k.list.Load(); list != nil {
		return list.PBXs
	}
	return nil
}

// NewAccount makes an account that does not poll yet.
func NewAccount(o Options) *Account {
	a := &Account{options: o, known: &knowledge{}}
	name, c := o.Account.Name, o.Collectors
	releases := a.add(firmwareName, c.Firmware.Schedule, &firmware{account: name, client: o.Client, known: a.known, types: c.Firmware.Types}, c.Firmware.Types)
	list := a.add(cloudPBXName, c.CloudPBX, &cloudPBX{account: name, client: o.Client, known: a.known, firmware: releases})
	a.add(subscriptionName, c.Subscription, &subscription{account: name, client: o.Client})
	a.add(usersName, c.Users, &users{account: name, client: o.Client})

	a.directory = newDirectory(o, a.known, list)
	a.add(pbxAPIName, c.PBXAPI, newPBXAPI(a, c.PBXAPI))
	a.add(trunksName, c.Trunks, newTrunks(a, c.Trunks))
	phones := c.Autoprovisioning
	a.add(autoprovisioningName, phones.Schedule, newAutoprovisioning(a, phones), phones.Depth, phones.RequiredPhones)
	return a
}

// add gives the account a collector, and returns nil if the configuration switches it off. settings is what besides
// the schedule was configured of it.
func (a *Account) add(name string, schedule config.Schedule, c collector, settings ...any) *job {
	if !schedule.Enabled {
		return nil
	}
	j := &job{
		account: a.options.Account.Name, name: name, schedule: schedule, period: schedule.Interval, settings: settings, collector: c,
		out: a.options.Out, metrics: a.options.Metrics, polled: make(chan struct{}),
		logger: log.With(a.options.Logger, "account", a.options.Account.Name, "collector", name),
	}
	if j.rounds, _ = c.(rounds); j.rounds != nil {
		j.period, j.after = pulse(schedule.Interval), a.job(cloudPBXName)
	}
	a.jobs = append(a.jobs, j)
	return j
}

// job is the account's job of that name, or nil.
func (a *Account) job(name string) *job {
	i := slices.IndexFunc(a.jobs, func(j *job) bool { return j.name == name })
	if i < 0 {
		return nil
	}
	return a.jobs[i]
}

// Inherit takes over what an account has learned that a reload of the configuration replaces and that has ended: its
// last list of PBXs, and how its collectors' polls went. old must be of the same fleet: the same server, client and
// search. Polls go on when they were due; but where the account itself was changed, or what the collector is to ask
// for, they start at once, because that is meant to be tried. The snapshots of collectors that the new configuration
// switches off are withdrawn.
func (a *Account) Inherit(old *Account) {
	a.known.list.Store(old.known.list.Load())
	a.known.firmware.Store(old.known.firmware.Load())
	unchanged := reflect.DeepEqual(a.options.Account, old.options.Account)
	for _, before := range old.jobs {
		if j := a.job(before.name); j != nil {
			j.inherit(before, unchanged && reflect.DeepEqual(j.settings, before.settings))
			if j.rounds != nil {
				j.rounds.inherit(before.collector)
			}
		} else {
			a.options.Out.Withdraw(before.account, before.name)
		}
	}
}

// open makes the self metrics tell of the account.
func (a *Account) open() {
	name := a.options.Account.Name
	a.options.Metrics.Track(name, func() float64 { return a.options.Client.Budget().Tokens })
	a.options.Metrics.begin(name, a.jobs)
}

// startSlot is the time between the first polls of an account's collectors; each starts somewhere inside its slot.
// The firmware is first, because the list of PBXs is compared with it.
const startSlot = 250 * time.Millisecond

// Run polls until ctx ends, and returns when every goroutine has ended and the tokens of PBXs that are spoken to
// directly have been given back.
func (a *Account) Run(ctx context.Context) {
	a.open()
	var running sync.WaitGroup
	for i, j := range a.jobs {
		delay := time.Duration(i)*startSlot + rand.N(startSlot)
		running.Go(func() { j.run(ctx, delay) })
	}
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
		if j.rounds != nil {
			j.rounds.hurry()
		}
		if progress != nil {
			j.watch = func(done, total int) { progress(j.name, done, total) }
		}
		if err := j.poll(ctx); err != nil {
			failed = append(failed, fmt.Errorf("collector %s: %w", j.name, err))
		}
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(failed...)
}

// Ready reports whether the first poll of the list of PBXs has ended, well or badly. An account that does not poll the
// list is ready.
func (a *Account) Ready() bool {
	list := a.job(cloudPBXName)
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

// Families describes every family of every collector, sorted by name.
func Families() []exposition.Family {
	families := slices.Concat(
		familiesOf(layOut(cloudPBXColumns(time.Time{}, nil), pbxLabels()...)),
		familiesOf(layOut(cloudPBXTotal(), "account")),
		familiesOf(layOut(firmwareColumns(), "account")),
		familiesOf(layOut(subscriptionColumns(), "account")),
		familiesOf(layOut(usersColumns(), "account")),
		familiesOf(layOut(pbxAPIColumns(), pbxLabels()...)),
		familiesOf(layOut(trunksColumns(), pbxLabels()...)),
		familiesOf(layOut(autoprovisioningColumns(), "account")),
	)
	slices.SortFunc(families, func(a, b exposition.Family) int { return strings.Compare(a.Name, b.Name) })
	return families
}
