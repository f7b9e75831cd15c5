package poll

import (
	"testing"
	"time"
)

func TestTheLastTenPollsAreRemembered(t *testing.T) {
	t.Parallel()
	var polls []Poll
	for n := range 25 {
		polls = prepend(polls, Poll{Duration: time.Duration(n)})
	}
	if len(polls) != 10 || polls[0].Duration != 24 || polls[9].Duration != 15 {
		t.Fatalf("of 25 polls these are remembered: %+v, want the last ten, the newest first", polls)
	}
	if more := prepend(polls, Poll{Duration: 25}); polls[0].Duration != 24 || more[0].Duration != 25 {
		t.Error("a list of polls that was handed out has changed")
	}
}
