package ycmtest

import "sync"

// totals are sums over the fleet, so that what the subscription and the users say agrees with the list.
type totals struct {
	all     sum
	byPlan  map[string]sum
	byOwner []sum // in the order of the users
}

type sum struct{ pbxs, extensions, calls, recording, ultimate int64 }

func (s *sum) add(p PBX) {
	s.pbxs++
	s.extensions += p.ExtensionCapacity
	s.calls += p.ConcurrentCallCapacity
	s.recording += p.RecordingCapacity
	if p.Plan != "Enterprise Plan" {
		s.ultimate++
	}
}

// totalsCache keeps the totals until the fleet changes. What was bought for a PBX does not change with time.
type totalsCache struct {
	mu       sync.Mutex
	known    bool
	revision uint64
	totals   totals
}

func (s *Server) fleetTotals() totals {
	s.totals.mu.Lock()
	defer s.totals.mu.Unlock()
	s.fleet.mu.RLock()
	defer s.fleet.mu.RUnlock()
	if !s.totals.known || s.totals.revision != s.fleet.revision {
		s.totals.known, s.totals.revision, s.totals.totals = true, s.fleet.revision, s.fleet.sum()
	}
	return s.totals.totals
}

// sum adds up the fleet, with f.mu held.
func (f *fleet) sum() totals {
	t := totals{byPlan: make(map[string]sum), byOwner: make([]sum, max(f.world.users, 0))}
	for _, id := range f.ids {
		n := f.world.ordinal(id)
		p, ok := f.changed[id]
		if !ok {
			f.world.sell(&p, n)
		}
		t.all.add(p)
		plan := t.byPlan[p.Plan]
		plan.add(p)
		t.byPlan[p.Plan] = plan
		if len(t.byOwner) > 0 {
			t.byOwner[f.world.owner(n)].add(p)
		}
	}
	return t
}
