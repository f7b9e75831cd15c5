package sweep

import (
	"cmp"
	"iter"
	"math"
	"slices"
	"strings"

	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// Targets is the PBXs that can be asked: each Running one of a list, and those that are spoken to directly and that
// the list does not have. It does not change once made.
type Targets struct {
	list    *ycmclient.List // nil when the list is switched off
	direct  []Target        // spoken to directly, by id
	proxied int             // how many there are besides
}

// beforeAll is below every id.
const beforeAll = math.MinInt64

// newTargets matches the list's PBXs by their hosts with those that are spoken to directly. Of several of these with
// one host, the first that can be told from the others counts.
func newTargets(list *ycmclient.List, direct []*Direct) *Targets {
	t := &Targets{list: list}
	byName := map[string]*Direct{}
	for _, d := range slices.Backward(direct) {
		byName[d.name] = d
	}
	listed := map[string]bool{}
	for i := range t.pbxs() {
		p := &t.pbxs()[i]
		var d *Direct
		if len(direct) > 0 {
			if d = byName[hostOf(p.URL)]; d != nil && listed[d.name] {
				d = nil
			} else if d != nil {
				listed[d.name] = true
			}
		}
		switch {
		case p.Status != ycmclient.Running:
		case d != nil:
			t.direct = append(t.direct, targetOf(p, d))
		default:
			t.proxied++
		}
	}
	unlisted := map[string]bool{}
	for i, d := range direct {
		if !listed[d.name] && !unlisted[d.host] {
			unlisted[d.host] = true
			t.direct = append(t.direct, Target{id: idOf(i), Name: d.host, direct: d})
		}
	}
	slices.SortFunc(t.direct, byID)
	return t
}

// idOf is the id of the direct PBX with that index, if the list does not have it.
func idOf(index int) int64 { return int64(-1 - index) }

func targetOf(p *ycmclient.CloudPBX, d *Direct) Target {
	return Target{Name: p.Name, Region: p.Region, Version: p.Version, Listed: p, id: p.ID, sn: p.SN, direct: d}
}

// hostOf is the host of a URL in YCM's list, which has no scheme, as far as the vendor says.
func hostOf(url string) string {
	if _, rest, found := strings.Cut(url, "://"); found {
		url = rest
	}
	if end := strings.IndexAny(url, "/:?#"); end >= 0 {
		url = url[:end]
	}
	return strings.ToLower(strings.TrimSpace(url))
}

func byID(a, b Target) int { return cmp.Compare(a.id, b.id) }

func (t *Targets) pbxs() []ycmclient.CloudPBX {
	if t.list == nil {
		return nil
	}
	return t.list.PBXs
}

// size is how many PBXs are asked directly, or through YCM.
func (t *Targets) size(direct bool) int {
	if direct {
		return len(t.direct)
	}
	return t.proxied
}

// after finds the PBX with the next id of those that are asked directly, or through YCM.
func (t *Targets) after(id int64, direct bool) (Target, bool) {
	if direct {
		i, found := t.placeOfDirect(id)
		if found {
			i++
		}
		if i == len(t.direct) {
			return Target{}, false
		}
		return t.direct[i], true
	}
	i, found := t.placeOfListed(id)
	if found {
		i++
	}
	for ; i < len(t.pbxs()); i++ {
		p := &t.pbxs()[i]
		if _, direct := t.placeOfDirect(p.ID); p.Status == ycmclient.Running && !direct {
			return targetOf(p, nil), true
		}
	}
	return Target{}, false
}

// find finds a PBX by its id, if it can be asked.
func (t *Targets) find(id int64) (Target, bool) {
	if i, ok := t.placeOfDirect(id); ok {
		return t.direct[i], true
	}
	i, ok := t.placeOfListed(id)
	if !ok || t.pbxs()[i].Status != ycmclient.Running {
		return Target{}, false
	}
	return targetOf(&t.pbxs()[i], nil), true
}

func (t *Targets) placeOfDirect(id int64) (int, bool) {
	return slices.BinarySearchFunc(t.direct, id, func(t Target, id int64) int { return cmp.Compare(t.id, id) })
}

func (t *Targets) placeOfListed(id int64) (int, bool) {
	return slices.BinarySearchFunc(t.pbxs(), id, func(p ycmclient.CloudPBX, id int64) int { return cmp.Compare(p.ID, id) })
}

// unlisted is the PBXs that the list does not have, by name.
func (t *Targets) unlisted() []Target {
	var all []Target
	for _, one := range t.direct {
		if one.ID() == 0 {
			all = append(all, one)
		}
	}
	slices.SortFunc(all, func(a, b Target) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// all yields each PBX that can be asked: those that the list does not have by name, then the others by id.
func (t *Targets) all() iter.Seq[Target] {
	return func(yield func(Target) bool) {
		for _, one := range t.unlisted() {
			if !yield(one) {
				return
			}
		}
		for i := range t.pbxs() {
			if one, ok := t.find(t.pbxs()[i].ID); ok && !yield(one) {
				return
			}
		}
	}
}
