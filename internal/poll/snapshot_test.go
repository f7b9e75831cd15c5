package poll

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/exposition"
)

// A snapshot is served for stale_after, or for twice the duration of its poll if that is longer: else the series of a fleet whose
// walk takes longer than stale_after would come and go.
func TestSnapshotIsServedForTwiceItsPollAtLeast(t *testing.T) {
	t.Parallel()
	for took, want := range map[time.Duration]time.Duration{time.Minute: 10 * time.Minute, 4 * time.Minute: 10 * time.Minute, 30 * time.Minute: time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			failed := false
			b.add("walks", every(time.Minute, 10*time.Minute), func(context.Context) (exposition.Source, error) {
				if failed {
					return nil, errors.New("no")
				}
				failed = true
				time.Sleep(took)
				return nothing(), nil
			})
			defer start(b.Account)()
			for time.Sleep(took - time.Minute); b.shelf.serves("walks") == nil; {
				time.Sleep(time.Second)
			}
			time.Sleep(want - 2*time.Second)
			if b.shelf.serves("walks") == nil {
				t.Errorf("after a poll of %v the snapshot is not served for %v", took, want)
			}
			time.Sleep(3 * time.Second)
			if b.shelf.serves("walks") != nil {
				t.Errorf("after a poll of %v the snapshot is served longer than %v", took, want)
			}
		})
	}
}
