package collector

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/ycm-exporter/ycm_exporter/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
	"github.com/ycm-exporter/ycm_exporter/yeastar"
)

// directory knows which PBXs of an account can be asked, and how.
type directory struct {
	account  string
	ycm      pbxclient.Proxy
	known    *knowledge
	list     *job       // reads the list of PBXs; nil when that is switched off
	contacts []*contact // as configured

	mu     sync.Mutex
	latest *roster
}

// contact is a PBX that is spoken to directly.
type contact struct {
	host   string // of its URL, in lower case, with the port if it has one
	name   string // of its URL, in lower case, without a port: what YCM's list has
	client *pbxclient.Client
}

func newDirectory(o Options, known *knowledge, list *job) *directory {
	d := &directory{account: o.Account.Name, ycm: o.Client, known: known, list: list}
	for _, p := range o.Account.PBXs {
		d.contacts = append(d.contacts, &contact{
			host: strings.ToLower(p.URL.Host), name: strings.ToLower(p.URL.Hostname()), client: o.Direct(p),
		})
	}
	return d
}

// roster is the PBXs that can be asked now. Before the first list nobody can tell the directly spoken ones that are
// on it from the others, so that is an error.
func (d *directory) roster() (*roster, error) {
	var list *ycmclient.List
	if d.list != nil {
		if list = d.known.list.Load(); list == nil {
			return nil, &yeastar.Error{
				Account: d.account, Endpoint: "cloud_pbx_list", Class: yeastar.NotFound,
				Message: "no list of Cloud PBXs has been read yet, so there is none to ask; see collector cloud_pbx",
			}
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.latest == nil || d.latest.list != list {
		d.latest = newRoster(list, d.contacts)
	}
	return d.latest, nil
}

// client is the way to a PBX.
func (d *directory) client(s subject) *pbxclient.Client {
	if s.contact != nil {
		return s.contact.client
	}
	return pbxclient.Proxied(d.ycm, d.account, s.sn)
}

// close ends the direct clients, which gives their tokens back.
func (d *directory) close(ctx context.Context) error {
	var closing sync.WaitGroup
	failed := make([]error, len(d.contacts))
	for i, c := range d.contacts {
		closing.Go(func() { failed[i] = c.client.Close(ctx) })
	}
	closing.Wait()
	return errors.Join(failed...)
}

// subject is a PBX that can be asked.
type subject struct {
	key                       int64 // its id; below zero for one that the list does not have
	name, region, version, sn string
	contact                   *contact // nil: through YCM
}

// id is the PBX's id in YCM's list, 0 if that does not have it.
func (s subject) id() int64 { return max(0, s.key) }

// lost reports whether a request to the PBX failed on YCM's side, so that nothing is known of the PBX, nor will be of
// the next.
func (s subject) lost(err error) bool {
	return s.contact == nil && yeastar.ReachOf(err) == yeastar.NotAsked &&
		yeastar.ClassOf(err) != yeastar.Invalid && !aboutPBX(err)
}

// aboutPBX reports whether YCM itself says with a code that it is about the PBX: not activated, not reached.
func aboutPBX(err error) bool {
	const first = 2_000_000 // the codes below are about YCM and its API
	var e *yeastar.Error
	return errors.As(err, &e) && e.Code >= first
}

// roster is the PBXs that can be asked: each Running one of a list, and those that are spoken to directly and that
// the list does not have. It does not change once made.
type roster struct {
	list    *ycmclient.List // nil when the list is switched off
	direct  []subject       // spoken to directly, by key
	proxied int             // how many there are besides
}

// firstKey is below every key.
const firstKey = math.MinInt64

// newRoster matches the list's PBXs with the contacts by their hosts. Of several contacts with one host, the first that
// can be told from the others counts.
func newRoster(list *ycmclient.List, contacts []*contact) *roster {
	r := &roster{list: list}
	byName := map[string]*contact{}
	for _, c := range slices.Backward(contacts) {
		byName[c.name] = c
	}
	listed := map[string]bool{}
	for i := range r.pbxs() {
		p := &r.pbxs()[i]
		var c *contact
		if len(contacts) > 0 {
			if c = byName[hostOf(p.URL)]; c != nil && listed[c.name] {
				c = nil
			} else if c != nil {
				listed[c.name] = true
			}
		}
		switch {
		case p.Status != ycmclient.Running:
		case c != nil:
			r.direct = append(r.direct, subjectOf(p, c))
		default:
			r.proxied++
		}
	}
	unlisted := map[string]bool{}
	for i, c := range contacts {
		if !listed[c.name] && !unlisted[c.host] {
			unlisted[c.host] = true
			r.direct = append(r.direct, subject{key: int64(-1 - i), name: c.host, contact: c})
		}
	}
	slices.SortFunc(r.direct, func(a, b subject) int { return cmp.Compare(a.key, b.key) })
	return r
}

func subjectOf(p *ycmclient.CloudPBX, c *contact) subject {
	return subject{key: p.ID, name: p.Name, region: p.Region, version: p.Version, sn: p.SN, contact: c}
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

func (r *roster) pbxs() []ycmclient.CloudPBX {
	if r.list == nil {
		return nil
	}
	return r.list.PBXs
}

// size is how many PBXs are asked directly, or through YCM.
func (r *roster) size(direct bool) int {
	if direct {
		return len(r.direct)
	}
	return r.proxied
}

// after finds the PBX with the next key of those that are asked directly, or through YCM.
func (r *roster) after(key int64, direct bool) (subject, bool) {
	if direct {
		i, _ := slices.BinarySearchFunc(r.direct, key, func(s subject, key int64) int { return cmp.Or(cmp.Compare(s.key, key), -1) })
		if i == len(r.direct) {
			return subject{}, false
		}
		return r.direct[i], true
	}
	pbxs := r.pbxs()
	i, _ := slices.BinarySearchFunc(pbxs, key, func(p ycmclient.CloudPBX, key int64) int { return cmp.Or(cmp.Compare(p.ID, key), -1) })
	for ; i < len(pbxs); i++ {
		if p := &pbxs[i]; p.Status == ycmclient.Running && !r.isDirect(p.ID) {
			return subjectOf(p, nil), true
		}
	}
	return subject{}, false
}

func (r *roster) isDirect(key int64) bool {
	_, ok := r.findDirect(key)
	return ok
}

func (r *roster) findDirect(key int64) (subject, bool) {
	i, ok := slices.BinarySearchFunc(r.direct, key, func(s subject, key int64) int { return cmp.Compare(s.key, key) })
	if !ok {
		return subject{}, false
	}
	return r.direct[i], true
}

// find finds a PBX by its key, if it can be asked.
func (r *roster) find(key int64) (subject, bool) {
	if s, ok := r.findDirect(key); ok {
		return s, true
	}
	pbxs := r.pbxs()
	i, ok := slices.BinarySearchFunc(pbxs, key, func(p ycmclient.CloudPBX, key int64) int { return cmp.Compare(p.ID, key) })
	if !ok || pbxs[i].Status != ycmclient.Running {
		return subject{}, false
	}
	return subjectOf(&pbxs[i], nil), true
}

// all yields each PBX that can be asked: those that the list does not have by name, then the others by id.
func (r *roster) all() iter.Seq[subject] {
	return func(yield func(subject) bool) {
		var unlisted []subject
		for _, s := range r.direct {
			if s.id() == 0 {
				unlisted = append(unlisted, s)
			}
		}
		slices.SortFunc(unlisted, func(a, b subject) int { return strings.Compare(a.name, b.name) })
		for _, s := range unlisted {
			if !yield(s) {
				return
			}
		}
		for i := range r.pbxs() {
			p := &r.pbxs()[i]
			if p.Status != ycmclient.Running {
				continue
			}
			s, ok := r.findDirect(p.ID)
			if !ok {
				s = subjectOf(p, nil)
			}
			if !yield(s) {
				return
			}
		}
	}
}
