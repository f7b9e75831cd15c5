package sweep

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/ycm-exporter/ycm_exporter/crash"
)

// Cloner makes a copy that can be changed without changing the original.
type Cloner[R any] interface{ Clone() R }

// Versions reads what is true of every PBX with one firmware version from one of them: R is that. A version is read in
// one pass, one request at a time; all are read again each interval, and one that is new is read soon. Where YCM does
// not pass requests on, or no PBX answers, the pass goes on afterwards.
//
// Its methods but Reading are for one goroutine. It shares its fields with the one pass that may be under way: what mu
// guards, and the rest by turns, before the pass and after it.
type Versions[R Cloner[R]] struct {
	Options
	read func(known *R, ask Ask) error

	allAtOnce bool
	targets   *Targets  // that the versions were last counted of
	sent      time.Time // when the last request of a pass was

	passing bool       // a pass is under way, or what came of it was not looked at yet
	passed  chan error // what came of it, with room for one
	flight  sync.WaitGroup

	mu       sync.Mutex // held to change what follows; a pass holds it unless it waits for an answer
	span     Span
	hosts    map[string]*host // PBXs that the list does not have, by name
	versions []*version[R]    // by name
}

// Span is when a sweep was.
type Span struct {
	Began time.Time     // of the sweep under way, or of the last one; zero before the first
	Over  bool          // that sweep has ended
	Came  time.Duration // how far into the sweep the last version was read
	Took  time.Duration // by the last sweep that ended
}

// version is a firmware version that PBXs of the account have.
type version[R any] struct {
	name     string
	pbxs     int
	whole    *R        // as it was last read to its end; nil before. It does not change
	at       time.Time // when that was
	partial  *R        // as far as a pass has come; nil in between
	done     bool      // in this sweep
	again    time.Time // when to try again
	pbx      int64     // id of the PBX that is asked
	failures int       // in a row
	err      error     // the last of them
}

// host is what a PBX that the list does not have said of its version, and when to ask it again.
type host struct {
	version string
	again   time.Time
}

// NewVersions makes what reads the versions of a fleet. read asks for whatever known lacks and puts it there; it
// returns nil when nothing is lacking, and else the error of ask that it cannot go on after.
func NewVersions[R Cloner[R]](o Options, read func(known *R, ask Ask) error) *Versions[R] {
	return &Versions[R]{
		Options: o, read: read, span: Span{Over: true}, hosts: map[string]*host{}, passed: make(chan error, 1),
	}
}

// Run reads versions for a time slice, until none is left to read, or until YCM does not pass requests on, which is
// the error. progress is told how many versions of how many have been read.
func (s *Versions[R]) Run(ctx context.Context, progress func(done, total int)) error {
	over := time.NewTimer(timeSlice(s.Interval))
	defer over.Stop()
	if s.allAtOnce {
		over.Stop()
		s.versions, s.span, s.targets = nil, Span{Over: true}, nil
	}
	defer s.expire()
	for {
		if !s.passing {
			if err := s.count(); err != nil {
				return err
			}
			pass := s.next()
			switch {
			case pass != nil:
				s.start(func() error { return pass(ctx) })
			case s.begin():
				continue
			default:
				return nil
			}
		}
		progress(s.progress())
		select {
		case <-ctx.Done():
			s.flight.Wait()
			return ctx.Err()
		case <-over.C:
			return nil
		case err := <-s.passed:
			s.passing = false
			if c := (*crash.Crash)(nil); errors.As(err, &c) {
				panic(c)
			}
			if err != nil {
				return err
			}
		}
	}
}

// start makes a pass in the background.
func (s *Versions[R]) start(pass func() error) {
	s.passing = true
	s.flight.Go(func() { s.passed <- crash.Catch(pass) })
}

// next is the pass to make next, nil if there is none to make. The PBXs that the list does not have are asked for their
// versions first; then come versions that were never read, and of each kind the one that most PBXs have.
func (s *Versions[R]) next() func(context.Context) error {
	now := time.Now()
	for _, t := range s.targets.unlisted() {
		if h := s.hosts[t.Name]; h == nil || !now.Before(h.again) {
			return func(ctx context.Context) error { return s.askHost(ctx, t) }
		}
	}
	var best *version[R]
	for _, v := range s.versions {
		unread := v.whole == nil
		if now.Before(v.again) || v.done && (!unread || s.allAtOnce) {
			continue
		}
		if _, found := s.candidate(v); !found {
			v.done, v.again = true, now.Add(PublishInterval(s.Interval))
			continue
		}
		if best == nil || unread && best.whole != nil || unread == (best.whole == nil) && v.pbxs > best.pbxs {
			best = v
		}
	}
	if best == nil {
		return nil
	}
	return func(ctx context.Context) error { return s.readVersion(ctx, best) }
}

// begin starts the next sweep if it is time.
func (s *Versions[R]) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.span.Over {
		s.span.Over, s.span.Took = true, time.Since(s.span.Began)
	}
	if s.allAtOnce || len(s.versions) == 0 || time.Since(s.span.Began) < s.Interval {
		return false
	}
	s.span.Began, s.span.Over, s.span.Came = time.Now(), false, 0
	for _, v := range s.versions {
		v.done = false
		if v.whole != nil {
			v.partial = nil
		}
	}
	return true
}

func (s *Versions[R]) progress() (done, total int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range s.versions {
		if v.done {
			done++
		}
	}
	return done, len(s.versions)
}

// expire forgets what is older than stale_after and than two sweeps.
func (s *Versions[R]) expire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range s.versions {
		if time.Since(v.at) > max(s.StaleAfter, 2*max(s.span.Took, s.span.Came)) {
			v.whole = nil
		}
	}
}

// Duration is how long the last sweep took, or the present one takes already if that is longer; 0 before the first.
func (s *Versions[R]) Duration() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.span.Over {
		return s.span.Took
	}
	return max(s.span.Took, time.Since(s.span.Began))
}

// AllAtOnce makes each run read every version, without a pause between requests.
func (s *Versions[R]) AllAtOnce() { s.allAtOnce = true }

// Wait returns when no request is under way, soon after the context of the runs has ended.
func (s *Versions[R]) Wait() { s.flight.Wait() }
