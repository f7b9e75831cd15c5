package ycmtest

import (
	"slices"
	"sync"
	"time"
)

// fleet is the list of PBXs. A PBX that nobody has changed is not stored: it is what the world makes of its id, so
// 100,000 PBXs cost 8 bytes each, and a page costs what its records cost.
type fleet struct {
	world world

	mu       sync.RWMutex
	ids      []int64         // ascending
	last     int64           // the highest id ever given, 0 before the first
	born     map[int64]int64 // when those were created that came after the start, unix seconds
	changed  map[int64]PBX   // those that hold still as somebody left them
	revision uint64          // counts the changes
}

func newFleet(w world) *fleet {
	f := &fleet{
		world: w, ids: make([]int64, w.size),
		born: make(map[int64]int64), changed: make(map[int64]PBX),
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
	return f.world.pbx(id, f.born[id], f.world.moment(now))
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

// find returns a PBX by what the world made of its id, or what a change made of it.
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

// page returns the records from offset on, at most size of them, and how many there are in all. Ids and creation
// times rise together, so one order serves both sorts.
func (f *fleet) page(offset, size int, descending bool, search string) (page []PBX, total int) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	now := time.Now()
	ids := f.ids
	if search != "" {
		ids = f.named(search)
	}
	end := min(offset+size, len(ids))
	page = make([]PBX, 0, max(0, end-offset))
	for i := offset; i < end; i++ {
		id := ids[i]
		if descending {
			id = ids[len(ids)-1-i]
		}
		page = append(page, f.at(id, now))
	}
	return page, len(ids)
}

// list returns the ids of the PBXs that match a search, without those that are left out.
func (f *fleet) list(search string, leaveOut func(id int64) bool) []int64 {
	f.mu.RLock()
	defer f.mu.RUnlock()
	ids := f.ids
	if search != "" {
		ids = f.named(search)
	}
	ids = slices.Clone(ids)
	if leaveOut != nil {
		ids = slices.DeleteFunc(ids, leaveOut)
	}
	return ids
}

// add makes the next PBX, with edit's changes if edit is not nil.
func (f *fleet) add(edit func(*PBX)) PBX {
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
	f.born[p.ID] = now.Unix()
	f.ids = append(f.ids, p.ID)
	f.revision++
	return p
}

func (f *fleet) update(id int64, edit func(*PBX)) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := slices.BinarySearch(f.ids, id); !ok {
		return false
	}
	p := f.at(id, time.Now()).clone()
	edit(&p)
	p.ID = id
	f.changed[id] = p.clone()
	f.revision++
	return true
}

func (f *fleet) remove(id int64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	place, ok := slices.BinarySearch(f.ids, id)
	if ok {
		f.removeAt(place)
	}
	return ok
}

// removeAt removes a PBX by its place, with f.mu held. Moving the ids behind it is quick: they are 8 bytes each.
func (f *fleet) removeAt(place int) {
	id := f.ids[place]
	f.ids = slices.Delete(f.ids, place, place+1)
	delete(f.changed, id)
	delete(f.born, id)
	f.revision++
}

func (f *fleet) release(id int64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, ok := slices.BinarySearch(f.ids, id)
	delete(f.changed, id)
	f.revision++
	return ok
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

// PBXs returns the whole fleet as it is now, by ascending id.
func (s *Server) PBXs() []PBX {
	page, _ := s.fleet.page(0, s.Len(), false, "")
	for i := range page {
		page[i] = page[i].clone()
	}
	return page
}

// Add creates a PBX. Its id is the next one, or a higher one if edit sets ID; edit may be nil and must not call the
// server. A PBX that was made with edit holds still in a live fleet.
func (s *Server) Add(edit func(*PBX)) PBX { return s.fleet.add(edit) }

// Update changes a PBX and tells whether there is one. The PBX holds still from then on in a live fleet, until
// Release. The edit must not call the server and cannot change the ID.
func (s *Server) Update(id int64, edit func(*PBX)) bool { return s.fleet.update(id, edit) }

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

// Release gives a changed PBX back to the seed and to the life of a live fleet, and tells whether there is one.
func (s *Server) Release(id int64) bool { return s.fleet.release(id) }

// Delete removes a PBX and tells whether there was one.
func (s *Server) Delete(id int64) bool { return s.fleet.remove(id) }
