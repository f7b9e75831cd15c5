package ycmtest

import (
	"slices"
	"sync"
	"time"
)

// fleet is the list of PBXs. Only changed PBXs are stored: the others are made of their ids, so 100,000 PBXs take 8 bytes each.
type fleet struct {
	world world

	mu      sync.RWMutex
	ids     []int64         // ascending; never changed in place
	last    int64           // the highest id ever given, 0 before the first
	created map[int64]int64 // when those were created that did not exist at the start, unix seconds
	changed map[int64]PBX   // do not change by themselves
}

func newFleet(w world) *fleet {
	f := &fleet{
		world: w, ids: make([]int64, w.size),
		created: make(map[int64]int64), changed: make(map[int64]PBX),
	}
	for n := range f.ids {
		f.ids[n] = w.id(int64(n))
		f.last = f.ids[n]
	}
	return f
}

// at makes the PBX with an id as it is at a moment, with f.mu held.
func (f *fleet) at(id int64, now time.Time) PBX {
	if p, ok := f.changed[id]; ok {
		return p
	}
	return f.world.pbx(id, f.created[id], f.world.moment(now))
}

// get returns a PBX of the fleet.
func (f *fleet) get(id int64) (PBX, bool) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if _, ok := slices.BinarySearch(f.ids, id); !ok {
		return PBX{}, false
	}
	return f.at(id, time.Now()), true
}

// find returns a PBX by a property: guess is its id if the property was never changed.
func (f *fleet) find(guess int64, is func(PBX) bool) (PBX, bool) {
	if p, ok := f.get(guess); ok && is(p) {
		return p, true
	}
	f.mu.RLock()
	defer f.mu.RUnlock()
	for _, p := range f.changed {
		if is(p) {
			return p, true
		}
	}
	return PBX{}, false
}

// list returns the ids of the PBXs that match a search; they must not be changed. Ids and creation times rise together, so one order serves both sorts.
func (f *fleet) list(search string) []int64 {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if search != "" {
		return f.named(search)
	}
	return f.ids
}

// Len is the size of the fleet.
func (s *Server) Len() int {
	s.fleet.mu.RLock()
	defer s.fleet.mu.RUnlock()
	return len(s.fleet.ids)
}

// IDs returns the ids of the fleet, ascending.
func (s *Server) IDs() []int64 {
	s.fleet.mu.RLock()
	defer s.fleet.mu.RUnlock()
	return slices.Clone(s.fleet.ids)
}

// PBX returns a PBX as it is now.
func (s *Server) PBX(id int64) (PBX, bool) {
	p, ok := s.fleet.get(id)
	return p.clone(), ok
}

// PBXs returns the complete fleet as it is now, by ascending id.
func (s *Server) PBXs() []PBX {
	s.fleet.mu.RLock()
	defer s.fleet.mu.RUnlock()
	pbxs, now := make([]PBX, len(s.fleet.ids)), time.Now()
	for i, id := range s.fleet.ids {
		pbxs[i] = s.fleet.at(id, now).clone()
	}
	return pbxs
}

// Add creates a PBX. Its id is the next one, or a higher one if edit sets ID; edit may be nil and must not call the server. A
// PBX that was made with edit does not change in a live fleet.
func (s *Server) Add(edit func(*PBX)) PBX {
	f := s.fleet
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	id := f.world.idAfter(f.last)
	p := f.world.pbx(id, now.Unix(), f.world.moment(now))
	if edit != nil {
		edit(&p)
		if p.ID <= f.last {
			p.ID = id
		}
		f.changed[p.ID] = p.clone()
	}
	f.last = p.ID
	f.created[p.ID] = now.Unix()
	f.ids = append(f.ids, p.ID)
	return p
}

// Update changes a PBX and reports whether it exists. In a live fleet it then does not change by itself until Release. The
// edit must not call the server and cannot change the ID.
func (s *Server) Update(id int64, edit func(*PBX)) bool {
	f := s.fleet
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := slices.BinarySearch(f.ids, id); !ok {
		return false
	}
	p := f.at(id, time.Now()).clone()
	edit(&p)
	p.ID = id
	f.changed[id] = p.clone()
	return true
}

// UpdateAll changes every PBX, as Update does.
func (s *Server) UpdateAll(edit func(*PBX)) {
	for _, id := range s.IDs() {
		s.Update(id, edit)
	}
}

// SetStatus changes the status of a PBX alone: its calls and counts stay as they were, as in the vendor's example.
func (s *Server) SetStatus(id int64, status string) bool {
	return s.Update(id, func(p *PBX) { p.Status = status })
}

// Release lets a changed PBX be again as the seed, and the time of a live fleet, make it. It reports whether the PBX exists.
func (s *Server) Release(id int64) bool {
	s.fleet.mu.Lock()
	defer s.fleet.mu.Unlock()
	_, ok := slices.BinarySearch(s.fleet.ids, id)
	delete(s.fleet.changed, id)
	return ok
}

// Delete removes a PBX and reports whether it existed.
func (s *Server) Delete(id int64) bool {
	s.fleet.mu.Lock()
	defer s.fleet.mu.Unlock()
	place, ok := slices.BinarySearch(s.fleet.ids, id)
	if ok {
		s.fleet.ids = slices.Concat(s.fleet.ids[:place], s.fleet.ids[place+1:])
		delete(s.fleet.changed, id)
		delete(s.fleet.created, id)
	}
	return ok
}
