// Package sweep polls the PBXs of an account one after the other.
//
// A [Fleet] knows which PBXs can be polled and by which route: through YCM's proxy or with direct access. A [Sweep]
// polls each of them once per interval in the background, with what the rate limit leaves after the walks of the list, so
// that it delays neither a walk nor a scrape. A [Version] is for what is the same on every PBX with one firmware version.
// The package does not know metrics or the configuration.
package sweep

import (
	"cmp"
	"context"
	"errors"
	"math"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/crash"
	"github.com/ycm-exporter/ycm_exporter/internal/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// Direct is a PBX with direct access: its URL and credentials are configured. It is matched with YCM's list by the host
// of its URL.
type Direct struct {
	URL    *url.URL          // Its host is in lower case.
	Client *pbxclient.Client // Closed by the fleet.
}

// List is the collector that walks YCM's list of PBXs.
type List interface {
	// List returns the last complete list, nil before the first. It does not change.
	List() *ycmclient.List
	// LastPoll returns when the last finished poll of the list began, and whether it succeeded.
	LastPoll() (began time.Time, succeeded bool)
}

// Fleet is the PBXs of an account that can be polled. It is safe for concurrent use.
type Fleet struct {
	account string
	ycm     pbxclient.Proxy
	list    List // nil when the list is not polled
	direct  []*Direct

	mu     sync.Mutex
	latest *Targets
}

// NewFleet makes the fleet of an account. list is nil when the list of PBXs is not polled; then only PBXs with direct
// access are in the fleet.
func NewFleet(account string, ycm pbxclient.Proxy, direct []*Direct, list List) *Fleet {
	return &Fleet{account: account, ycm: ycm, list: list, direct: direct}
}

// Targets returns the PBXs that can be polled now. Before the first list it is an error: only the list shows which PBXs
// with direct access it contains.
func (f *Fleet) Targets() (*Targets, error) {
	var list *ycmclient.List
	if f.list != nil {
		if list = f.list.List(); list == nil {
			return nil, &yeastar.Error{
				Account: f.account, Endpoint: ycmclient.EndpointList, Class: yeastar.NotFound,
				Message: "waiting for the first PBX list; see collector cloud_pbx",
			}
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.latest == nil || f.latest.list != list {
		f.latest = newTargets(list, f.direct)
	}
	return f.latest, nil
}

// Listed returns how many PBXs the last complete list has, and whether there is one.
func (f *Fleet) Listed() (pbxs int, known bool) {
	targets, err := f.Targets()
	if err != nil || targets.list == nil {
		return 0, false
	}
	return len(targets.pbxs), true
}

// Proxied returns how many PBXs are polled through YCM, and how many pages their extensions have.
func (f *Fleet) Proxied() (pbxs, extensionPages float64) {
	targets, err := f.Targets()
	if err != nil {
		return 0, 0
	}
	for i := range targets.all {
		if t := &targets.all[i]; t.direct == nil {
			extensions, _ := t.listed.UsedExtensions.Get()
			pbxs++
			extensionPages += max(1, math.Ceil(float64(extensions)/pbxclient.PageSize))
		}
	}
	return pbxs, extensionPages
}

func (f *Fleet) client(t Target) *pbxclient.Client {
	if t.direct != nil {
		return t.direct.Client
	}
	return pbxclient.Proxied(f.ycm, f.account, t.listed.SN)
}

// Close closes the clients of PBXs with direct access, which revokes their tokens.
func (f *Fleet) Close(ctx context.Context) error {
	var closing sync.WaitGroup
	failed := make([]error, len(f.direct))
	for i, d := range f.direct {
		closing.Go(func() {
			failed[i] = crash.Catch(func() error { return d.Client.Close(ctx) })
		})
	}
	closing.Wait()
	return errors.Join(failed...)
}

// Target is a PBX that can be polled.
type Target struct {
	key
	listed *ycmclient.CloudPBX // nil if YCM's list does not contain it
	direct *Direct             // nil: through YCM
}

// key identifies a PBX: by its id in YCM's list, or by its host if the list does not contain it.
type key struct {
	id   int64
	host string
}

func (k key) compare(other key) int {
	return cmp.Or(cmp.Compare(k.id, other.id), cmp.Compare(k.host, other.host))
}

// ID returns the PBX's id in YCM's list, 0 if the list does not contain it.
func (t Target) ID() int64 { return t.id }

// Name returns the PBX's name in YCM's list, or its host.
func (t Target) Name() string {
	if t.listed == nil {
		return t.host
	}
	return t.listed.Name
}

// Direct returns the direct access to the PBX, nil if it is polled through YCM.
func (t Target) Direct() *Direct { return t.direct }

// lost reports whether a request failed on YCM's side, so that nothing is known of the PBX.
func (t Target) lost(err error) bool {
	return t.direct == nil && yeastar.ReachOf(err) == yeastar.NotSent &&
		yeastar.ClassOf(err) != yeastar.Invalid && !aboutPBX(err)
}

// aboutPBX reports whether YCM's code says that the failure is the PBX's: not activated, not reachable.
func aboutPBX(err error) bool {
	const first = 2_000_000 // Codes below are about YCM and its API.
	var e *yeastar.Error
	return errors.As(err, &e) && e.Code >= first
}

// Targets is the PBXs that can be polled: the Running ones of a list, and those with direct access that the list does not
// contain. It does not change.
type Targets struct {
	list *ycmclient.List // nil when the list is not polled
	pbxs []ycmclient.CloudPBX
	all  []Target // by key: first those that the list does not contain, by host
}

// newTargets matches the PBXs of the list with those that have direct access by their hosts. Of several with the same
// host, the first counts.
func newTargets(list *ycmclient.List, direct []*Direct) *Targets {
	t := &Targets{list: list}
	if list != nil {
		t.pbxs = list.PBXs
	}
	byName := map[string]*Direct{}
	for _, d := range slices.Backward(direct) {
		byName[d.URL.Hostname()] = d
	}
	matched := map[string]bool{}
	for i := range t.pbxs {
		p := &t.pbxs[i]
		var d *Direct
		host := url.URL{Host: p.URL} // With its port, if it has one.
		if name := strings.ToLower(host.Hostname()); !matched[name] && byName[name] != nil {
			d, matched[name] = byName[name], true
		}
		if p.Status == ycmclient.Running {
			t.all = append(t.all, Target{key{id: p.ID}, p, d})
		}
	}
	for _, d := range direct {
		if !matched[d.URL.Hostname()] {
			t.all = append(t.all, Target{key: key{host: d.URL.Host}, direct: d})
		}
	}
	slices.SortStableFunc(t.all, func(a, b Target) int { return a.compare(b.key) })
	t.all = slices.CompactFunc(t.all, func(a, b Target) bool { return a.key == b.key })
	return t
}

func (t *Targets) find(k key) (Target, bool) {
	i, ok := slices.BinarySearchFunc(t.all, k, func(t Target, k key) int { return t.compare(k) })
	if !ok {
		return Target{}, false
	}
	return t.all[i], true
}
