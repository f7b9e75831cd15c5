package sweep

import (
	"context"
	"sync"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/crash"
	"github.com/ycm-exporter/ycm_exporter/internal/pbxclient"
)

// PublishInterval is how often the results of a sweep are published.
func PublishInterval(interval time.Duration) time.Duration {
	return min(interval, max(interval/20, 10*time.Second), time.Minute)
}

// Options is what a sweep needs besides its query.
type Options struct {
	Fleet      *Fleet
	Interval   time.Duration // Each PBX is polled once per interval.
	StaleAfter time.Duration // How long a result is kept.
	// Queried is called with each PBX that was queried, never concurrently.
	Queried func(t Target, err error)
	// KeepFailures makes what the query returns with a PBX's failure a result; it must not, if the failure is YCM's.
	KeepFailures bool
}

// Sweep polls each PBX once per interval and keeps the newest result of each. It has two lanes that do not delay each
// other: PBXs with direct access, and PBXs through YCM. A lane spreads its requests over the interval and polls first
// what was not polled for longest, so it needs no position that would have to persist. Where the rate limit does not
// carry the interval, a sweep takes longer.
type Sweep[R any] struct {
	Options
	query func(ctx context.Context, c *pbxclient.Client) (R, error)

	allAtOnce       bool
	start           sync.Once
	running         sync.WaitGroup
	progress        func(done, total int) // Of a sweep all at once.
	epoch           time.Time
	direct, proxied lane

	mu          sync.Mutex // Guards what follows and the lanes.
	states      map[key]state[R]
	unconfirmed []outcome[R] // PBXs that did not answer through YCM, until YCM is known to work.
	panicked    *crash.Crash
}

// state is what is known of a PBX. Times are since the epoch.
type state[R any] struct {
	value  R
	at     time.Duration // Of the value; 0 without one.
	polled time.Duration // When the PBX was polled last.
}

// outcome is what came of polling a PBX.
type outcome[R any] struct {
	Target
	value    R
	sent, at time.Duration
	err      error
}

// New makes a sweep of a query.
func New[R any](o Options, query func(context.Context, *pbxclient.Client) (R, error)) *Sweep[R] {
	// The epoch is in the past, so that every time since then is above 0, restored ones included.
	epoch := time.Now().Add(-max(o.StaleAfter, o.Interval) - 24*time.Hour)
	return &Sweep[R]{Options: o, query: query, direct: lane{direct: true}, epoch: epoch, states: map[key]state[R]{}}
}

// Run returns the results. The first call starts the sweep, which continues until ctx ends. Without results the error
// says why; with results, why a part of the PBXs cannot be polled. progress is called with how many PBXs of the sweep
// under way were polled, and how many there are.
func (s *Sweep[R]) Run(ctx context.Context, progress func(done, total int)) ([]Record[R], error) {
	if s.allAtOnce {
		s.progress = progress
		for _, l := range []*lane{&s.direct, &s.proxied} {
			s.running.Go(func() { s.sweep(ctx, l, 0) })
		}
		s.running.Wait()
	} else {
		s.start.Do(func() {
			s.running.Go(func() { s.repeat(ctx, &s.direct) })
			s.running.Go(func() { s.repeat(ctx, &s.proxied) })
		})
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	targets, err := s.Fleet.Targets()
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.panicked; c != nil {
		s.panicked = nil
		panic(c)
	}
	progress(s.direct.done+s.proxied.done, s.direct.total+s.proxied.total)
	s.settle()
	return s.records(targets), s.proxied.err
}

// Duration returns how long the last complete sweep took, 0 before the first.
func (s *Sweep[R]) Duration() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return max(s.direct.took, s.proxied.took)
}

// AllAtOnce makes each Run a whole sweep that is not spread over the interval.
func (s *Sweep[R]) AllAtOnce() { s.allAtOnce = true }

// Wait returns when the sweep has ended, soon after its context.
func (s *Sweep[R]) Wait() { s.running.Wait() }
