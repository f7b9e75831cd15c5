package storage

import (
	"io"
	"syscall"
	"testing"
)

// What was saved while an older version was being written is what is stored in the end, also if that write failed.
func TestNewestVersionIsStoredAfterAnOlderOneFailed(t *testing.T) {
	t.Parallel()
	s, _ := open(t, t.TempDir())
	began, result := make(chan struct{}, 2), make(chan error)
	write := s.ReplaceFile
	s.ReplaceFile = func(path string, content func(io.Writer) error) error {
		began <- struct{}{}
		if err := <-result; err != nil {
			return err
		}
		return write(path, content)
	}
	save(s, "list", record{1, "older"})
	<-began
	save(s, "list", record{2, "newest"})
	result <- syscall.ENOSPC
	close(result)
	s, _ = restart(t, s)
	defer s.Close()
	if got, ok := load(s, "list", 1); !ok || got[0].Name != "newest" {
		t.Errorf("loaded %v, %t; want the newest", got, ok)
	}
}

// A file that was not loaded at the start is set aside then: it is too old for an account or a collector that a later reload adds.
func TestFileThatWasSetAsideIsNotLoadedLater(t *testing.T) {
	t.Parallel()
	s, _ := open(t, t.TempDir())
	save(s, "list", record{1, "old"})
	s, _ = restart(t, s)
	defer s.Close()
	s.SetAsideOthers()
	if got, ok := load(s, "list", 1); ok {
		t.Errorf("loaded %v, want nothing", got)
	}
}
