package collector

import (
	"context"

	"github.com/ycm-exporter/ycm_exporter/internal/exposition"
	"github.com/ycm-exporter/ycm_exporter/internal/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/internal/series"
	"github.com/ycm-exporter/ycm_exporter/internal/sweep"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

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
