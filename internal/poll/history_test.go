package poll

import (
	"strconv"
	"testing"
	"time"
)

func TestTheLastTenPollsAreRemembered(t *testing.T) {
	t.Parallel()
	var polls []Poll
	if got := lastTotal(polls); got != 0 {
		t.Errorf("before the first poll the last total is %d, want 0", got)
	}
	for n := range 25 {
		polls = prepend(polls, Poll{Duration: time.Duration(n), Total: n, Err: map[bool]string{true: "poll " + strconv.Itoa(n)}[n%5 == 4]})
	}
	if len(polls) != 10 || polls[0].Duration != 24 || polls[9].Duration != 15 {
		t.Fatalf("of 25 polls these are remembered: %+v, want the last ten, the newest first", polls)
	}
	if got := lastTotal(polls); got != 23 {
		t.Errorf("the newest poll that succeeded had a total of %d, want that of the 24th, 23", got)
	}
	if more := prepend(polls, Poll{Duration: 25}); polls[0].Duration != 24 || more[0].Duration != 25 {
		t.Error("a list of polls that was handed out has changed")
	}
}
