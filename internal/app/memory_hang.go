package app

import (
	"errors"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/crash"
)

// How long a disk may take. Budgets and logins are written with locks held that scrapes need, too.
const (
	smallPatience = 2 * time.Second
	largePatience = 30 * time.Second
)

var errHangs = errors.New("the storage folder hangs; look whether its disk or its network mount answers")

// within does something with a file, and gives it up if that takes longer than patience: a disk that hangs must stop
// neither polls nor scrapes. What was given up goes on by itself, and until it has ended nothing else is done with that
// file. late, if not nil, is told then how it ended.
func (m *memory) within(patience time.Duration, name string, do func() error, late func(error)) error {
	m.mu.Lock()
	if m.busy[name] {
		m.mu.Unlock()
		return errHangs
	}
	m.busy[name] = true
	m.mu.Unlock()
	var (
		ended   = make(chan struct{})
		err     error
		givenUp bool // Of both m.mu decides which was first.
	)
	go func() {
		result := crash.Catch(do)
		m.mu.Lock()
		delete(m.busy, name)
		err = result
		tell := givenUp && late != nil
		close(ended)
		m.mu.Unlock()
		if tell {
			late(result)
		}
	}()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-ended:
		return err
	case <-timer.C:
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	select {
	case <-ended:
		return err
	default:
		givenUp = true
		return errHangs
	}
}
