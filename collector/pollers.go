package collector

import (
	"cmp"
	"context"
	"errors"
	"reflect"
	"sync/atomic"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/crash"
	"github.com/ycm-exporter/ycm_exporter/internal/exposition"
	"github.com/ycm-exporter/ycm_exporter/internal/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/internal/series"
	"github.com/ycm-exporter/ycm_exporter/internal/sweep"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// ofAccount makes a collector that reads an R of the account as a whole from those endpoints.
func ofAccount[R any](name string, schedule Schedule, columns []series.Column[R],
	query func(context.Context, Account) (R, error), endpoints ...string,
) Collector {
	return Collector{
		Name: name, Schedule: schedule, Families: series.AccountFamilies(columns), Endpoints: endpoints,
		New: func(a Account) Poller {
			return &accountPoller[R]{
				account: a, continues: true,
				query: func(ctx context.Context, a Account, _ *R) (*R, error) {
					reading, err := query(ctx, a)
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

// accountPoller polls an account as a whole: R is its reading.
type accountPoller[R any] struct {
	account   Account
	query     func(ctx context.Context, a Account, before *R) (*R, error) // A reading that comes with an error is published too.
	show      func(*R) exposition.Source
	reading   atomic.Pointer[R]
	last      atomic.Pointer[lastPoll]
	continues bool            // A poll continues while a reload replaces the account: it queries YCM alone.
	running   *runningPoll[R] // nil if there is none
}

// lastPoll is the last poll that has ended.
type lastPoll struct {
	began     time.Time
	took      time.Duration
	succeeded bool
}

// runningPoll is a poll, perhaps of an account that a reload has replaced.
type runningPoll[R any] struct {
	began    time.Time
	progress atomic.Pointer[func(done, total int)]
	cancel   context.CancelFunc
	replaced atomic.Bool   // The account has ended, and leaves its client to the poll.
	done     chan struct{} // closed when there are the reading and the error
	reading  *R
	err      error
}

// begin starts a poll, which ends when it is canceled, and not with ctx.
func (p *accountPoller[R]) begin(ctx context.Context, progress func(done, total int)) *runningPoll[R] {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r := &runningPoll[R]{began: time.Now(), cancel: cancel, done: make(chan struct{})}
	r.progress.Store(&progress)
	account, before := p.account, p.reading.Load()
	account.Progress = func(done, total int) { (*r.progress.Load())(done, total) }
	go func() {
		defer close(r.done)
		defer cancel()
		r.err = crash.Catch(func() (err error) {
			r.reading, err = p.query(ctx, account, before)
			return err
		})
		if r.replaced.Load() {
			account.YCM.Close()
		}
	}()
	return r
}

// ErrReplaced is the cause with which polling ends where another account takes over.
var ErrReplaced = errors.New("another account takes over")

// Poll implements Poller.
func (p *accountPoller[R]) Poll(ctx context.Context, progress func(done, total int)) (exposition.Source, error) {
	r, last := p.running, cmp.Or(p.last.Load(), &lastPoll{succeeded: true})
	if r == nil {
		r = p.begin(ctx, progress)
	}
	r.progress.Store(&progress)
	p.running = nil
	select {
	case <-r.done:
	case <-ctx.Done():
		if p.continues && last.succeeded && errors.Is(context.Cause(ctx), ErrReplaced) {
			p.running = r
			r.replaced.Store(true)
			time.AfterFunc(max(time.Minute, 2*last.took), r.cancel)
			return nil, ctx.Err()
		}
		r.cancel()
		<-r.done
	}
	if ctx.Err() == nil {
		p.last.Store(&lastPoll{r.began, time.Since(r.began), r.err == nil})
	}
	return p.adopt(r.reading), r.err
}

// adopt makes a reading the newest and returns its snapshot, nil without a reading.
func (p *accountPoller[R]) adopt(reading *R) exposition.Source {
	if reading == nil {
		return nil
	}
	p.reading.Store(reading)
	return p.show(reading)
}

// TakeOver implements Poller.
func (p *accountPoller[R]) TakeOver(old Poller) exposition.Source {
	before := old.(*accountPoller[R])
	if before.running != nil && !reflect.DeepEqual(p.account.Settings, before.account.Settings) {
		before.running.cancel()
	} else {
		p.running = before.running
	}
	p.last.Store(before.last.Load())
	return p.adopt(before.reading.Load())
}

// recorded is a reading that is written and read as many records, which takes less memory than one large record.
type recorded interface {
	write(write func(record any) error) error
	read(next func(record any) error) error
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
	read := func(next func(any) error) error { return next(reading) }
	if r, ok := any(reading).(recorded); ok {
		read = r.read
	}
	if err := read(next); err != nil {
		return nil, err
	}
	return p.adopt(reading), nil
}

// writeAll writes a head and then each record by itself.
func writeAll[T any](write func(record any) error, head any, records []T) error {
	err := write(head)
	for i := 0; err == nil && i < len(records); i++ {
		err = write(&records[i])
	}
	return err
}

// readAll reads so many records.
func readAll[T any](next func(record any) error, n int) ([]T, error) {
	records := make([]T, 0, min(max(0, n), 100_000)) // A wrong number must not allocate more.
	for len(records) < n {
		records = append(records, *new(T))
		if err := next(&records[len(records)-1]); err != nil {
			return nil, err
		}
	}
	return records, nil
}

// ofEachPBX makes a collector that reads an R of each Running PBX. A PBX that fails has no samples once its last answer is
// stale; with keepFailures, what the query returns with the PBX's failure is exported.
func ofEachPBX[R any](name string, schedule Schedule, columns []series.Column[R],
	query func(context.Context, *pbxclient.Client) (R, error), keepFailures bool,
) Collector {
	return Collector{
		Name: name, Schedule: schedule, Families: series.PBXFamilies(columns), QueriesPBXs: true, Endpoints: []string{ycmclient.EndpointProxy},
		New: func(a Account) Poller {
			o := sweep.Options{
				Fleet: a.Fleet, Interval: a.Schedule.Interval, StaleAfter: a.Schedule.StaleAfter, Queried: a.Queried, KeepFailures: keepFailures,
			}
			return &pbxPoller[R]{account: a.Account, columns: columns, Sweep: sweep.New(o, query)}
		},
	}
}

// pbxPoller polls each PBX.
type pbxPoller[R any] struct {
	account series.Account
	columns []series.Column[R]
	*sweep.Sweep[R]
}

// Poll implements Poller.
func (p *pbxPoller[R]) Poll(ctx context.Context, progress func(done, total int)) (exposition.Source, error) {
	records, err := p.Run(ctx, progress)
	return p.show(records), err
}

// show returns nil where there is nothing to serve yet.
func (p *pbxPoller[R]) show(records []sweep.Record[R]) exposition.Source {
	if records == nil {
		return nil
	}
	return series.PerPBX(p.account, p.columns, records, func(r *sweep.Record[R]) (series.PBX, *R) {
		return series.PBX{ID: r.ID, Name: r.Name, Region: r.Region}, &r.Value
	})
}

// TakeOver implements Poller.
func (p *pbxPoller[R]) TakeOver(old Poller) exposition.Source {
	return p.show(p.Restore(old.(*pbxPoller[R]).Results()))
}

// Save implements Poller.
func (p *pbxPoller[R]) Save(write func(record any) error) error {
	results := p.Results()
	return writeAll(write, len(results), results)
}

// Load implements Poller.
func (p *pbxPoller[R]) Load(next func(record any) error) (exposition.Source, error) {
	var n int
	if err := next(&n); err != nil {
		return nil, err
	}
	results, err := readAll[sweep.Result[R]](next, n)
	if err != nil {
		return nil, err
	}
	return p.show(p.Restore(results)), nil
}
