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
	rested      time.Duration // During the sweep under way.
	came        time.Duration // How far into it the last PBX answered, without rests.
	took        time.Duration // By the last complete sweep, without rests.
	done, total int           // PBXs of the sweep under way.

	refused []key // PBXs in a row to which YCM forwarded no request.
	resting bool  // There were too many of them.
	err     error // Why, until YCM forwards a request again.
}

// repeat sweeps a lane once per interval until ctx ends.
func (s *Sweep[R]) repeat(ctx context.Context, l *lane) {
	for ctx.Err() == nil {
		s.sweep(ctx, l, s.Interval)
		s.mu.Lock()
		next := l.began + l.rested + s.Interval
		if l.total == 0 { // The list or the first PBX may come at any time.
			next = l.began + PublishInterval(s.Interval)
		}
		s.mu.Unlock()
		_ = yeastar.Sleep(ctx, next-time.Since(s.epoch))
	}
}

// sweep polls every PBX of a lane once, spread over an interval. When YCM refuses to forward requests, the lane rests and
// then continues with the PBXs that were not polled; without an interval the sweep ends instead.
func (s *Sweep[R]) sweep(ctx context.Context, l *lane, interval time.Duration) {
	s.mu.Lock()
	l.began, l.rested, l.came, l.done, l.total = time.Since(s.epoch), 0, 0, 0, 0
	s.mu.Unlock()
	for ctx.Err() == nil {
		queue := s.due(l)
		if len(queue) == 0 {
			return
		}
		s.poll(ctx, l, queue, time.Duration(spread*float64(interval)/float64(l.total)))
		s.mu.Lock()
		resting, rest := l.resting, min(s.Interval, longestRest)
		if yeastar.ClassOf(l.err) == yeastar.Denied {
			rest = s.Interval
		}
		s.mu.Unlock()
		if resting && interval == 0 {
			return
		}
		if resting {
			_ = yeastar.Sleep(ctx, rest)
			s.mu.Lock()
			l.resting = false
			l.rested += rest
			s.mu.Unlock()
		}
	}
}

// due returns the PBXs of a lane that were not polled since its sweep began, the longest unpolled first. When there are
// none, the sweep is complete.
func (s *Sweep[R]) due(l *lane) []Target {
	targets, err := s.Fleet.Targets()
	if err != nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var queue []Target
	for _, t := range targets.all {
		if (t.direct != nil) == l.direct && s.states[t.key].polled < l.began {
			queue = append(queue, t)
		}
	}
	slices.SortStableFunc(queue, func(a, b Target) int { return cmp.Compare(s.states[a.key].polled, s.states[b.key].polled) })
	l.total = l.done + len(queue)
	if len(queue) == 0 && l.done > 0 {
		l.took = time.Since(s.epoch) - l.began - l.rested
	}
	return queue
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
			if known.polled >= l.began {
				l.done--
			}
			known.polled = 0
			s.states[k] = known
		}
		l.refused = l.refused[:0]
	case o.direct == nil && yeastar.ReachOf(o.err) == yeastar.NotSent && !aboutPBX(o.err): // It has no usable serial number.
	case o.direct == nil && yeastar.ReachOf(o.err) == yeastar.NoAnswer && !aboutPBX(o.err):
		s.unconfirmed = append(s.unconfirmed, o)
	default:
		l.refused, l.err, l.came = l.refused[:0], nil, o.at-l.began-l.rested
		s.keep(o)
	}
}
