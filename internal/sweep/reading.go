package sweep

import (
	"encoding/json"
	"fmt"
	"time"
)

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

// WriteRecords writes the number of results and then each as a JSON value of its own, which takes less memory.
func (r *Reading[R]) WriteRecords(to *json.Encoder) error {
	if err := to.Encode(len(r.Results)); err != nil {
		return err
	}
	for i := range r.Results {
		if err := to.Encode(&r.Results[i]); err != nil {
			return err
		}
	}
	return nil
}

// ReadRecords reads what WriteRecords has written. After an error the reading must not be used.
func (r *Reading[R]) ReadRecords(from *json.Decoder) error {
	var results int
	if err := from.Decode(&results); err != nil {
		return err
	}
	*r = Reading[R]{}
	for i := 0; i < results && from.More(); i++ {
		r.Results = append(r.Results, Result[R]{})
		if err := from.Decode(&r.Results[i]); err != nil {
			return err
		}
	}
	if len(r.Results) != results {
		return fmt.Errorf("there are %d results instead of %d", len(r.Results), results)
	}
	return nil
}
