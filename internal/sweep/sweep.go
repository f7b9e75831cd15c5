package sweep

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/crash"
	"github.com/ycm-exporter/ycm_exporter/internal/pbxclient"
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

// PublishInterval is how often the results of a sweep are published.
func PublishInterval(interval time.Duration) time.Duration {
	return min(interval, max(interval/20, 10*time.Second), time.Minute)
}

// Options is what a sweep needs besides its query.
type Options struct {
	Fleet      *Fleet
	Interval   time.Duration // Each PBX is polled once per interval.
	StaleAfter time.Duration // How long a result is kept.
	// Asked is called with each PBX that was polled, by one goroutine at a time.
	Asked func(t Target, result any, err error)
}

// Sweep polls each PBX once per interval and keeps the newest result of each. It has two lanes that do not delay each
// other: PBXs with direct access, and PBXs through YCM. A lane spreads its requests over the interval and polls first
// what was not polled for longest, so it needs no position that would have to persist. Where the rate limit does not
// carry the interval, a sweep takes longer.
type Sweep[R any] struct {
	Options
	query    func(ctx context.Context, c *pbxclient.Client) (R, error)
	isResult func(err error) bool

	allAtOnce       bool
	start           sync.Once
	running         sync.WaitGroup
	answered        chan struct{} // Notified after each answer.
	epoch           time.Time
	direct, proxied lane

	mu          sync.Mutex // Guards what follows and the lanes.
	states      map[int64]state[R]
	unconfirmed []outcome[R] // PBXs that did not answer through YCM, until YCM is known to work.
	panicked    *crash.Crash
}

// lane is the sweep of the PBXs that are reached by the same route.
type lane struct {
	direct      bool
	began       time.Duration // Since the epoch.
	rested      time.Duration // During the sweep under way.
	came        time.Duration // How far into it the last PBX answered, without rests.
	took        time.Duration // By the last complete sweep, without rests.
	done, total int           // PBXs of the sweep under way.

	refused []int64 // PBXs in a row to which YCM forwarded no request.
	resting bool    // There were too many of them.
	err     error   // Why, until YCM forwards a request again.
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

// New makes a sweep of a query. isResult, which may be nil, reports whether what the query returns with an error is a
// result nevertheless.
func New[R any](o Options, query func(context.Context, *pbxclient.Client) (R, error), isResult func(err error) bool) *Sweep[R] {
	if isResult == nil {
		isResult = func(err error) bool { return err == nil }
	}
	// The epoch lies in the past, so that every time since then is above 0, restored ones included.
	epoch := time.Now().Add(-max(o.StaleAfter, o.Interval) - 24*time.Hour)
	return &Sweep[R]{
		Options: o, query: query, isResult: isResult, direct: lane{direct: true}, answered: make(chan struct{}, 1),
		epoch: epoch, states: map[int64]state[R]{},
	}
}

// Record is a PBX with its newest result.
type Record[R any] struct {
	ID           int64 // 0 if YCM's list does not contain the PBX.
	Name, Region string
	Value        R
}

// Run returns the results. The first call starts the sweep, which continues until ctx ends. Without results the error
// says why; with results, why a part of the PBXs cannot be polled. progress is called with how many PBXs of the sweep
// under way were polled, and how many there are.
func (s *Sweep[R]) Run(ctx context.Context, progress func(done, total int)) ([]Record[R], error) {
	if s.allAtOnce {
		s.sweepOnce(ctx, progress)
	} else {
		s.start.Do(func() {
			for _, l := range []*lane{&s.direct, &s.proxied} {
				s.running.Go(func() { s.repeat(ctx, l) })
			}
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

// sweepOnce polls every PBX without spreading the requests.
func (s *Sweep[R]) sweepOnce(ctx context.Context, progress func(done, total int)) {
	var lanes sync.WaitGroup
	for _, l := range []*lane{&s.direct, &s.proxied} {
		l.err, l.refused, l.resting = nil, nil, false
		lanes.Go(func() { s.sweep(ctx, l, 0) })
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		lanes.Wait()
	}()
	for {
		select {
		case <-done:
			return
		case <-s.answered:
			s.mu.Lock()
			finished, total := s.direct.done+s.proxied.done, s.direct.total+s.proxied.total
			s.mu.Unlock()
			progress(finished, total)
		}
	}
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
		if (t.direct != nil) == l.direct && s.states[t.id].polled < l.began {
			queue = append(queue, t)
		}
	}
	slices.SortStableFunc(queue, func(a, b Target) int { return cmp.Compare(s.states[a.id].polled, s.states[b.id].polled) })
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
		t, there := targets.find(t.id)
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
				s.record(l, o, targets.size(l.direct))
			}
		})
	}
}

