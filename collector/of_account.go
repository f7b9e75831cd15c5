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

// ofAccount makes a collector that learns an R of the account as a whole from those endpoints.
func ofAccount[R any](name string, schedule Schedule, columns []series.Column[R],
	ask func(context.Context, Account) (R, error), endpoints ...string,
) Collector {
	return Collector{
		Name: name, Schedule: schedule, Families: series.AccountFamilies(columns), NewReading: empty[R], Endpoints: endpoints,
		New: func(a Account) Poller {
			return &accountPoller[R]{
				account: a,
				ask: func(ctx context.Context, a Account, _ *R) (*R, error) {
					reading, err := ask(ctx, a)
					if err != nil {
						return nil, err
					}
					return &reading, nil
				},
				show: func(reading *R) exposition.Source { return series.PerAccount(a.Account, columns, reading) },
			}
		},
	}
}

// empty makes an empty reading that is an R.
func empty[R any]() any { return new(R) }

// accountPoller polls what is asked of an account at once: R is its reading.
type accountPoller[R any] struct {
	account Account
	// ask polls. before is the last reading, nil at first. A reading that comes with an error is published nevertheless.
	ask     func(ctx context.Context, a Account, before *R) (*R, error)
	show    func(*R) exposition.Source
	reading atomic.Pointer[R]
}

// Poll implements Poller.
func (p *accountPoller[R]) Poll(ctx context.Context, progress func(done, total int)) (exposition.Source, error) {
	account := p.account
	account.Progress = progress
	reading, err := p.ask(ctx, account, p.reading.Load())
	if reading == nil {
		return nil, err
	}
	p.reading.Store(reading)
	return p.show(reading), err
}

// Reading implements Poller.
func (p *accountPoller[R]) Reading() any {
	if reading := p.reading.Load(); reading != nil {
		return reading
	}
	return nil
}

// Restore implements Poller.
func (p *accountPoller[R]) Restore(reading any) exposition.Source {
	known, ok := reading.(*R)
	if !ok {
		return nil
	}
	p.reading.Store(known)
	return p.show(known)
}
