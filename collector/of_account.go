package collector

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/exposition"
	"github.com/ycm-exporter/ycm_exporter/internal/series"
)

// on and off are the schedules of collectors that poll, or do not, unless the configuration says otherwise.
func on(interval time.Duration) Schedule  { return Schedule{Enabled: true, Interval: interval} }
func off(interval time.Duration) Schedule { return Schedule{Interval: interval} }

// ofAccount makes a collector that reads an R of the account as a whole from those endpoints.
func ofAccount[R any](name string, schedule Schedule, columns []series.Column[R],
	query func(context.Context, Account) (R, error), endpoints ...string,
) Collector {
	return Collector{
		Name: name, Schedule: schedule, Families: series.AccountFamilies(columns), Endpoints: endpoints,
		New: func(a Account) Poller { return newAccountPoller(a, columns, query) },
	}
}

func newAccountPoller[R any](a Account, columns []series.Column[R], query func(context.Context, Account) (R, error)) *accountPoller[R] {
	return &accountPoller[R]{
		account: a,
		query: func(ctx context.Context, a Account, _ *R) (*R, error) {
			reading, err := query(ctx, a)
			if err != nil {
				return nil, err
			}
			return &reading, nil
		},
		show: func(reading *R) exposition.Source { return series.PerAccount(a.Account, columns, reading) },
	}
}

// accountPoller polls an account as a whole: R is its reading.
type accountPoller[R any] struct {
	account Account
	// query returns a reading; before is the last one, nil at first. A reading that comes with an error is published too.
	query   func(ctx context.Context, a Account, before *R) (*R, error)
	show    func(*R) exposition.Source
	reading atomic.Pointer[R]
	last    atomic.Pointer[lastPoll]
}

// lastPoll is the last poll that has ended.
type lastPoll struct {
	began     time.Time
	succeeded bool
}

// Poll implements Poller.
func (p *accountPoller[R]) Poll(ctx context.Context, progress func(done, total int)) (exposition.Source, error) {
	began := time.Now()
	account := p.account
	account.Progress = progress
	reading, err := p.query(ctx, account, p.reading.Load())
	if ctx.Err() == nil {
		p.last.Store(&lastPoll{began, err == nil})
	}
	if reading == nil {
		return nil, err
	}
	p.reading.Store(reading)
	return p.show(reading), err
}

// TakeOver implements Poller.
func (p *accountPoller[R]) TakeOver(old Poller) exposition.Source {
	reading := old.(*accountPoller[R]).reading.Load()
	if reading == nil {
		return nil
	}
	p.reading.Store(reading)
	return p.show(reading)
}

// Save implements Poller.
func (p *accountPoller[R]) Save(write func(record any) error) error {
	reading := p.reading.Load()
	if r, ok := any(reading).(recorded); ok {
		return r.write(write)
	}
	return write(reading)
}

// Load implements Poller.
func (p *accountPoller[R]) Load(next func(record any) error) (exposition.Source, error) {
	reading := new(R)
	var err error
	if r, ok := any(reading).(recorded); ok {
		err = r.read(next)
	} else {
		err = next(reading)
	}
	if err != nil {
		return nil, err
	}
	p.reading.Store(reading)
	return p.show(reading), nil
}
