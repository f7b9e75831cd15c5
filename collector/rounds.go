package collector

import (
	"context"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"

	"github.com/ycm-exporter/ycm_exporter/yeastar"
)

// rounds is a collector that asks PBX after PBX, which takes it an interval or more. Its polls are short: each goes
// on where the one before ended, and has a snapshot of the newest that is known. A snapshot may come with an error,
// when only a part of the PBXs could be asked.
type rounds interface {
	collector
	// lap is how long the last round took, or the present one takes already if that is longer; 0 before the first.
	lap() time.Duration
	// hurry makes each poll a whole round that is not spread over the interval.
	hurry()
	// inherit goes on where the same collector of an account that has ended left off.
	inherit(old collector)
	// wait returns when no request is under way, soon after the polls' context has ended.
	wait()
}

// pulse is how often a collector that makes rounds is polled: so soon is served what is learned.
func pulse(interval time.Duration) time.Duration {
	return min(interval, max(interval/20, 10*time.Second), time.Minute)
}

// sliceOf is how long a poll goes on with a round: just less than a pulse, so as not to be late for the next.
func sliceOf(interval time.Duration) time.Duration {
	p := pulse(interval)
	return p - min(p/100, 100*time.Millisecond)
}

// closingTime is how long PBXs that are spoken to directly may take to take their tokens back.
const closingTime = 5 * time.Second

// close waits for the requests that are under way and gives back the tokens of PBXs, also after ctx has ended.
func (a *Account) close(ctx context.Context) {
	for _, j := range a.jobs {
		if j.rounds != nil {
			j.rounds.wait()
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closingTime)
	defer cancel()
	if err := a.directory.close(ctx); err != nil {
		level.Warn(a.options.Logger).Log("msg", "A PBX's token could not be given back; it counts until it expires", "account", a.options.Account.Name, "err", err)
	}
}

// noteOf makes what a collector tells of each PBX that it asked: it is counted, and a failure is logged. Of PBXs that
// were configured one by one that is a warning, once for each kind of failure.
func (a *Account) noteOf(collector string) func(subject, error) {
	account := a.options.Account.Name
	said := map[*contact]yeastar.Class{}
	logger := log.With(a.options.Logger, "account", account, "collector", collector)
	return func(s subject, err error) {
		class := yeastar.ClassOf(err)
		a.options.Metrics.pbxPolls.WithLabelValues(account, collector, string(class)).Inc()
		at := level.Debug(logger)
		if s.contact != nil && said[s.contact] != class {
			said[s.contact] = class
			at = level.Warn(logger)
		}
		if err != nil {
			at.Log("msg", "A PBX did not tell what it was asked", "cloud_pbx_id", s.id(), "pbx", s.name, "class", class, "err", err)
		}
	}
}
