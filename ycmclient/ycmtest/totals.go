package ycmtest

// totals are sums over the fleet, so that the subscription and the users agree with the list.
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

// sum adds up the fleet.
func (f *fleet) sum() totals {
	f.mu.RLock()
	defer f.mu.RUnlock()
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
