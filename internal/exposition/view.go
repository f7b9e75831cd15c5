package exposition

import (
	"cmp"
	"slices"
	"time"
)

// A published is a snapshot with its owner and its end. It is immutable.
type published struct {
	account, collector string
	expires            time.Time
	*snapshot
}

func (p *published) expired(now time.Time) bool { return !now.Before(p.expires) }

// A view is all that is published at one time. It is immutable.
type view struct {
	published []*published // sorted by account and collector
	groups    []group      // sorted by name
	samples   int
}

// A group is a family with the snapshots that have it, ordered by account. As the first label is the account, that is
// the order of the samples too.
type group struct {
	Family
	members []member
}

type member struct{ published, family int } // indices

func newView(list []*published) *view {
	slices.SortFunc(list, func(a, b *published) int {
		return cmp.Or(cmp.Compare(a.account, b.account), cmp.Compare(a.collector, b.collector))
	})
	v := &view{published: list}
	index := map[string]int{}
	for n, p := range list {
		v.samples += p.samples
		for i, f := range p.families {
			at, found := index[f.Name]
			if !found {
				at = len(v.groups)
				index[f.Name] = at
				v.groups = append(v.groups, group{Family: f})
			}
			v.groups[at].members = append(v.groups[at].members, member{published: n, family: i})
		}
	}
	slices.SortFunc(v.groups, func(a, b group) int { return cmp.Compare(a.Name, b.Name) })
	return v
}

// find returns what is published of an account's collector, or nil.
func (v *view) find(account, collector string) *published {
	for _, p := range v.published {
		if p.account == account && p.collector == collector {
			return p
		}
	}
	return nil
}
