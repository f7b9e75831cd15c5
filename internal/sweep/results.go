package sweep

import (
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/crash"
	"github.com/ycm-exporter/ycm_exporter/internal/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// Record is a PBX with the newest that it said.
type Record[R any] struct {
	ID           int64 // 0 if YCM's list does not have the PBX
	Name, Region string
	Value        R
}

// record sorts what came of asking a PBX. Of a PBX that YCM did not pass a request on to, nothing is known. That a PBX
// did not answer through YCM is confirmed once YCM is known to serve.
func (s *Sweep[R]) record(a answer[R], targets *Targets) {
	a.route.flying--
	if c := (*crash.Crash)(nil); errors.As(a.err, &c) {
		panic(c)
	}
	s.Asked(a.Target, &a.value, a.err)
	if a.lost(a.err) {
		a.route.refused(a.id, a.err, targets.size(false), s.Interval)
		return
	}
	a.route.answered()
	switch {
	case a.route.direct:
		s.keep(a)
	case yeastar.ReachOf(a.err) == yeastar.NoAnswer && !aboutPBX(a.err):
		s.unconfirmed = append(s.unconfirmed, a)
	default:
		a.route.passedOn()
		s.keep(append(s.unconfirmed, a)...)
		s.unconfirmed = s.unconfirmed[:0]
	}
}

func (s *Sweep[R]) keep(answers ...answer[R]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range answers {
		if delete(s.lacking, a.id); pbxclient.Lacks(a.err) && a.Version != "" && !s.learned(a.err) {
			s.lacking[a.id] = a.Version
		}
		if s.learned(a.err) && s.results[a.id].at <= a.at {
			s.results[a.id] = a.result
		}
	}
}

// lacks reports whether the PBX's firmware is known not to have what is asked for.
func (s *Sweep[R]) lacks(t Target) bool { return t.Version != "" && s.lacking[t.id] == t.Version }

// settle decides on what is unconfirmed and older than the last poll of the list: it was YCM's fault if that failed
// too.
func (s *Sweep[R]) settle() {
	if len(s.unconfirmed) == 0 {
		return
	}
	listed, succeeded := s.Fleet.list.LastPoll() // There is a list: without one, nobody is asked through YCM.
	s.unconfirmed = slices.DeleteFunc(s.unconfirmed, func(a answer[R]) bool {
		decided := s.allAtOnce || !listed.Before(s.epoch.Add(a.at))
		if decided && succeeded {
			s.keep(a)
		}
		return decided
	})
}

// records is the newest result of each PBX that can be asked, unless that is older than stale_after and than two
// sweeps. What is too old, or of others, is forgotten.
func (s *Sweep[R]) records(targets *Targets) []Record[R] {
	s.settle()
	oldest := time.Since(s.epoch) - max(s.StaleAfter, 2*max(s.direct.Took, s.direct.Came, s.proxied.Took, s.proxied.Came))
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.results, func(id int64, known result[R]) bool {
		_, ok := targets.find(id)
		return !ok || known.at < oldest
	})
	maps.DeleteFunc(s.lacking, func(id int64, version string) bool {
		i, ok := targets.placeOfListed(id)
		return !ok || targets.pbxs()[i].Version != version
	})
	records := make([]Record[R], 0, len(s.results))
	for t := range targets.all() {
		if known, ok := s.results[t.id]; ok {
			records = append(records, Record[R]{t.ID(), t.Name, t.Region, known.value})
		}
	}
	return records
}

// Reading is what a sweep knows, as it outlives the sweep itself: encoding/json can write it and read it back.
type Reading[R any] struct {
	Results         []Result[R]
	Direct, Proxied Position
	Lacking         map[int64]string // firmware versions that do not have what is asked for, by the ids of PBXs that have them
}

// Result is what a PBX said, and when.
type Result[R any] struct {
	ID    int64  // 0 if YCM's list does not have the PBX
	Host  string `json:",omitempty"` // then this is its host
	At    time.Time
	Value R
}

// Reading returns what is known. It may be called while the sweep runs.
func (s *Sweep[R]) Reading() *Reading[R] {
	s.mu.Lock()
	defer s.mu.Unlock()
	reading := &Reading[R]{Results: make([]Result[R], 0, len(s.results)), Direct: s.positions[0], Proxied: s.positions[1], Lacking: maps.Clone(s.lacking)}
	for id, known := range s.results {
		r := Result[R]{ID: max(0, id), At: s.epoch.Add(known.at), Value: known.value}
		if id < 0 {
			r.Host = s.Fleet.hostOf(id)
		}
		reading.Results = append(reading.Results, r)
	}
	return reading
}

func (s *Sweep[R]) keepPositions() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.positions = [2]Position{s.direct.Position, s.proxied.Position}
}

// Restore goes on where a sweep left off that has ended. PBXs whose answers that still awaited are left out of the
// sweep under way. It returns what is known then; before there are targets that is nothing.
func (s *Sweep[R]) Restore(reading *Reading[R]) []Record[R] {
	s.direct.Position, s.proxied.Position = reading.Direct.sane(s.Interval), reading.Proxied.sane(s.Interval)
	s.keepPositions()
	s.mu.Lock()
	maps.Copy(s.lacking, reading.Lacking)
	for _, r := range reading.Results {
		id := r.ID
		if id <= 0 {
			id = s.Fleet.idOfHost(r.Host)
		}
		s.results[id] = result[R]{r.Value, min(r.At.Sub(s.epoch), time.Since(s.epoch))}
	}
	s.mu.Unlock()
	targets, err := s.Fleet.Targets()
	if err != nil {
		return nil
	}
	return s.records(targets)
}
