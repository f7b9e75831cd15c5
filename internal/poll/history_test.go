package poll

import (
	"strconv"
	"testing"
	"time"
)

func TestTheLastTenPollsAreRemembered(t *testing.T) {
	var h history
	if len(h) != 0 || h.total() != 0 {
		t.Errorf("before the first poll there are %d polls of %d", len(h), h.total())
	}
	for n := range 25 {
		h = h.with(Poll{Duration: time.Duration(n), Total: n, Err: map[bool]string{true: "poll " + strconv.Itoa(n)}[n%5 == 4]})
	}
	polls := h
	if len(polls) != 10 || polls[0].Duration != 24 || polls[9].Duration != 15 {
		t.Fatalf("of 25 polls these are remembered: %+v, want the last ten, the newest first", polls)
	}
	if got := h.total(); got != 23 {
		t.Errorf("the newest poll that succeeded counted %d, want that of the 24th, 23", got)
	}
	h = h.with(Poll{Duration: 25})
	if polls[0].Duration != 24 || h[0].Duration != 25 {
		t.Error("a list of polls that was handed out has changed")
	}
}
