package poll

import "time"

// remembered is how many polls of a collector are told of.
const remembered = 10

// Poll is a poll that has ended.
type Poll struct {
	Start    time.Time
	Duration time.Duration
	Total    int    // what there was to ask, as the poll counted it; 0 if it did not
	Err      string // why it failed; empty when it succeeded
}

// history is the last polls of a collector, the newest first. It is never changed, only replaced.
type history []Poll

// with returns the history with one more poll. The oldest one is forgotten.
func (h history) with(p Poll) history {
	return append(history{p}, h[:min(len(h), remembered-1)]...)
}

// total is what the newest poll that succeeded had to ask; 0 before there is one.
func (h history) total() int {
	for _, p := range h {
		if p.Err == "" {
			return p.Total
		}
	}
	return 0
}
