package collector

import (
	"time"

	"github.com/ycm-exporter/ycm_exporter/yeastar"
)

const (
	// inFlight is how many PBXs of a lane are asked at the same time at most. It bounds what PBXs that do not answer
	// can cost: so many of them hold up nobody.
	inFlight = 8
	// catchUp is how far behind its slots a lane may be and still keep them. What is later is not made up for, so
	// that a lane that was held up goes on at its pace and not in a burst.
	catchUp = time.Second
	// rowOfRefusals is how many requests in a row YCM fails to pass on before a lane stops to wait.
	rowOfRefusals = 5
	// longestRest is how long it waits then.
	longestRest = time.Minute
)

// lane is a way around the PBXs that are reached alike, directly or through YCM, in the order of their keys.
type lane struct {
	direct bool
	begun  time.Time     // of the round under way, or of the last one; zero before the first
	over   bool          // that round has ended
	came   time.Duration // how far into the round the last PBX answered, or did not
	took   time.Duration // by the last round that ended
	cursor int64         // key of the PBX asked last
	slot   time.Time     // when the next may be asked
	flying int           // PBXs whose answers are awaited
	asked  int           // PBXs of that round that were asked

	row    int   // refusals of YCM in a row
	rowKey int64 // the least key of them
	err    error // why the lane waits; nil when YCM passes requests on
}

func newLane(direct bool) lane { return lane{direct: direct, over: true, cursor: firstKey} }

// next is whom to ask next, and when. It is not ok if there is nobody, or nobody before an answer comes.
func (l *lane) next(r *roster, interval time.Duration) (s subject, at time.Time, ok bool) {
	if s, ok = r.after(l.cursor, l.direct); ok && !l.begun.IsZero() {
		return s, l.slot, l.flying < inFlight
	}
	if l.flying > 0 {
		return s, at, false
	}
	if !l.over {
		l.over, l.took = true, time.Since(l.begun)
	}
	s, ok = r.after(firstKey, l.direct)
	return s, l.begun.Add(interval), ok
}

// leave notes that a PBX is being asked, after which the next one's slot is a gap later.
func (l *lane) leave(s subject, gap time.Duration) {
	now := time.Now()
	if l.begun.IsZero() || s.key <= l.cursor {
		l.begun, l.over, l.came, l.asked, l.slot = now, false, 0, 0, now
	}
	l.cursor = s.key
	l.flying++
	l.slot = l.slot.Add(gap)
	if behind := now.Add(-catchUp); l.slot.Before(behind) {
		l.slot = behind
	}
}

// refused notes that YCM did not pass a request on. Those PBXs are asked again later, for nothing is known of them.
func (l *lane) refused(key int64, err error, size int, interval time.Duration) {
	l.row++
	if l.row == 1 || key < l.rowKey {
		l.rowKey = key
	}
	if l.row < min(rowOfRefusals, size) {
		return
	}
	l.err = err
	l.cursor = min(l.cursor, l.rowKey-1)
	rest := min(interval, longestRest)
	if yeastar.ClassOf(err) == yeastar.Denied {
		rest = interval
	}
	if wait := rest - max(0, time.Until(l.slot)); wait > 0 {
		l.slot = time.Now().Add(rest)
		l.begun = l.begun.Add(wait) // The round stands still meanwhile.
	}
}

// served notes that YCM passed a request on.
func (l *lane) served() { l.row, l.err = 0, nil }

// told notes that it is known of another PBX whether it answers.
func (l *lane) told() {
	l.asked++
	l.came = time.Since(l.begun)
}

// lap is how long the last round took, or the present one takes already if that is longer. Times when YCM did not
// pass requests on do not count.
func (l *lane) lap() time.Duration {
	if l.over {
		return l.took
	}
	return max(l.took, time.Since(l.begun))
}

// inherit goes on in the round of a lane that has ended. The PBXs whose answers it still awaited are left out.
func (l *lane) inherit(old *lane) {
	l.begun, l.over, l.came, l.took = old.begun, old.over, old.came, old.took
	l.cursor, l.slot, l.asked = old.cursor, old.slot, old.asked
}
