// Package storage persists state across restarts: files of JSON records in one directory. It does not know what they mean.
//
// All files are read at the start, and written one after the other in the background, the newest version of each, so that a disk
// that is slow or hangs delays no caller. A file is replaced as a whole or not at all.
package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/gofrs/flock"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/ycm-exporter/ycm_exporter/internal/crash"
)

// startLimit is how long a start waits for the disk, and for another process to release the directory. Tests shorten it.
var startLimit = 15 * time.Second

const (
	// closeLimit is how long a shutdown waits for what is still to be written.
	closeLimit = 5 * time.Second

	extension  = ".ycm"
	setAside   = ".set-aside"
	unfinished = ".tmp" // ends the names of files that are being written
)

var (
	errNoAnswer = errors.New("disk does not respond; check the disk or the network mount")
	errInUse    = errors.New("in use by another exporter; stop it, or use another directory with --storage.path")
)

// Records writes the records of a file.
type Records = func(write func(record any) error) error

// Store persists files. It is safe for concurrent use.
type Store struct {
	Path        string
	ReplaceFile func(path string, content func(io.Writer) error) error // tests set it before they save anything

	logger   log.Logger
	failures prometheus.Counter
	lock     *flock.Flock
	shared   bool          // another process has the lock
	disk     chan struct{} // has an element while the disk is in use

	mu        sync.Mutex
	stored    map[string][]byte  // files as they were at the start, by name, until they are loaded
	pending   map[string]Records // the newest version of each file that is to be written; nil: it is to be set aside
	queued    bool               // a flush will begin
	began     time.Time          // of the flush under way; zero if there is none
	lastWrite time.Time
	err       error // of the last write; nil while the storage works
}

// Status is how the directory is doing.
type Status struct {
	Path      string
	LastWrite time.Time // zero before the first
	Err       error     // why the last write failed; nil while the storage works
}

