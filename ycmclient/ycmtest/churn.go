package ycmtest

// Churn is how the fleet changes with each request for a page of the list, just before it is answered: the worst
// that creating and deleting PBXs elsewhere can do to a reader.
type Churn struct {
	Delete int  // PBXs that vanish, each of them chosen by the seed
	First  bool // those with the lowest ids vanish instead, which moves every later page
	Insert int  // PBXs that are created
}

// SetChurn changes the churn from the next page on.
func (s *Server) SetChurn(c Churn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.churn = c
}

func (s *Server) stir() {
	s.mu.Lock()
	c := s.churn
	s.mu.Unlock()
	for range c.Delete {
		s.fleet.removeAny(c.First)
	}
	for range c.Insert {
		s.fleet.add(nil)
	}
}

// removeAny removes the first PBX of the fleet, or one that the seed chooses.
func (f *fleet) removeAny(first bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.ids) == 0 {
		return
	}
	place := int64(0)
	if !first {
		place = f.world.below(int64(len(f.ids)), aboutChurn, int64(f.revision))
	}
	f.removeAt(int(place))
}
