package poll

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/exposition"
)

// script is a collector whose polls make progress step by step. It is another one each time it is polled.
type script struct {
	fake
	polls []scripted
}

// scripted is one poll.
type scripted struct {
	steps []time.Duration // from one step to the next
	err   error
}

func (w *script) Poll(ctx context.Context, progress func(done, total int)) (exposition.Source, error) {
	now := w.polls[0]
	w.polls = w.polls[1:]
	for i, step := range now.steps {
		select {
		case <-time.After(step):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		progress(i+1, len(now.steps))
	}
	if now.err != nil {
		return nil, now.err
	}
	return nothing(), nil
}

// steady is so many minutes of a step every ten seconds.
func steady(minutes int) (steps []time.Duration) {
	for range minutes * 6 {
		steps = append(steps, 10*time.Second)
	}
	return steps
}

// pausing is a poll that stands still in the middle.
func pausing(minutes int, pause time.Duration) []time.Duration {
	return append(append(steady(minutes/2), pause), steady(minutes/2)...)
}

func TestHowLongASnapshotIsServed(t *testing.T) {
	t.Parallel()
	down := errors.New("no")
	type served struct {
		after time.Duration // since the last look
		want  bool
		why   string
	}
	for name, c := range map[string]struct {
		polls []scripted
		looks []served
	}{
		"a walk that takes longer than the snapshot lives": {
			[]scripted{{steady(1), nil}, {steady(30), nil}, {steady(90), down}, {steady(1), nil}},
			[]served{
				{2 * time.Minute, true, "the first poll succeeded"},
				{28 * time.Minute, true, "the second makes progress"},
				{2 * time.Minute, true, "the second succeeded"},
				{58 * time.Minute, true, "a snapshot that half an hour made lives an hour"},
				{20 * time.Minute, true, "the third makes progress"},
				{11*time.Minute + 30*time.Second, false, "the third failed after the snapshot's time"},
			},
		},
		"a walk that stands still": {
			[]scripted{{steady(1), nil}, {pausing(30, time.Hour), nil}, {steady(1), nil}},
			[]served{
				{15 * time.Minute, true, "the second poll makes progress"},
				{5 * time.Minute, false, "nothing came for more than two minutes"},
				{57 * time.Minute, false, "what was let go does not come back, though the poll goes on"},
				{15 * time.Minute, true, "the second poll succeeded"},
			},
		},
		"a short pause of a long walk": {
			[]scripted{{steady(27), nil}, {pausing(28, 2*time.Minute), nil}, {steady(1), nil}},
			[]served{
				{28 * time.Minute, true, "the first walk succeeded"},
				{15 * time.Minute, true, "the pause is under way"},
				{10 * time.Minute, true, "the second walk goes on"},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				polls := &script{polls: append(c.polls, scripted{steady(600), nil})}
				b.addPoller("walks", every(time.Minute, 10*time.Minute), polls)
				defer start(b.Account)()
				for _, look := range c.looks {
					time.Sleep(look.after)
					if got := b.shelf.serves("walks") != nil; got != look.want {
						t.Errorf("%v after the last look a snapshot is served: %v, want %v: %s", look.after, got, look.want, look.why)
					}
				}
			})
		})
	}
}
