package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"strings"
	"sync"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/ycm-exporter/ycm_exporter/collector"
	"github.com/ycm-exporter/ycm_exporter/internal/config"
	"github.com/ycm-exporter/ycm_exporter/internal/poll"
	"github.com/ycm-exporter/ycm_exporter/internal/storage"
	"github.com/ycm-exporter/ycm_exporter/internal/web"
)

// memory is what outlives the process, in a folder. What cannot be written is told once, and counted; what cannot be read
// is set aside.
type memory struct {
	folder   *storage.Folder
	path     string
	logger   log.Logger
	failures prometheus.Counter
	boot     string // of the system

	mu        sync.Mutex
	known     map[string]bool // files that somebody asked for or wrote
	lastWrite time.Time
	failed    map[string]error // of files, the last write's
	cells     map[string]*storage.Cell
	busy      map[string]bool // files that are being read or written
}

func openMemory(ctx context.Context, path string, registry prometheus.Registerer, logger log.Logger) (*memory, error) {
	folder, err := storage.Open(ctx, path)
	if err != nil {
		return nil, err
	}
	return newMemory(folder, path, registry, logger), nil
}

func newMemory(folder *storage.Folder, path string, registry prometheus.Registerer, logger log.Logger) *memory {
	return &memory{
		folder: folder, path: path, logger: log.With(logger, "component", "storage"),
		failures: promauto.With(registry).NewCounter(prometheus.CounterOpts{
			Name: "ycm_exporter_storage_write_failures_total",
			Help: "Writes to the folder of --storage.path that failed; what they were to keep does not outlive a restart.",
		}),
		boot: bootID(), known: map[string]bool{}, failed: map[string]error{}, cells: map[string]*storage.Cell{},
		busy: map[string]bool{},
	}
}

// close frees the folder. It comes after the last request.
func (m *memory) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, cell := range m.cells {
		_ = cell.Close() // All that was written is the system's already.
	}
	if err := m.folder.Close(); err != nil {
		level.Warn(m.logger).Log("msg", "The storage folder could not be left in order", "err", err)
	}
}

// fileOf names the file of something that belongs to what the keys say. It does not show them.
func fileOf(kind string, keys ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(keys, "\x00")))
	return kind + "-" + hex.EncodeToString(sum[:8])
}

// read hands what was kept to decode, and reports whether there was something that could be used; else what it was
// decoded to must not be looked at.
func (m *memory) read(name string, decode func(*json.Decoder) error) bool {
	m.mu.Lock()
	m.known[name] = true
	m.mu.Unlock()
	err := m.within(largePatience, name, func() error {
		return m.folder.Read(name, func(_ int, records *json.Decoder) error { return decode(records) })
	}, nil)
	switch {
	case err == nil:
		return true
	case errors.Is(err, fs.ErrNotExist):
	case errors.Is(err, storage.ErrDamaged):
		m.setAside(name, err)
	default:
		level.Warn(m.logger).Log("msg", "What was kept over the restart cannot be read, so nothing is known of it", "err", err)
	}
	return false
}

func (m *memory) write(patience time.Duration, name string, encode func(*json.Encoder) error) {
	m.change(patience, name, func() error { return m.folder.Write(name, encode) })
}

// change changes a file, and notes what became of that.
func (m *memory) change(patience time.Duration, name string, do func() error) {
	m.wrote(name, m.within(patience, name, do, func(err error) { m.wrote(name, err) }))
}

// wrote notes what became of a write.
func (m *memory) wrote(name string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.known[name] = true
	failing := len(m.failed) > 0
	if err != nil {
		m.failures.Inc()
		m.failed[name] = err
		if !failing {
			level.Error(m.logger).Log("msg", "The storage folder cannot be written; what is learned from now on does not outlive a restart", "err", err)
		}
		return
	}
	m.lastWrite = time.Now()
	delete(m.failed, name)
	if failing && len(m.failed) == 0 {
		level.Info(m.logger).Log("msg", "The storage folder can be written again")
	}
}

// setAside puts a file that is of no use out of the way.
func (m *memory) setAside(name string, why error) {
	var aside string
	err := m.within(smallPatience, name, func() (err error) {
		aside, err = m.folder.SetAside(name)
		return err
	}, nil)
	if err != nil {
		level.Error(m.logger).Log("msg", "A file that is of no use cannot be set aside", "err", err, "why", why)
		return
	}
	level.Warn(m.logger).Log("msg", "A file was set aside and is not used", "file", aside, "why", why)
}

var errNobody = errors.New("it is of an account or a collector that is not configured")

// setAsideOthers sets the files aside that nobody has asked for.
func (m *memory) setAsideOthers() {
	names, err := m.folder.Names()
	if err != nil {
		level.Warn(m.logger).Log("msg", "Files that are of no use could not be looked for", "err", err)
	}
	for _, name := range names {
		m.mu.Lock()
		known := m.known[name]
		m.mu.Unlock()
		if !known {
			m.setAside(name, errNobody)
		}
	}
}

// status is what the status page says of the folder.
func (m *memory) status() web.StorageStatus {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := web.StorageStatus{Path: m.path, LastWrite: m.lastWrite}
	for _, err := range m.failed {
		s.Err = err.Error()
	}
	return s
}

// Storage implements web.Storer.
func (e *exporter) Storage() (web.StorageStatus, bool) {
	if e.memory == nil {
		return web.StorageStatus{}, false
	}
	return e.memory.status(), true
}

// fleetMemory is what outlives the process of one fleet.
type fleetMemory struct {
	*memory
	fleet fleet
}

func (m *memory) of(c config.Account) poll.Keeper {
	return fleetMemory{m, fleetOf(c)}
}

func (m fleetMemory) file(collector string) string {
	return fileOf(collector, m.fleet.baseURL, m.fleet.clientID, m.fleet.search)
}

// Keep implements poll.Keeper.
func (m fleetMemory) Keep(name string, what poll.Memory) {
	m.write(largePatience, m.file(name), func(to *json.Encoder) error {
		if err := to.Encode(what); err != nil {
			return err
		}
		return collector.WriteReading(to, what.Reading)
	})
}

// Recall implements poll.Keeper.
func (m fleetMemory) Recall(name string, reading any) (poll.Memory, bool) {
	var what poll.Memory
	ok := m.read(m.file(name), func(from *json.Decoder) error {
		if err := from.Decode(&what); err != nil {
			return err
		}
		return collector.ReadReading(from, reading)
	})
	if !ok {
		return poll.Memory{}, false
	}
	what.Reading = reading
	return what, true
}

// Refuse implements poll.Keeper.
func (m fleetMemory) Refuse(name string, why error) { m.setAside(m.file(name), why) }
