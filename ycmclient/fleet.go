package ycmclient

import (
	"cmp"
	"context"
	"slices"

	"github.com/go-kit/log/level"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// List is the whole fleet, as one complete walk saw it.
type List struct {
	PBXs     []CloudPBX // Sorted by ID, each once.
	Total    int64      // As YCM reports it.
	Listed   int        // How many PBXs YCM's list has, with those without a usable id. PBXs may have more, found by their ids.
	Requests int        // Pages and single PBXs that were asked for, without repeated tries and logins.
}

// Walk reads the whole list of Cloud PBXs ("Query All the Cloud PBXs"), or fails. A PBX that exists throughout is in
// the result exactly once, whatever is created and deleted meanwhile; walker tells what is assumed for that. A PBX of
// previous, the result of the walk before and sorted as that is, is missing only if YCM says that it is gone, or, where
// it cannot be asked for, if two complete readings did not list it. The result shares unchanged strings with previous.
//
// If far more PBXs of previous are missing than one by one can be asked for, the walk fails with ErrUnconfirmed until
// three walks in a row agree. Where the list does not bear out YCM's total, it is read twice; the total may then be
// wrong, as the difference of Total and Listed tells, by as much as both readings agree on.
//
// state, if not nil, is what the walks before have learned; the walk adds to it, also if it fails.
//
// The error is of class Invalid if the list cannot be true; else it is that of the request that failed. The result is
// empty then.
//
// progress, if not nil, is told how many PBXs of how many have been read; it is never called concurrently.
func (c *Client) Walk(ctx context.Context, state *WalkState, previous []CloudPBX, progress func(done, total int)) (List, error) {
	if state == nil {
		state = new(WalkState)
	}
	list, err := c.readList(ctx, state, previous, progress)
	if err != nil {
		return List{}, err
	}
	gone, err := c.confirmMany(state, without(previous, list.PBXs, idOf), len(previous))
	if err != nil {
		return List{}, err
	}
	unsure, err := c.confirm(ctx, &list, gone, few(len(previous)))
	if err != nil {
		return List{}, err
	}
	if len(unsure) == 0 {
		return list, nil
	}
	c.observer.Repair()
	again, err := c.readList(ctx, state, list.PBXs, progress)
	if err != nil {
		return List{}, err
	}
	again.Requests += list.Requests
	return again, c.listedOnce(ctx, &again, without(list.PBXs, again.PBXs, idOf))
}

// listedOnce adds PBXs that only one of two readings of a walk listed, unless YCM says that they are gone. Those that
// cannot be asked for stay; the next walk tells.
func (c *Client) listedOnce(ctx context.Context, list *List, pbxs []CloudPBX) error {
	unsure, err := c.confirm(ctx, list, pbxs, few(len(list.PBXs)))
	list.add(unsure)
	return err
}

// readList reads the list, twice if need be.
func (c *Client) readList(ctx context.Context, state *WalkState, previous []CloudPBX, progress func(done, total int)) (List, error) {
	before := state.Difference
	w, others, err := whole(ctx, state, func(s WalkState) *walker[CloudPBX] { return c.fleetWalker(s, previous, progress) }, c.exists)
	if err != nil {
		return List{}, err
	}
	list := List{PBXs: w.items, Total: w.total, Listed: int(w.seen()), Requests: w.requests}
	if state.Difference != 0 {
		c.observer.Mismatch()
	}
	if state.Difference != before {
		level.Warn(c.logger).Log("msg", "YCM's total and its list of Cloud PBXs differ otherwise than before, and a second reading agrees: what is listed is served",
			"account", c.account, "total", w.total, "listed", w.seen(), "difference", state.Difference, "difference_before", before)
	}
	return list, c.listedOnce(ctx, &list, without(others, previous, idOf))
}

// fleetWalker makes a walker of the list of Cloud PBXs.
func (c *Client) fleetWalker(state WalkState, previous []CloudPBX, progress func(done, total int)) *walker[CloudPBX] {
	var none CloudPBX
	known := func(id int64) *CloudPBX {
		i, ok := slices.BinarySearchFunc(previous, id, func(p CloudPBX, id int64) int { return cmp.Compare(p.ID, id) })
		if !ok {
			return &none
		}
		return &previous[i]
	}
	w := &walker[CloudPBX]{
		client: c, endpoint: EndpointList, readers: c.readers, progress: progress, state: state, other: state.Walks == 1,
		id: idOf,
		fetch: func(ctx context.Context, number int, room []CloudPBX) (page[CloudPBX], error) {
			return c.listPage(ctx, number, room, known)
		},
	}
	if w.guess = state.Pages; w.guess == 0 {
		w.guess = (len(previous) + PageSize - 1) / PageSize
	}
	if len(previous) > 0 {
		w.newest = previous[len(previous)-1].ID
	}
	return w
}

// exists asks whether there is a PBX with an id. One that cannot be asked for may be there.
func (c *Client) exists(ctx context.Context, id int64) (bool, error) {
	_, err := c.CloudPBX(ctx, id)
	switch yeastar.ClassOf(err) {
	case yeastar.OK, yeastar.Denied, yeastar.Invalid:
		return true, nil
	case yeastar.NotFound:
		return false, nil
	default:
		return false, err
	}
}

// add puts more PBXs into the list.
func (l *List) add(more []CloudPBX) {
	if len(more) > 0 {
		l.PBXs = append(l.PBXs, more...)
		sortByID(l.PBXs)
	}
}

func idOf(p *CloudPBX) int64 { return p.ID }

func sortByID(pbxs []CloudPBX) {
	slices.SortFunc(pbxs, func(a, b CloudPBX) int { return cmp.Compare(a.ID, b.ID) })
}
