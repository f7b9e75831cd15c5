package poll

import (
	"context"
	"time"

	"github.com/ycm-exporter/ycm_exporter/collector"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

const (
	// longPause is how long YCM may have the account pause without its collectors counting as failing.
	longPause = time.Minute
	// pauseWatch is how often is looked for a pause: polls wait in it, so they do not tell.
	pauseWatch = 5 * time.Second
)

// watchPauses tells at once of a long pause, until ctx ends.
func (a *Account) watchPauses(ctx context.Context) {
	look := time.NewTicker(pauseWatch)
	defer look.Stop()
	var told time.Time // The end of the pause that was told of.
	for {
		b := a.options.Client.Budget()
		if pausesLong(b) && !b.PausedUntil.Equal(told) {
			told = b.PausedUntil
			for _, j := range a.jobs {
				a.options.Metrics.paused(j)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		}
	}
}

func pausesLong(b ycmclient.BudgetState) bool {
	return !b.PausedUntil.IsZero() && b.PausedUntil.Sub(b.PausedFrom) > longPause
}

// paused says that the collector does not succeed at present.
func (m *Metrics) paused(j *job) {
	m.success.WithLabelValues(j.account, j.Name).Set(0)
	if j.Name == collector.CloudPBX {
		m.up.WithLabelValues(j.account).Set(0)
	}
}
