package exposition

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// A published is a snapshot with what is told of it. It is immutable.
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
}

// A group is a family with the snapshots that have it, in the order of their accounts. As the first label is the
// account, that is the order of the samples too.
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
	groups := map[string]*group{}
	for n, p := range list {
		for i, f := range p.families {
			g := groups[f.Name]
			if g == nil {
				g = &group{Family: f}
				groups[f.Name] = g
			}
			g.members = append(g.members, member{published: n, family: i})
		}
	}
	for _, g := range groups {
		v.groups = append(v.groups, *g)
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

// has reports whether a family of that name is published.
func (v *view) has(name string) bool {
	_, found := slices.BinarySearchFunc(v.groups, name, func(g group, name string) int { return cmp.Compare(g.Name, name) })
	return found
}

// agree checks that each family of next is one group with those of the same name: defined alike, and from no other
// collector of the same account.
func agree(next *published, others []*published) error {
	for _, p := range others {
		for _, f := range next.families {
			i, found := slices.BinarySearchFunc(p.families, f.Name, func(f Family, name string) int { return cmp.Compare(f.Name, name) })
			switch {
			case !found:
			case p.account == next.account:
				return fmt.Errorf("family %s is published by collector %s already", f.Name, p.collector)
			case f.Help != p.families[i].Help || !slices.Equal(f.Labels, p.families[i].Labels):
				return fmt.Errorf("family %s differs in help or labels from that of account %s", f.Name, p.account)
			}
		}
	}
	return nil
}
