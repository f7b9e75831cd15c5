package sweep

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/crash"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

const (
	// spread is the share of the interval over which requests are spread; the rest is for the last answers.
	spread = 0.9
	// catchUp is how far a lane that was delayed may catch up, so that it does not continue with a burst.
	catchUp = time.Second
	// inFlight bounds how many PBXs of a lane are polled concurrently, and so what PBXs that do not answer can cost.
	inFlight = 8
	// refusalsToRest is how many requests in a row YCM fails to forward before a lane rests.
	refusalsToRest = 5
	// longestRest is how long a lane rests at most, unless the account lacks the permission.
	longestRest = time.Minute
)

// lane is the sweep of the PBXs that are reached by the same route.
type lane struct {
	direct      bool
	began       time.Duration // Since the epoch.
	came        time.Duration // How far into it a PBX answered, 0 after a complete sweep.
	took        time.Duration // By the last complete sweep.
	done, total int           // PBXs of the sweep under way.

	refused []key // PBXs in a row to which YCM forwarded no request.
	resting bool  // There were too many of them.
	err     error // Why, until YCM forwards a request again.
}

// repeat sweeps a lane once per interval until ctx ends. When YCM refuses to forward requests, the lane rests.
func (s *Sweep[R]) repeat(ctx context.Context, l *lane) {
	for ctx.Err() == nil {
		s.sweep(ctx, l, s.Interval)
		s.mu.Lock()
		next := l.began + s.Interval
		if l.total == 0 { // The list or the first PBX may come at any time.
			next = l.began + PublishInterval(s.Interval)
		} else if l.resting {
			rest := s.Interval
			if yeastar.ClassOf(l.err) != yeastar.Denied {
				rest = min(rest, longestRest)
			}
			next = time.Since(s.epoch) + rest
		}
		s.mu.Unlock()
		_ = yeastar.Sleep(ctx, next-time.Since(s.epoch))
	}
}

// sweep polls every PBX of a lane once, the longest unpolled first, spread over an interval. It ends early when the lane is to
// rest; the PBXs that were not polled are then the first of the next sweep.
func (s *Sweep[R]) sweep(ctx context.Context, l *lane, interval time.Duration) {
	targets, err := s.Fleet.Targets()
	if err != nil {
		targets = new(Targets)
	}
	s.mu.Lock()
	var queue []Target
	for _, t := range targets.all {
		if (t.direct != nil) == l.direct {
			queue = append(queue, t)
		}
	}
	slices.SortStableFunc(queue, func(a, b Target) int { return cmp.Compare(s.states[a.key].polled, s.states[b.key].polled) })
	l.began, l.done, l.total, l.refused, l.resting = time.Since(s.epoch), 0, len(queue), nil, false
	s.mu.Unlock()
	s.poll(ctx, l, queue, time.Duration(spread*float64(interval))/time.Duration(max(1, len(queue))))
	s.mu.Lock()
	defer s.mu.Unlock()
	if ctx.Err() == nil && l.done > 0 && !l.resting {
		l.took, l.came = time.Since(s.epoch)-l.began, 0
	}
}

// poll polls PBXs with a gap between two requests, until all have answered or the lane is to rest.
func (s *Sweep[R]) poll(ctx context.Context, l *lane, queue []Target, gap time.Duration) {
	var flights sync.WaitGroup
	defer flights.Wait()
	slots := make(chan struct{}, inFlight)
	turn := time.Now()
	for _, t := range queue {
		if yeastar.Sleep(ctx, time.Until(turn)) != nil {
			return
		}
		turn = yeastar.Later(turn.Add(gap), time.Now().Add(-catchUp))
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		targets, err := s.Fleet.Targets()
		s.mu.Lock()
		resting := l.resting
		s.mu.Unlock()
		if err != nil || resting {
			return
		}
		t, there := targets.find(t.key)
		if !there || (t.direct != nil) != l.direct { // The list has changed.
			<-slots
			continue
		}
		flights.Go(func() {
			defer func() { <-slots }()
			o := outcome[R]{Target: t, sent: time.Since(s.epoch)}
			o.err = crash.Catch(func() (err error) {
				o.value, err = s.query(ctx, s.Fleet.client(t))
				return err
			})
			o.at = time.Since(s.epoch)
			if ctx.Err() == nil {
				s.record(l, o)
			}
		})
	}
}

// record takes over what came of polling a PBX of a lane. A request that YCM did not forward shows nothing
// of the PBX. That a PBX did not answer through YCM is to be confirmed by a poll of the list.
func (s *Sweep[R]) record(l *lane, o outcome[R]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	panicked := errors.As(o.err, &s.panicked)
	if !panicked {
		s.Queried(o.Target, o.err)
	}
	known := s.states[o.key]
	known.polled = o.sent
	s.states[o.key] = known
	l.done++
	if s.progress != nil {
		s.progress(s.direct.done+s.proxied.done, s.direct.total+s.proxied.total)
	}
	switch {
	case panicked:
	case o.lost(o.err):
		l.refused = append(l.refused, o.key)
		if len(l.refused) < min(refusalsToRest, l.total) {
			return
		}
		l.resting, l.err = true, o.err
		for _, k := range l.refused { // They are polled first after the rest.
			known := s.states[k]
			known.polled = 0
			s.states[k] = known
		}
		l.refused = nil
	case o.direct == nil && yeastar.ReachOf(o.err) == yeastar.NotSent && !aboutPBX(o.err): // It has no usable serial number.
	case o.direct == nil && yeastar.ReachOf(o.err) == yeastar.NoAnswer && !aboutPBX(o.err):
		s.unconfirmed = append(s.unconfirmed, o)
	default:
		l.refused, l.err, l.came = nil, nil, max(l.came, o.at-l.began)
		s.keep(o)
	}
}
