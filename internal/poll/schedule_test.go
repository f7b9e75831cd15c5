package poll

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/exposition"
)

// polls is a collector whose polls take as long as listed; those after the last take no time. It fails the test when
// they overlap.
type polls struct {
	t      *testing.T
	takes  []time.Duration
	starts []time.Time
	under  bool
}

func (p *polls) poll(ctx context.Context) (exposition.Source, error) {
	if p.under {
		p.t.Errorf("poll %d started before the one before it ended", len(p.starts))
	}
	p.under = true
	defer func() { p.under = false }()
	p.starts = append(p.starts, time.Now())
	if n := len(p.starts); n <= len(p.takes) {
		select {
		case <-time.After(p.takes[n-1]):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return nothing(), nil
}

// gaps is the time between the starts.
func (p *polls) gaps() []time.Duration {
	var gaps []time.Duration
	for i := 1; i < len(p.starts); i++ {
		gaps = append(gaps, p.starts[i].Sub(p.starts[i-1]))
	}
	return gaps
}

func TestIntervalCountsFromStartToStart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		p := &polls{t: t, takes: []time.Duration{20 * time.Second, 59 * time.Second, 0}}
		b.add("polls", every(time.Minute, time.Hour), p.poll)
		stop := start(b.Account)
		time.Sleep(4 * time.Minute)
		stop()
		want := []time.Duration{time.Minute, time.Minute, time.Minute}
		if got := p.gaps(); !slices.Equal(got, want) {
			t.Errorf("polls of 20 s, 59 s and 0 s started %v apart, want %v", got, want)
		}
	})
}

// A fleet that is too large for its interval is walked without a pause, never twice concurrently.
func TestLatePollStartsAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		p := &polls{t: t, takes: []time.Duration{150 * time.Second, 90 * time.Second, 10 * time.Second}}
		b.add("polls", every(time.Minute, time.Hour), p.poll)
		stop := start(b.Account)
		time.Sleep(6 * time.Minute)
		stop()
		want := []time.Duration{150 * time.Second, 90 * time.Second, time.Minute}
		if got := p.gaps(); !slices.Equal(got, want) {
			t.Errorf("polls of 150 s, 90 s and 10 s on a minute's interval started %v apart, want %v", got, want)
		}
	})
}

// The collectors of an account do not start at the same moment, and the firmware, which the list is compared with,
// is first.
func TestStartsAreSpreadInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		all := make([]*polls, 4)
		for i := range all {
			all[i] = &polls{t: t}
			b.add(string(rune('a'+i)), every(time.Hour, time.Hour), all[i].poll)
		}
		began := time.Now()
		stop := start(b.Account)
		time.Sleep(time.Minute)
		stop()
		for i, p := range all {
			from, to := time.Duration(i)*startSlot, time.Duration(i+1)*startSlot
			if at := p.starts[0].Sub(began); at < from || at >= to {
				t.Errorf("collector %d of the account started after %v, want at least %v and less than %v", i, at, from, to)
			}
		}
	})
}

func TestRunEndsInTheMidstOfAPoll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		j := b.add("polls", every(time.Minute, time.Hour), (&polls{t: t, takes: []time.Duration{time.Hour}}).poll)
		stop := start(b.Account)
		time.Sleep(10 * time.Second)
		stop()
		if got := value(t, b.registry, selfMetric("ycm_collector_success")); got != "" {
			t.Errorf("a poll that shutdown ended counts: ycm_collector_success is %s, want it absent", got)
		}
		if j.status.Running {
			t.Error("the poll still counts as running after Run has returned")
		}
		if lines := b.journal.with("Poll"); len(lines) != 0 {
			t.Errorf("a poll that shutdown ended is in the log: %v", lines)
		}
	})
}

func TestFailedPollsKeepTheSnapshotUntilItIsStale(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		var broken atomic.Bool
		b.add("fragile", every(time.Minute, 10*time.Minute), func(context.Context) (exposition.Source, error) {
			if broken.Load() {
				return nil, errors.New("no")
			}
			return nothing(), nil
		})
		defer start(b.Account)()
		time.Sleep(30 * time.Second)
		broken.Store(true)
		time.Sleep(9 * time.Minute)
		if b.shelf.serves("fragile") == nil {
			t.Error("a snapshot that may be served for 10 minutes is gone after 9 and a half")
		}
		time.Sleep(time.Minute)
		if b.shelf.serves("fragile") != nil {
			t.Error("a snapshot that may be served for 10 minutes is there after 10 and a half")
		}
		broken.Store(false)
		time.Sleep(time.Minute)
		if b.shelf.serves("fragile") == nil {
			t.Error("a poll succeeded, but there is no snapshot")
		}
		if lines := b.journal.with("Poll recovered", "level=info"); len(lines) != 1 {
			t.Errorf("the log says %d times that polls succeed again, want once", len(lines))
		}
	})
}
