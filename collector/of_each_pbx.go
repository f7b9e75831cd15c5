package collector

import (
	"context"

	"github.com/ycm-exporter/ycm_exporter/internal/exposition"
	"github.com/ycm-exporter/ycm_exporter/internal/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/internal/series"
	"github.com/ycm-exporter/ycm_exporter/internal/sweep"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// ofEachPBX makes a collector that learns an R of each Running PBX. Of a PBX that does not tell, there is nothing once
// its last answer is too old.
func ofEachPBX[R any](name string, schedule Schedule, columns []series.Column[R], ask func(context.Context, *pbxclient.Client) (R, error)) Collector {
	return ofEachPBXAlso(name, schedule, columns, ask, nil)
}

// ofEachPBXAlso makes one that learns from failures too: where learned says so of one, what ask returned with it counts.
func ofEachPBXAlso[R any](name string, schedule Schedule, columns []series.Column[R],
	ask func(context.Context, *pbxclient.Client) (R, error), learned func(error) bool,
) Collector {
	return Collector{
		Name: name, Schedule: schedule, Families: series.PBXFamilies(columns),
		AsksPBXs: true, Endpoints: []string{ycmclient.EndpointProxy}, Needs: []Need{{Role: ListOfPBXs}}, NewReading: empty[sweep.Reading[R]],
		New: func(a Account) Poller {
			return &pbxPoller[R]{account: a.Account, columns: columns, Sweep: sweep.New(a.sweepOptions(), ask, learned)}
		},
	}
}

func (a Account) sweepOptions() sweep.Options {
	return sweep.Options{Fleet: a.Fleet, Interval: a.Schedule.Interval, StaleAfter: a.Schedule.StaleAfter, Asked: a.Asked}
}

// pbxPoller polls what is asked of each PBX.
type pbxPoller[R any] struct {
	account series.Account
	columns []series.Column[R]
	*sweep.Sweep[R]
}

// Poll implements Poller.
func (p *pbxPoller[R]) Poll(ctx context.Context, progress func(done, total int)) (exposition.Source, error) {
	records, err := p.Run(ctx, progress)
	if records == nil {
		return nil, err
	}
	return p.show(records), err
}

func (p *pbxPoller[R]) show(records []sweep.Record[R]) exposition.Source {
	return series.PerPBX(p.account, p.columns, records, func(r *sweep.Record[R]) (series.PBX, *R) {
		return series.PBX{ID: r.ID, Name: r.Name, Region: r.Region}, &r.Value
	})
}

// Reading implements Poller.
func (p *pbxPoller[R]) Reading() any { return p.Sweep.Reading() }

// Restore implements Poller.
func (p *pbxPoller[R]) Restore(reading any) exposition.Source {
	known, ok := reading.(*sweep.Reading[R])
	if !ok {
		return nil
	}
	if records := p.Sweep.Restore(known); records != nil {
		return p.show(records)
	}
	return nil
}
