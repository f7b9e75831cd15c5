package ycmclient

import "time"

// The pause after YCM says that the budget is overrun and not for how long: it doubles until a request succeeds. What YCM
// says itself is believed up to an hour.
const (
	shortestPause = 30 * time.Second
	longestPause  = 10 * time.Minute
	longestTold   = time.Hour

	// worthWaiting is the longest pause that requests wait for. During a longer one they fail, so that a walk is told from one
	// that goes on.
	worthWaiting = 10 * time.Minute
)

// pause is a time in which nothing is sent.
type pause struct {
	from, until time.Time
	row         int // Pauses in a row, without a success between them.
}

// extend makes the pause last for retryAfter, or as long as it is due where YCM told nothing, because a request was
// refused that was sent at that time. It reports whether that is a new pause.
func (p *pause) extend(now, sent time.Time, retryAfter time.Duration) (began bool) {
	began = !sent.Before(p.until)
	length := min(longestTold, retryAfter)
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

// tooLong tells whether the rest of the pause is longer than anybody waits for.
func (p *pause) tooLong(now time.Time) bool { return p.until.Sub(now) > worthWaiting }

// How much less is asked for when somebody else uses the Client ID, and how it grows again.
const (
	leastShare    = 0.1
	shareStep     = 0.05
	shareInterval = 10 * time.Minute
)

// share is how much of the limit is asked for. The budget is never overrun by this exporter alone, so a refusal means that
// others take their part.
type share struct {
	whole       float64   // From leastShare to 1.
	since       time.Time // When it was last changed.
	assumedFull time.Time // Until then a refusal may come of what was sent before the start, when YCM's bucket was taken to be full.
}

// refused halves the share, and reports whether it did.
func (s *share) refused(now time.Time) bool {
	if now.Before(s.assumedFull) {
		return false
	}
	s.whole, s.since = max(leastShare, s.whole/2), now
	return true
}

// recover lets the share grow by a step each ten minutes without a refusal, and reports whether it grew.
func (s *share) recover(now time.Time) bool {
	steps := int(now.Sub(s.since) / shareInterval)
	if s.whole >= 1 || steps < 1 {
		return false
	}
	s.whole = min(1, s.whole+shareStep*float64(steps))
	s.since = s.since.Add(time.Duration(steps) * shareInterval)
	return true
}
