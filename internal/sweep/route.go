package sweep

import (
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

const (
	// inFlight is how many PBXs of a route are asked at the same time at most. It bounds what PBXs that do not answer
	// can cost: so many of them hold up nobody.
	inFlight = 8
	// catchUp is how far behind its pace a route may be and still keep it. What is later is not made up for, so that
	// a route that was held up goes on at its pace and not in a burst.
	catchUp = time.Second
	// refusalsToRest is how many requests in a row YCM fails to pass on before a route rests.
	refusalsToRest = 5
	// longestRest is how long it rests then.
	longestRest = time.Minute
)

// Position is how far a route has come in its sweep, as it is kept over a reload.
type Position struct {
	Began  time.Time     // of the sweep under way, or of the last one; zero before the first
	Over   bool          // that sweep has ended
	Came   time.Duration // how far into the sweep the last PBX answered, or did not
	Took   time.Duration // by the last sweep that ended
	Cursor int64         // id of the PBX asked last
	Due    time.Time     // when the next may be asked
	Asked  int           // PBXs of that sweep that were asked
}

// sane returns the position without a future that is further off than it can be: it may come from a file, and of a clock that
// was set back since.
func (p Position) sane(interval time.Duration) Position {
	latest := time.Now().Add(interval)
	p.Began, p.Due = yeastar.Earlier(p.Began, latest), yeastar.Earlier(p.Due, latest)
	return p
}

// route goes around the PBXs that are reached alike, directly or through YCM, in the order of their ids.
type route struct {
	direct bool
	Position
	flying int // PBXs whose answers are awaited

	refusals   int   // of YCM, in a row
	refusedMin int64 // the least id of them
	err        error // why the route rests; nil when YCM passes requests on
}

func newRoute(direct bool) route {
	return route{direct: direct, Position: Position{Over: true, Cursor: beforeAll}}
}

// next is whom to ask next, and when, without those that lack what is asked for. It is not ok if there is nobody, or nobody
// before an answer comes.
func (r *route) next(targets *Targets, interval time.Duration, lacks func(Target) bool) (t Target, at time.Time, ok bool) {
	after := func(id int64) (t Target, ok bool) {
		t, ok = targets.after(id, r.direct)
		for ok && lacks(t) {
			t, ok = targets.after(t.id, r.direct)
		}
		return t, ok
	}
	if t, ok = after(r.Cursor); ok && !r.Began.IsZero() {
		return t, r.Due, r.flying < inFlight
	}
	if r.flying > 0 {
		return t, at, false
	}
	if !r.Over {
		r.Over, r.Took = true, time.Since(r.Began)
	}
	t, ok = after(beforeAll)
	return t, r.Began.Add(interval), ok
}

// leave notes that a PBX is being asked, after which the next one's turn is a gap later.
func (r *route) leave(t Target, gap time.Duration) {
	now := time.Now()
	if r.Began.IsZero() || t.id <= r.Cursor {
		r.Began, r.Over, r.Came, r.Asked, r.Due = now, false, 0, 0, now
	}
	r.Cursor = t.id
	r.flying++
	r.Due = r.Due.Add(gap)
	if behind := now.Add(-catchUp); r.Due.Before(behind) {
		r.Due = behind
	}
}

// refused notes that YCM did not pass a request on. Those PBXs are asked again later, for nothing is known of them.
func (r *route) refused(id int64, err error, size int, interval time.Duration) {
	r.refusals++
	if r.refusals == 1 || id < r.refusedMin {
		r.refusedMin = id
	}
	if r.refusals < min(refusalsToRest, size) {
		return
	}
	r.err = err
	r.Cursor = min(r.Cursor, r.refusedMin-1)
	rest := min(interval, longestRest)
	if yeastar.ClassOf(err) == yeastar.Denied {
		rest = interval
	}
	if wait := rest - max(0, time.Until(r.Due)); wait > 0 {
		r.Due = time.Now().Add(rest)
		r.Began = r.Began.Add(wait) // The sweep stands still meanwhile.
	}
}

// passedOn notes that YCM passed a request on.
func (r *route) passedOn() { r.refusals, r.err = 0, nil }

// answered notes that it is known of another PBX whether it answers.
func (r *route) answered() {
	r.Asked++
	r.Came = time.Since(r.Began)
}

// duration is how long the last sweep took, or the present one takes already if that is longer. Times when YCM did not
// pass requests on do not count.
func (r *route) duration() time.Duration {
	if r.Over {
		return r.Took
	}
	return max(r.Took, time.Since(r.Began))
}