// record takes over what came of polling a PBX of a lane of that size. A request that YCM did not forward shows nothing
// of the PBX. That a PBX did not answer through YCM is confirmed once YCM is known to work.
func (s *Sweep[R]) record(l *lane, o outcome[R], size int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	panicked := errors.As(o.err, &s.panicked)
	if !panicked {
		s.Asked(o.Target, &o.value, o.err)
	}
	known := s.states[o.id]
	known.polled = o.sent
	s.states[o.id] = known
	l.done++
	select {
	case s.answered <- struct{}{}:
	default:
	}
	switch {
	case panicked:
	case o.lost(o.err):
		l.refused = append(l.refused, o.id)
		if len(l.refused) < min(refusalsToRest, size) {
			return
		}
		l.resting, l.err = true, o.err
		for _, id := range l.refused { // They are polled first after the rest.
			known := s.states[id]
			known.polled = 0
			s.states[id] = known
		}
		l.done -= len(l.refused)
		l.refused = l.refused[:0]
	case o.direct == nil && yeastar.ReachOf(o.err) == yeastar.NoAnswer && !aboutPBX(o.err):
		s.unconfirmed = append(s.unconfirmed, o)
	default:
		l.refused, l.err, l.came = l.refused[:0], nil, o.at-l.began-l.rested
		s.keep(o)
		if !l.direct {
			s.keep(s.unconfirmed...)
			s.unconfirmed = nil
		}
	}
}

// keep stores results that are newer than the known ones.
func (s *Sweep[R]) keep(outcomes ...outcome[R]) {
	for _, o := range outcomes {
		if known := s.states[o.id]; s.isResult(o.err) && known.at <= o.at {
			known.value, known.at = o.value, o.at
			s.states[o.id] = known
		}
	}
}

// settle decides on the PBXs that did not answer through YCM since the last poll of the list: if that failed too, the
// failure was YCM's.
func (s *Sweep[R]) settle() {
	if len(s.unconfirmed) == 0 {
		return
	}
	listed, succeeded := s.Fleet.list.LastPoll() // There is a list: without one, no PBX is polled through YCM.
	s.unconfirmed = slices.DeleteFunc(s.unconfirmed, func(o outcome[R]) bool {
		decided := s.allAtOnce || !listed.Before(s.epoch.Add(o.at))
		if decided && succeeded {
			s.keep(o)
		}
		return decided
	})
}

// records returns the newest result of each PBX that can be polled, unless it is older than StaleAfter and than two
// sweeps, and forgets the others.
func (s *Sweep[R]) records(targets *Targets) []Record[R] {
	oldest := time.Since(s.epoch) - max(s.StaleAfter, 2*max(s.direct.took, s.direct.came, s.proxied.took, s.proxied.came))
	maps.DeleteFunc(s.states, func(id int64, known state[R]) bool {
		_, there := targets.find(id)
		return !there
	})
	records := make([]Record[R], 0, len(s.states))
	add := func(t Target) {
		known, there := s.states[t.id]
		switch {
		case !there || known.at == 0:
		case known.at < oldest:
			s.states[t.id] = state[R]{polled: known.polled}
		default:
			r := Record[R]{ID: t.ID(), Name: t.Name(), Value: known.value}
			if t.listed != nil {
				r.Region = t.listed.Region
			}
			records = append(records, r)
		}
	}
	unlisted := targets.unlisted()
	for _, t := range unlisted {
		add(t)
	}
	for _, t := range targets.all[len(unlisted):] {
		add(t)
	}
	return records
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
