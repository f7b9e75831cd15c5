package ycmclient

import (
	"slices"
	"time"
)

// queue is the requests that wait for a token, those of walks before the others.
type queue struct {
	walks, leftover []*waiter
	passed          int       // Tokens that walks took in a row while leftover requests waited.
	paced           time.Time // When the next leftover request may be sent.
}

// waiter is a request that waits.
type waiter struct {
	leftover bool
	granted  chan struct{} // Closed when it has its token, or none is to be had.
	failed   bool          // None is; written before granted is closed.
}

// leftoverShare is the share of tokens that leftover requests get however many walks there are: one of so many.
const leftoverShare = 10

func (q *queue) line(leftover bool) *[]*waiter {
	if leftover {
		return &q.leftover
	}
	return &q.walks
}

func (q *queue) add(leftover bool) *waiter {
	w := &waiter{leftover: leftover, granted: make(chan struct{})}
	line := q.line(leftover)
	*line = append(*line, w)
	return w
}

// remove takes out who waits no longer, and reports whether it still did.
func (q *queue) remove(w *waiter) bool {
	line := q.line(w.leftover)
	i := slices.Index(*line, w)
	if i < 0 {
		return false
	}
	*line = slices.Delete(*line, i, i+1)
	return true
}

// next hands a token to whose turn it is, if there are enough: reserved ones are not for leftover requests, but for every
// tenth. Leftover requests keep the distance period, so that they do not take a whole bucket at once, after which a walk would
// have to wait an interval for its first token. It returns when to try again if it is only a matter of that distance.
func (q *queue) next(now time.Time, free, reserved int, period time.Duration) (granted bool, retry time.Time) {
	paced := !now.Before(q.paced)
	due := q.passed >= leftoverShare-1 && paced
	leftover := len(q.leftover) > 0 && (due || len(q.walks) == 0)
	if leftover && !due {
		free -= reserved
	}
	switch {
	case free < 1:
		return false, time.Time{}
	case leftover && !paced:
		return false, q.paced
	case leftover:
		q.passed, q.paced = 0, now.Add(period)
	case len(q.leftover) > 0:
		q.passed++
	}
	line := q.line(leftover)
	close((*line)[0].granted)
	*line = slices.Delete(*line, 0, 1)
	return true, time.Time{}
}

// fail sends all away who wait.
func (q *queue) fail() {
	for _, line := range []*[]*waiter{&q.walks, &q.leftover} {
		for _, w := range *line {
			w.failed = true
			close(w.granted)
		}
		*line = nil
	}
}

func (q *queue) empty() bool { return q.len() == 0 }
func (q *queue) len() int    { return len(q.walks) + len(q.leftover) }
