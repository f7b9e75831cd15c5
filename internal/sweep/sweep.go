package sweep

import (
	"context"
	"sync"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/crash"
	"github.com/ycm-exporter/ycm_exporter/internal/pbxclient"
)

// Options is what a sweep needs besides what it asks.
type Options struct {
	Fleet      *Fleet
	Interval   time.Duration // in which each PBX is asked once
	StaleAfter time.Duration // until when an answer is kept
	// Asked is told of each PBX that was asked, by one goroutine at a time: of its result, nil if there is none, and of the
	// error.
	Asked func(t Target, result any, err error)
}

// Sweep asks each PBX once an interval, evenly paced, and keeps the newest result of each. It goes two routes that do
// not hold each other up: PBXs that are spoken to directly, and PBXs through YCM. Requests of the latter are paid from
// what the walks leave over of the budget; where that does not carry the interval, a sweep takes the time it takes. A PBX
// whose firmware does not have what is asked for is asked again once it has another.
//
// Its methods but Reading are for one goroutine.
type Sweep[R any] struct {
	Options
	ask     func(ctx context.Context, c *pbxclient.Client) (R, error)
	learned func(err error) bool // whether what ask returned with err is a result

	allAtOnce       bool
	direct, proxied route
	answers         chan answer[R] // with room for all that are in flight
	flights         sync.WaitGroup
	epoch           time.Time
	unconfirmed     []answer[R] // from no answer of a PBX, where it may be YCM that does not serve

	mu        sync.Mutex          // held to change what follows, and to read it elsewhere
	results   map[int64]result[R] // by id
	lacking   map[int64]string    // by id, the firmware versions that do not have what is asked for
	positions [2]Position         // of the routes after the last slice
}

// result is the newest that is known of a PBX.
type result[R any] struct {
	value R
	at    time.Duration // since the epoch
}

// answer is what came of asking a PBX.
type answer[R any] struct {
	Target
	result[R]
	route *route
	err   error
}

// New makes a sweep of what ask asks for. Where learned, which may be nil, says so of a failure, ask's value is a
// result all the same.
func New[R any](o Options, ask func(context.Context, *pbxclient.Client) (R, error), learned func(err error) bool) *Sweep[R] {
	if learned == nil {
		learned = func(err error) bool { return err == nil }
	}
	s := &Sweep[R]{
		Options: o, ask: ask, learned: learned,
		direct: newRoute(true), proxied: newRoute(false), answers: make(chan answer[R], 2*inFlight),
		epoch: time.Now(), results: map[int64]result[R]{}, lacking: map[int64]string{},
	}
	s.keepPositions()
	return s
}

// Run goes on with the sweep for a time slice, and returns what is known of each PBX then. Without any the error says
// why; with some, why a part of the PBXs cannot be asked. progress is told how many PBXs of how many have been asked.
func (s *Sweep[R]) Run(ctx context.Context, progress func(done, total int)) ([]Record[R], error) {
	if s.allAtOnce {
		s.direct, s.proxied = newRoute(true), newRoute(false)
	}
	defer s.keepPositions()
	if err := s.proceed(ctx, progress); err != nil {
		return nil, err
	}
	targets, err := s.Fleet.Targets()
	if err != nil {
		return nil, err
	}
	return s.records(targets), s.proxied.err
}

// proceed asks PBXs as their turns come, until the time slice is over, nobody is left to ask in it, or ctx ends.
// Requests that are under way then go on; their answers come to the next slice.
func (s *Sweep[R]) proceed(ctx context.Context, progress func(done, total int)) error {
	length := timeSlice(s.Interval)
	end := time.Now().Add(length)
	over := time.NewTimer(length)
	defer over.Stop()
	if s.allAtOnce {
		over.Stop()
	}
	turn := time.NewTimer(length)
	defer turn.Stop()
	for {
		targets, err := s.Fleet.Targets()
		if err != nil {
			return err
		}
		asked := s.direct.Asked + s.proxied.Asked
		progress(asked, max(asked, targets.size(true)+targets.size(false)-len(s.lacking)))
		r, t, at := s.next(targets)
		flying := s.direct.flying + s.proxied.flying
		if flying == 0 && (r == nil || !s.allAtOnce && at.After(end)) {
			return nil
		}
		var due <-chan time.Time
		if r != nil {
			turn.Reset(time.Until(at))
			due = turn.C
		}
		select {
		case <-ctx.Done():
			s.flights.Wait()
			return ctx.Err()
		case <-over.C:
			return nil
		case a := <-s.answers:
			if ctx.Err() == nil { // else it may be of the end alone
				s.record(a, targets)
			}
		case <-due:
			s.send(ctx, r, t, targets)
		}
	}
}

// next is the route whose turn is next, nil if none can go on before an answer comes. A sweep all at once ends with
// itself, or with YCM's refusal to pass requests on.
func (s *Sweep[R]) next(targets *Targets) (r *route, t Target, at time.Time) {
	for _, candidate := range []*route{&s.direct, &s.proxied} {
		whom, when, ok := candidate.next(targets, s.Interval, s.lacks)
		if !ok || s.allAtOnce && (candidate.err != nil || candidate.Over && !candidate.Began.IsZero()) {
			continue
		}
		if r == nil || when.Before(at) {
			r, t, at = candidate, whom, when
		}
	}
	return r, t, at
}

// pacing is the share of the interval over which a route's PBXs are spread; the rest is for the last answers.
const pacing = 0.9

// send asks a PBX in the background.
func (s *Sweep[R]) send(ctx context.Context, r *route, t Target, targets *Targets) {
	var gap time.Duration
	if size := targets.size(r.direct); size > 0 && !s.allAtOnce {
		gap = time.Duration(pacing * float64(s.Interval) / float64(size))
	}
	r.leave(t, gap)
	s.flights.Go(func() {
		a := answer[R]{Target: t, route: r}
		a.err = crash.Catch(func() (err error) {
			a.value, err = s.ask(ctx, s.Fleet.client(t))
			return err
		})
		a.at = time.Since(s.epoch)
		s.answers <- a
	})
}

// Duration is how long the last sweep took, or the present one takes already if that is longer; 0 before the first.
func (s *Sweep[R]) Duration() time.Duration { return max(s.direct.duration(), s.proxied.duration()) }

// AllAtOnce makes each run a whole sweep that is not spread over the interval.
func (s *Sweep[R]) AllAtOnce() { s.allAtOnce = true }

// Wait returns when no request is under way, soon after the context of the runs has ended.
func (s *Sweep[R]) Wait() { s.flights.Wait() }
