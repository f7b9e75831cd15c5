// Package sweep asks the PBXs of an account one after the other.
//
// A [Fleet] knows which PBXs can be asked and by which route: through YCM's proxy or directly. A [Sweep] asks each of
// them once an interval; [Versions] asks one PBX of each firmware version. Requests through YCM are paid from what the
// walks of the list leave over of the account's budget, so both take the time that they take, and neither ever holds
// up the list.
//
// Either works in time slices: it goes on where the slice before ended, and what is known then can be served.
package sweep

import (
	"context"
	"errors"
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

// Direct is a PBX that is spoken to directly, with credentials of its own. It is matched to the list by its URL's host.
type Direct struct {
	URL    *url.URL
	Client *pbxclient.Client // the fleet closes it

	host string // in lower case, with the port if it has one
	name string // in lower case, without a port: what YCM's list has
}

// List is what is known of YCM's list of PBXs.
type List interface {
	// List is the last complete one, nil before the first. It does not change.
	List() *ycmclient.List
	// LastPoll tells when the last poll of the list began that has ended, and whether it succeeded.
	LastPoll() (began time.Time, succeeded bool)
}

// Fleet knows which PBXs of an account can be asked, and how.
type Fleet struct {
	account string
	ycm     pbxclient.Proxy
	list    List // nil when the list is switched off
	direct  []*Direct

	mu     sync.Mutex
	latest *Targets
}

// NewFleet makes the fleet of an account. list is nil when the list of PBXs is not polled; then there are the PBXs that
// are spoken to directly alone.
func NewFleet(account string, ycm pbxclient.Proxy, direct []Direct, list List) *Fleet {
	f := &Fleet{account: account, ycm: ycm, list: list}
	for _, d := range direct {
		d.host, d.name = strings.ToLower(d.URL.Host), strings.ToLower(d.URL.Hostname())
		f.direct = append(f.direct, &d)
	}
	return f
}

// Targets is the PBXs that can be asked now. Before the first list nobody can tell the directly spoken ones that are
// on it from the others, so that is an error.
func (f *Fleet) Targets() (*Targets, error) {
	var list *ycmclient.List
	if f.list != nil {
		if list = f.list.List(); list == nil {
			return nil, &yeastar.Error{
				Account: f.account, Endpoint: "cloud_pbx_list", Class: yeastar.NotFound,
				Message: "no list of Cloud PBXs has been read yet, so there is none to ask; see collector cloud_pbx",
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

// hostOf is the host of a PBX with an id below zero, and idOfHost that id, 0 if there is none.
func (f *Fleet) hostOf(id int64) string { return f.direct[-1-id].host }

func (f *Fleet) idOfHost(host string) int64 {
	i := slices.IndexFunc(f.direct, func(d *Direct) bool { return d.host == host })
	if i < 0 {
		return 0
	}
	return idOf(i)
}

// Listed is how many PBXs the last complete list has, and whether there is one.
func (f *Fleet) Listed() (pbxs int, known bool) {
	if f.list == nil {
		return 0, false
	}
	if list := f.list.List(); list != nil {
		return len(list.PBXs), true
	}
	return 0, false
}

// client is the way to a PBX.
func (f *Fleet) client(t Target) *pbxclient.Client {
	if t.direct != nil {
		return t.direct.Client
	}
	return pbxclient.Proxied(f.ycm, f.account, t.sn)
}

// Close ends the clients of PBXs that are spoken to directly, which gives their tokens back.
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
