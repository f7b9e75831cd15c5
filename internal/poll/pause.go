package poll

import (
	"context"
	"time"

	"github.com/ycm-exporter/ycm_exporter/collector"
)

const (
	// longPause is the longest pause in which collectors do not count as failing.
	longPause = time.Minute
	// pauseWatch is how often the account is checked for a pause: polls wait for its end, so they do not report it.
	pauseWatch = 5 * time.Second
)

// watchPauses marks collectors as failing as soon as a long pause begins, until ctx ends.
func (a *Account) watchPauses(ctx context.Context) {
	check := time.NewTicker(pauseWatch)
	defer check.Stop()
	var reported time.Time // The end of the latest pause that was reported.
	for {
		limit := a.options.Client.RateLimit()
		if limit.PausedUntil.Sub(limit.PausedFrom) > longPause && !limit.PausedUntil.Equal(reported) {
			reported = limit.PausedUntil
			for _, j := range a.jobs {
				a.options.Metrics.paused(j)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-check.C:
		}
	}
}

// paused exports that the collector does not succeed at present.
func (m *Metrics) paused(j *job) {
	m.success.WithLabelValues(j.account, j.Name).Set(0)
	if j.Name == collector.CloudPBX {
		m.up.WithLabelValues(j.account).Set(0)
	}
}
