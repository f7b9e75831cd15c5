package app

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"strings"
	"time"

	"github.com/go-kit/log/level"

	"github.com/ycm-exporter/ycm_exporter/internal/storage"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// A memory is a ycmclient.Store: budgets stand in cells, because they change with each request, logins in files.
var _ ycmclient.Store = (*memory)(nil)

// keptLevel is what stands in a budget's cell.
type keptLevel struct {
	Boot  string          `json:"boot"` // of the system
	Level ycmclient.Level `json:"level"`
}

var errRestarted = errors.New("the system was started since, and may have lost what was written last")

// usedUp is the level of a budget that may have been used to any extent a moment ago.
func usedUp() ycmclient.Level { return ycmclient.Level{Taken: math.MaxInt, Sent: time.Now()} }

// bootID tells one run of the system from the next, as Linux counts them; elsewhere it is empty.
func bootID() string {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(id))
}

// Budget implements ycmclient.Store. A cell that the system itself may have lost writes of says nothing, so the budget is
// taken as used up: that costs one interval, and believing it might cost a refusal.
func (m *memory) Budget(baseURL, clientID string) (ycmclient.Level, bool) {
	name := fileOf("budget", baseURL, clientID)
	cell, value, err := m.cell(name)
	var kept keptLevel
	if err == nil && value != nil {
		if err = json.Unmarshal(value, &kept); err == nil && kept.Boot != m.boot {
			err = errRestarted
		}
	}
	switch {
	case err != nil:
		level.Warn(m.logger).Log("msg", "What is left of a budget is not known, so it is taken as used up", "base_url", baseURL, "err", err)
		return usedUp(), true
	case cell == nil || value == nil:
		return ycmclient.Level{}, false
	default:
		return kept.Level, true
	}
}

// SaveBudget implements ycmclient.Store. For one budget it is called again only when it has returned.
func (m *memory) SaveBudget(baseURL, clientID string, l ycmclient.Level) {
	name := fileOf("budget", baseURL, clientID)
	m.mu.Lock()
	cell := m.cells[name]
	m.mu.Unlock()
	if cell == nil {
		return // It could not be opened, which was told.
	}
	m.change(smallPatience, name, func() error {
		value, err := json.Marshal(keptLevel{m.boot, l})
		if err != nil {
			return err
		}
		return cell.Write(value)
	})
}

// cell opens a cell for as long as the process lives.
func (m *memory) cell(name string) (*storage.Cell, []byte, error) {
	var (
		cell  *storage.Cell
		value []byte
	)
	m.mu.Lock()
	m.known[name] = true
	m.mu.Unlock()
	err := m.within(smallPatience, name, func() (err error) {
		cell, value, err = m.folder.Cell(name)
		return err
	}, func(error) {
		if cell != nil {
			_ = cell.Close() // Nothing was written to it.
		}
	})
	if errors.Is(err, errHangs) || cell == nil { // In this order: who gave up must not look at the cell.
		m.wrote(name, err)
		return nil, nil, err
	}
	m.mu.Lock()
	m.cells[name] = cell
	m.mu.Unlock()
	return cell, value, err
}

// Logins implements ycmclient.Store.
func (m *memory) Logins(baseURL string) (s yeastar.LoginState, ok bool) {
	ok = m.read(fileOf("logins", baseURL), func(from *json.Decoder) error { return from.Decode(&s) })
	if !ok {
		return yeastar.LoginState{}, false
	}
	return s, true
}

// SaveLogins implements ycmclient.Store.
func (m *memory) SaveLogins(baseURL string, s yeastar.LoginState) {
	m.write(smallPatience, fileOf("logins", baseURL), func(to *json.Encoder) error { return to.Encode(s) })
}
