package storage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/gofrs/flock"
	"github.com/moby/sys/atomicwriter"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Open locks the directory, which it creates if only that is missing, and reads its files. It waits up to 15 s for another
// process that has the lock; if share is set it does not wait, and if there is such a process it writes nothing. A disk that is
// full or does not answer is no error.
func Open(ctx context.Context, path string, share bool, registry prometheus.Registerer, logger log.Logger) (*Store, error) {
	writing, end := context.WithCancel(context.WithoutCancel(ctx))
	s := &Store{
		WriteFile: func(path string, content []byte) error { return atomicwriter.WriteFile(path, content, 0o600) },
		Path:      path, logger: log.With(logger, "component", "storage"),
		failures: promauto.With(registry).NewCounter(prometheus.CounterOpts{
			Name: "ycm_exporter_storage_write_failures_total",
			Help: "Writes to the directory of --storage.path that failed, so that the latest state does not persist across restarts.",
		}),
		lock: flock.New(filepath.Join(path, "lock"), flock.SetPermissions(0o600)),
		busy: make(chan struct{}, 1), wake: make(chan struct{}, 1), end: end, done: make(chan struct{}),
		pending: map[string]Records{},
	}
	opened := make(chan error, 1)
	go s.run(writing, share, opened)
	limit := time.NewTimer(startLimit)
	defer limit.Stop()
	for {
		var err error
		select {
		case <-s.busy:
			level.Info(s.logger).Log("msg", "Waiting for another exporter to release the storage directory", "path", path, "limit", startLimit)
			limit.Reset(2 * startLimit) // The disk answers.
			continue
		case <-ctx.Done():
			end()
			return nil, ctx.Err()
		case <-limit.C:
			err = errNoAnswer
		case err = <-opened:
		}
		if err := s.started(err); err != nil && !(share && errors.Is(err, errInUse)) {
			end()
			return nil, err
		}
		return s, nil
	}
}

// started returns the error of a start, unless that may pass: then it is reported like a write that failed.
func (s *Store) started(err error) error {
	switch {
	case err == nil:
	case errors.Is(err, errNoAnswer), errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EIO):
		s.note(err)
	case errors.Is(err, errInUse):
		return fmt.Errorf("storage directory %s is %w; stop that one, or give each its own directory with --storage.path", s.Path, err)
	default:
		return fmt.Errorf("storage directory %s: %w; create it, owned by the exporter's user, or choose another with --storage.path", s.Path, err)
	}
	return nil
}

// run is the writer: the only goroutine that uses the disk. It ends after Close, once everything was tried to be written.
func (s *Store) run(ctx context.Context, share bool, opened chan<- error) {
	defer close(s.done)
	defer s.lock.Close() //nolint:errcheck // The kernel releases it at the latest when the process ends.
	err := s.acquire(ctx, share)
	if err == nil || share && errors.Is(err, errInUse) {
		err = errors.Join(err, s.read(share))
	}
	opened <- err
	if !s.lock.Locked() {
		return
	}
	for closing := false; !closing; s.flush() {
		select {
		case <-s.wake:
		case <-ctx.Done():
		}
		closing = ctx.Err() != nil
	}
}

// acquire takes the lock of the directory.
func (s *Store) acquire(ctx context.Context, share bool) error {
	if err := os.Mkdir(s.Path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if info, err := os.Lstat(s.lock.Path()); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file; remove it", s.lock.Path()) // Opening a pipe could block for ever.
	}
	locked, err := s.lock.TryLock()
	if err == nil && !locked && !share {
		s.busy <- struct{}{}
		waiting, cancel := context.WithTimeout(ctx, startLimit)
		defer cancel()
		if locked, err = s.lock.TryLockContext(waiting, 100*time.Millisecond); waiting.Err() != nil {
			err = nil
		}
	}
	if err == nil && !locked {
		err = errInUse
	}
	return err
}

// read reads the files, and unless the directory is shared checks that it can be written.
func (s *Store) read(share bool) error {
	entries, err := os.ReadDir(s.Path)
	if err != nil {
		return err
	}
	stored := map[string][]byte{}
	for _, e := range entries {
		path := filepath.Join(s.Path, e.Name())
		name, ours := strings.CutSuffix(e.Name(), extension)
		switch {
		case strings.HasPrefix(e.Name(), unfinished) && !share:
			_ = os.Remove(path) // A process was killed while it wrote this. The next start tries again.
		case ours && e.Type().IsRegular():
			if stored[name], err = readFile(path); err != nil {
				delete(stored, name)
				s.setAside(name, err)
			}
		}
	}
	s.mu.Lock()
	s.stored = stored
	s.mu.Unlock()
	if share {
		return nil
	}
	probe, err := os.CreateTemp(s.Path, unfinished)
	if err != nil {
		return err
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}