// Open locks the directory, which it creates if only that is missing, and reads its files. It waits up to 15 s for another
// process that has the lock; if share is set it does not wait, and beside such a process it only replaces files. Only a path
// that is wrong, missing permissions and such a process are errors; a disk that is full, read-only or does not answer is not.
func Open(ctx context.Context, path string, share bool, registry prometheus.Registerer, logger log.Logger) (*Store, error) {
	s := &Store{
		Path: path, logger: log.With(logger, "component", "storage"),
		failures: promauto.With(registry).NewCounter(prometheus.CounterOpts{
			Name: "ycm_exporter_storage_write_failures_total",
			Help: "Total number of failed writes to the directory of --storage.path. The unwritten state is lost at the next restart.",
		}),
		lock: flock.New(filepath.Join(path, "lock"), flock.SetPermissions(0o600)),
		disk: make(chan struct{}, 1), pending: map[string]Records{},
	}
	s.ReplaceFile = s.replaceFile
	patience, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	limit := time.AfterFunc(startLimit, func() { giveUp(errNoAnswer) })
	defer limit.Stop()
	err := s.useDisk(patience, func() error { return s.start(ctx, share, limit) })
	if patience.Err() != nil {
		err = context.Cause(patience)
	}
	if err := s.started(err); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// useDisk runs f when nothing else uses the disk, and waits for it until ctx ends.
func (s *Store) useDisk(ctx context.Context, f func() error) error {
	_, err := crash.GiveUpAfter(ctx, func() (struct{}, error) {
		s.disk <- struct{}{}
		defer func() { <-s.disk }()
		return struct{}{}, f()
	}, nil)
	return err
}

// unusable are the errors of a start that do not pass by themselves.
var unusable = []error{fs.ErrNotExist, fs.ErrPermission, syscall.ENOTDIR, errInUse, context.Canceled, context.DeadlineExceeded}

// started returns the error of a start that does not pass by itself. Another one is reported like a write that failed.
func (s *Store) started(err error) error {
	hint := "; create it, give the exporter's user write access to it and its files, or choose another with --storage.path"
	switch {
	case err == nil:
		return nil
	case !slices.ContainsFunc(unusable, func(target error) bool { return errors.Is(err, target) }):
		s.note(err)
		return nil
	case errors.Is(err, errInUse):
		hint = ""
	}
	return fmt.Errorf("storage directory %s: %w%s", s.Path, err, hint)
}

// start locks the directory, but not if it is shared and another process has the lock, and reads its files. limit fires when Open
// no longer waits for the disk.
func (s *Store) start(ctx context.Context, share bool, limit *time.Timer) error {
	if err := os.Mkdir(s.Path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	locked, err := s.lock.TryLock()
	if err == nil && !locked && !share {
		level.Info(s.logger).Log("msg", "Waiting for another exporter to release the storage directory", "path", s.Path, "limit", startLimit)
		limit.Reset(2 * startLimit) // The disk answers.
		waiting, cancel := context.WithTimeout(ctx, startLimit)
		defer cancel()
		if _, err = s.lock.TryLockContext(waiting, 100*time.Millisecond); waiting.Err() != nil {
			err = errInUse
		}
	}
	if err != nil {
		return err
	}
	s.shared = !s.lock.Locked()
	return s.read()
}

// Locked reports whether this process has the directory's lock.
func (s *Store) Locked() bool { return s.lock.Locked() }

// Load has load read the records of the file of that name as it was at the start, and reports whether it could. A file that
// load cannot use is set aside. It can be loaded once.
func (s *Store) Load(name string, load func(next func(record any) error) error) bool {
	s.mu.Lock()
	file, ok := s.stored[name]
	delete(s.stored, name)
	s.mu.Unlock()
	if !ok {
		return false
	}
	if err := crash.Catch(func() error { return decode(name, file, load) }); err != nil {
		s.setAside(name, err)
		return false
	}
	return true
}

// Reload has load read the records of a file as it is now, as another process may have replaced it, and reports whether it could. It
// does not if this process is about to replace it, or if the disk does not answer within a second.
func (s *Store) Reload(name string, load func(next func(record any) error) error) bool {
	limit, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	var file []byte
	err := s.useDisk(limit, func() (err error) {
		s.mu.Lock()
		_, newer := s.pending[name]
		s.mu.Unlock()
		if !newer {
			file, err = s.readFile(name)
		}
		return err
	})
	return err == nil && crash.Catch(func() error { return decode(name, file, load) }) == nil
}

// SetAsideOthers sets the files aside that were not loaded.
func (s *Store) SetAsideOthers() {
	s.mu.Lock()
	others := s.stored
	s.stored = nil
	s.mu.Unlock()
	for name := range others {
		s.setAside(name, errors.New("file belongs to an account or collector that is not configured"))
	}
}

// setAside has a file renamed, so that it is not loaded again but can be examined.
func (s *Store) setAside(name string, why error) {
	level.Warn(s.logger).Log("msg", "Ignoring stored file, renamed it", "file", s.file(name)+setAside, "err", why)
	s.Save(name, nil)
}

// Save has the records of a file replaced in the background. records is called by another goroutine, and again later if the
// write fails and nothing newer was saved by then; nil sets the file aside.
func (s *Store) Save(name string, records Records) {
	s.mu.Lock()
	s.pending[name] = records
	queued, hangs := s.queued, !s.began.IsZero() && time.Since(s.began) > startLimit
	s.queued = true
	s.mu.Unlock()
	if hangs {
		s.note(errNoAnswer)
	}
	if !queued {
		go s.useDisk(context.Background(), s.flush) //nolint:errcheck // It reports failures itself.
	}
}

// flush writes what is pending. What fails stays pending, unless there is something newer by then.
func (s *Store) flush() error {
	if !s.lock.Locked() && !s.shared {
		return nil
	}
	s.mu.Lock()
	pending := s.pending
	s.pending, s.queued, s.began = map[string]Records{}, false, time.Now()
	s.mu.Unlock()
	var failed error
	for name, records := range pending {
		err := crash.Catch(func() error {
			switch {
			case records == nil && s.shared:
				return nil
			case records == nil:
				return os.Rename(s.file(name), s.file(name)+setAside)
			}
			return s.ReplaceFile(s.file(name), func(file io.Writer) error { return encode(file, name, records) })
		})
		if err != nil {
			failed = fmt.Errorf("writing %s: %w", s.file(name), err)
			continue
		}
		delete(pending, name)
	}
	s.mu.Lock()
	maps.Copy(pending, s.pending)
	s.pending, s.began = pending, time.Time{}
	s.mu.Unlock()
	s.note(failed)
	return failed
}

func (s *Store) file(name string) string { return filepath.Join(s.Path, name+extension) }

// note records how writing went: one log line when it begins to fail, one when it works again.
func (s *Store) note(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	failed := s.err != nil
	if s.err = err; err == nil {
		s.lastWrite = time.Now()
		if failed {
			level.Info(s.logger).Log("msg", "Storage is writable again", "path", s.Path)
		}
		return
	}
	s.failures.Inc()
	if !failed {
		level.Warn(s.logger).Log("msg", "Failed to write to storage, latest state is not persisted", "path", s.Path, "err", err)
	}
}

// Status returns how the directory is doing, nil without a store.
func (s *Store) Status() *Status {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return &Status{s.Path, s.lastWrite, s.err}
}

// Close waits up to 5 s for what is still to be written, and releases the directory. What is saved afterwards is not written.
func (s *Store) Close() {
	limit, cancel := context.WithTimeout(context.Background(), closeLimit)
	defer cancel()
	_ = s.useDisk(limit, func() error { return errors.Join(s.flush(), s.lock.Close()) }) // Failures are reported already.
	if limit.Err() != nil {
		level.Warn(s.logger).Log("msg", "Storage did not respond in time, latest state is not persisted", "path", s.Path)
	}
}
