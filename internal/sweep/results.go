package sweep

import (
	"maps"
	"slices"
	"time"
)

// Record is a PBX with its newest result.
type Record[R any] struct {
	ID           int64 // 0 if YCM's list does not contain the PBX.
	Name, Region string
	Value        R
}

// keep stores results that are newer than the known ones.
func (s *Sweep[R]) keep(outcomes ...outcome[R]) {
	for _, o := range outcomes {
		if known := s.states[o.id]; s.isResult(o.err) && known.at <= o.at {
			known.value, known.at = o.value, o.at
			s.states[o.id] = known
		}
	}
}

// settle decides on the PBXs that did not answer through YCM since the last poll of the list: if that failed too, the
// failure was YCM's.
func (s *Sweep[R]) settle() {
	if len(s.unconfirmed) == 0 {
		return
	}
	listed, succeeded := s.Fleet.list.LastPoll() // There is a list: without one, no PBX is polled through YCM.
	s.unconfirmed = slices.DeleteFunc(s.unconfirmed, func(o outcome[R]) bool {
		decided := s.allAtOnce || !listed.Before(s.epoch.Add(o.at))
		if decided && succeeded {
			s.keep(o)
		}
		return decided
	})
}

// records returns the newest result of each PBX that can be polled, unless it is older than StaleAfter and than two
// sweeps, and forgets the others.
func (s *Sweep[R]) records(targets *Targets) []Record[R] {
	oldest := time.Since(s.epoch) - max(s.StaleAfter, 2*max(s.direct.took, s.direct.came, s.proxied.took, s.proxied.came))
	maps.DeleteFunc(s.states, func(id int64, known state[R]) bool {
		_, there := targets.find(id)
		return !there
	})
	records := make([]Record[R], 0, len(s.states))
	add := func(t Target) {
		known, there := s.states[t.id]
		switch {
		case !there || known.at == 0:
		case known.at < oldest:
			s.states[t.id] = state[R]{polled: known.polled}
		default:
			r := Record[R]{ID: t.ID(), Name: t.Name(), Value: known.value}
			if t.listed != nil {
				r.Region = t.listed.Region
			}
			records = append(records, r)
		}
	}
	unlisted := targets.unlisted()
	for _, t := range unlisted {
		add(t)
	}
	for _, t := range targets.all[len(unlisted):] {
		add(t)
	}
	return records
}

// Reading is what a sweep persists across reloads and restarts.
type Reading[R any] struct{ Results []Result[R] }

// Result is the newest result of a PBX.
type Result[R any] struct {
	ID    int64  // 0 if YCM's list does not contain the PBX,
	Host  string `json:",omitempty"` // which then has this host.
	At    time.Time
	Value R
}

// Reading returns the results. It may be called while the sweep runs.
func (s *Sweep[R]) Reading() *Reading[R] {
	s.mu.Lock()
	defer s.mu.Unlock()
	reading := &Reading[R]{Results: make([]Result[R], 0, len(s.states))}
	for id, known := range s.states {
		if known.at == 0 {
			continue
		}
		r := Result[R]{ID: max(0, id), At: s.epoch.Add(known.at), Value: known.value}
		if id < 0 {
			r.Host = s.Fleet.hostOf(id)
		}
		reading.Results = append(reading.Results, r)
	}
	return reading
}

// Restore takes over the results of a sweep that has ended, before the first Run, and returns the records. Before the
// first list there are none.
func (s *Sweep[R]) Restore(reading *Reading[R]) []Record[R] {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range reading.Results {
		id := r.ID
		if id <= 0 {
			id = s.Fleet.idOfHost(r.Host)
		}
		// A result from the future is due to a clock that was set back.
		if at := min(r.At.Sub(s.epoch), time.Since(s.epoch)); id != 0 && at > 0 {
			s.states[id] = state[R]{value: r.Value, at: at, polled: at}
		}
	}
	targets, err := s.Fleet.Targets()
	if err != nil {
		return nil
	}
	return s.records(targets)
}
