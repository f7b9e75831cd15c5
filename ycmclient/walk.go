package ycmclient

import (
	"context"
	"slices"

	"github.com/go-kit/log/level"
)

// List is the whole fleet, as one complete walk found it.
type List struct {
	PBXs   []CloudPBX // Sorted by ID, each once.
	Total  int64      // As YCM reports it.
	Listed int        // PBXs on YCM's pages, with those without a usable id. PBXs may have more, found by their ids.
}

// WalkState is what the walks of one list learn for the next ones; the zero value knows nothing. It belongs to the PBXs of
// the last walk and persists with them.
type WalkState struct {
	Difference int64 `json:"difference,omitempty"` // YCM's total less the records that it listed.

	// Vanished are the ids, ascending, of known PBXs that the last walk did not list and of which it is not certain that
	// they are gone. If they are so many that the walk failed, Agreed is how many walks in a row have missed them.
	Vanished []int64 `json:"vanished,omitempty"`
	Agreed   int     `json:"agreed,omitempty"`
}

// agreeing is how many walks in a row must miss the same PBXs, if they are many, before these are gone.
const agreeing = 3

// few is how many records of a list may be queried one by one.
func few(records int) int { return max(10, records/50) }

// Walk reads the whole list of Cloud PBXs ("Query All the Cloud PBXs"), or fails. Three checks make the result complete:
//
//   - There are as many PBXs as YCM counts, or two walks agree on those that there are; see pagedList.read.
//   - A PBX of previous, the result of the walk before, that is not listed leaves only if YCM confirms that it is gone; see
//     walk.confirm and confirmMany. So neither the order of the list nor a change during the walk can lose a known PBX.
//   - Without previous, a walk during which the total changed is followed by a second, because the change may have hidden
//     a PBX from the first. The PBXs of the first are known then.
//
// A walk takes one request per page if the fleet is quiet, and at most two passes over the list and queries of 2 % of the
// PBXs in each whatever happens.
//
// state is what the walks before have learned, nil if there is none; the walk updates it, also if it fails. The error is of
// class Invalid if the list is inconsistent, else it is that of the request that failed.
//
// progress, if not nil, is called with how many PBXs of how many have been read, never concurrently.
func (c *Client) Walk(ctx context.Context, state *WalkState, previous []CloudPBX, progress func(done, total int)) (List, error) {
	list, _, err := c.walk(ctx, state, previous, progress)
	if err != nil {
		return List{}, err
	}
	return list, nil
}

// PartialWalk is a Walk that returns with an error what it has read, in no order, and how many pages there are, as far as it knows.
func (c *Client) PartialWalk(ctx context.Context) (list List, pages int, err error) {
	return c.walk(ctx, nil, nil, nil)
}

func (c *Client) walk(ctx context.Context, state *WalkState, previous []CloudPBX, progress func(done, total int)) (list List, pages int, err error) {
	if state == nil {
		state = new(WalkState)
	}
	before := state.Difference
	l := &pagedList[CloudPBX]{
		client:      c,
		endpoint:    EndpointList,
		concurrency: max(1, c.PageConcurrency),
		id:          func(p *CloudPBX) int64 { return p.ID },
		progress:    progress,
		query:       c.CloudPBX,
		partial:     c.Search != "",
	}
	l.fetch = func(ctx context.Context, number int) (page[CloudPBX], error) {
		return fetchPage[CloudPBX](ctx, c, request{endpoint: EndpointList, path: "v2/cloud_pbx/instances"}, number, "cloudPbxId")
	}
	w, err := l.read(ctx, state, previous)
	if err == nil {
		err = c.confirmMany(ctx, w, state, w.known) // After a second pass, those of the first as well.
	}
	list = List{PBXs: w.items, Total: w.total, Listed: int(w.listed)}
	if err != nil {
		return list, w.pages, err
	}
	if state.Difference != 0 {
		c.Observer.Mismatch()
	}
	if state.Difference != before {
		level.Warn(c.Logger).Log("msg", "YCM total and listed Cloud PBXs disagree, serving the listed PBXs",
			"account", c.Account, "total", list.Total, "listed", list.Listed, "difference", state.Difference, "difference_before", before)
	}
	return list, w.pages, nil
}

// confirmMany decides about more missing PBXs than can be queried one by one: they are gone when three walks in a row have
// missed them. Until then the walk fails, so that the last snapshot stays. A few more may be missing since.
func (c *Client) confirmMany(ctx context.Context, w *walk[CloudPBX], state *WalkState, previous []CloudPBX) error {
	if missing, limit := without(previous, w.items, w.id), few(len(previous)); len(missing) > limit {
		var again, since []CloudPBX
		for _, pbx := range missing {
			if _, found := slices.BinarySearch(state.Vanished, pbx.ID); found {
				again = append(again, pbx)
			} else {
				since = append(since, pbx)
			}
		}
		if len(again) <= limit || len(since) > limit { // Not the same as in the walk before.
			again, since, state.Agreed = missing, nil, 0
		}
		state.Vanished, state.Agreed = nil, min(state.Agreed+1, agreeing)
		for i := range again {
			state.Vanished = append(state.Vanished, again[i].ID)
		}
		if state.Agreed < agreeing {
			c.Observer.Unconfirmed(true)
			return w.inconsistent("%d of %d PBXs are missing from the list; they are removed when %d walks in a row agree, and this is walk %d",
				len(missing), len(previous), agreeing, state.Agreed)
		}
		if err := w.confirm(ctx, since); err != nil {
			return err
		}
	}
	c.Observer.Unconfirmed(false)
	slices.Sort(w.uncertain)
	state.Vanished, state.Agreed = w.uncertain, 0
	return nil
}
