package ycmclient

import "time"

// The pause after a refusal that does not say for how long doubles until a request succeeds. What YCM says is kept up to an
// hour.
const (
	shortestPause = 30 * time.Second
	longestPause  = 10 * time.Minute
	longestGiven  = time.Hour

	// worthWaiting is the longest pause that requests wait for. During a longer one they fail, so that a collector reports it.
	worthWaiting = 10 * time.Minute
)

// pause is a time in which nothing is sent.
type pause struct {
	from, until time.Time
	row         int // Pauses without a success between them.
}

// extend makes the pause last for retryAfter, or as long as is due where YCM gave none, because a request was refused that was
// sent at that time. It reports whether that is a new pause.
func (p *pause) extend(now, sent time.Time, retryAfter time.Duration) (began bool) {
	began = !sent.Before(p.until)
	length := min(longestGiven, retryAfter)
	if length <= 0 && began {
		length = min(longestPause, shortestPause<<min(p.row, 10))
	}
	if began {
		p.row++
		p.from = now
	}
	if until := now.Add(length); until.After(p.until) {
		p.until = until
	}
	return began
}

// How the rate falls and rises while another client uses the Client ID.
const (
	leastThrottle    = 0.1
	throttleStep     = 0.05
	throttleInterval = 10 * time.Minute
)

// throttle is the part of the limit that is used.
type throttle struct {
	factor float64   // From leastThrottle to 1.
	since  time.Time // When it last changed.
}

func (t *throttle) refused(now time.Time) {
	t.factor, t.since = max(leastThrottle, t.factor/2), now
}

// recover adds a step for every interval without a refusal, and reports whether it did.
func (t *throttle) recover(now time.Time) bool {
	steps := int(now.Sub(t.since) / throttleInterval)
	if t.factor >= 1 || steps < 1 {
		return false
	}
	t.factor = min(1, t.factor+throttleStep*float64(steps))
	t.since = t.since.Add(time.Duration(steps) * throttleInterval)
	return true
}
