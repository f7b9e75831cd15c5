package app

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// A disk that hangs, such as a network mount whose server is gone, holds up who writes for a moment once. It is told
// once, nothing is piled up behind it, and when it goes on, so does what is kept.
func TestADiskThatHangsHoldsNothingUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		m := newMemory(nil, "", prometheus.NewRegistry(), NewLogger(&out, "info", "logfmt"))
		disk, writes := make(chan struct{}), 0
		change := func(what string, took time.Duration) {
			t.Helper()
			began := time.Now()
			m.change(smallPatience, "budget-1", func() error {
				<-disk
				writes++
				return nil
			})
			if got := time.Since(began); got != took {
				t.Errorf("%s took %v, want %v", what, got, took)
			}
		}
		change("the write that hangs first", smallPatience)
		for range 100 {
			change("a write while one hangs", 0)
		}
		if err := m.within(smallPatience, "logins-1", func() error { return nil }, nil); err != nil {
			t.Errorf("another file cannot be written: %v", err)
		}
		if got := testutil.ToFloat64(m.failures); got != 101 || m.status().Err == "" {
			t.Errorf("%v writes failed by the metric, and the status says %q, want 101 and why", got, m.status().Err)
		}
		close(disk)
		synctest.Wait()
		if m.status().Err != "" || writes != 1 {
			t.Errorf("when the disk goes on, %d writes were done and the status says %q, want 1 and nothing", writes, m.status().Err)
		}
		change("a write after it", 0)
		for message, want := range map[string]int{"The storage folder cannot be written": 1, "look whether its disk": 1, "The storage folder can be written again": 1} {
			if n := strings.Count(out.String(), message); n != want {
				t.Errorf("%d log lines say %q, want %d:\n%s", n, message, want, &out)
			}
		}
	})
}

func TestAWriteThatPanicsIsAnError(t *testing.T) {
	m := newMemory(nil, "", prometheus.NewRegistry(), NewLogger(&bytes.Buffer{}, "info", "logfmt"))
	if err := m.within(smallPatience, "firmware-1", func() error { panic("no reading") }, nil); err == nil || errors.Is(err, errHangs) {
		t.Errorf("got %v, want the panic", err)
	}
}
