package sweep

import (
	"maps"
	"slices"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// Record is a PBX with its newest result.
type Record[R any] struct {
	ID           int64 // 0 if YCM's list does not contain the PBX.
	Name, Region string
	Value        R
}

// keep stores a result that is newer than the known one. A failure of YCM to forward the request is none.
func (s *Sweep[R]) keep(o outcome[R]) {
	isResult := o.err == nil || s.KeepFailures && yeastar.ReachOf(o.err) != yeastar.NotSent
	if known := s.states[o.key]; isResult && known.at <= o.at {
		known.value, known.at = o.value, o.at
		s.states[o.key] = known
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
	maps.DeleteFunc(s.states, func(k key, _ state[R]) bool {
		_, there := targets.find(k)
		return !there
	})
	records := make([]Record[R], 0, len(s.states))
	for _, t := range targets.all {
		known, there := s.states[t.key]
		switch {
		case !there || known.at == 0:
		case known.at < oldest:
			s.states[t.key] = state[R]{polled: known.polled}
		default:
			r := Record[R]{ID: t.id, Name: t.Name(), Value: known.value}
			if t.listed != nil {
				r.Region = t.listed.Region
			}
			records = append(records, r)
		}
	}
	return records
}

// Result is the newest result of a PBX, which persists across reloads and restarts.
type Result[R any] struct {
	ID    int64  // 0 if YCM's list does not contain the PBX,
	Host  string `json:",omitempty"` // which then has this host.
	At    time.Time
	Value R
}

// Results may be called while the sweep runs.
func (s *Sweep[R]) Results() []Result[R] {
	s.mu.Lock()
	defer s.mu.Unlock()
	results := make([]Result[R], 0, len(s.states))
	for k, known := range s.states {
		if known.at != 0 {
			results = append(results, Result[R]{k.id, k.host, s.epoch.Add(known.at), known.value})
		}
	}
	return results
}

// Restore takes over the results of a sweep that has ended, before the first Run, and returns the records. Before the
// first list there are none.
func (s *Sweep[R]) Restore(results []Result[R]) []Record[R] {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range results {
		// A result from the future is due to a clock that was set back.
		if at := min(r.At.Sub(s.epoch), time.Since(s.epoch)); at > 0 {
			s.states[key{r.ID, r.Host}] = state[R]{value: r.Value, at: at, polled: at}
		}
	}
	targets, err := s.Fleet.Targets()
	if err != nil {
		return nil
	}
	return s.records(targets)
}
