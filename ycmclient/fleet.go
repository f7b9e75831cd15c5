package ycmclient

import (
	"cmp"
	"context"
	"slices"

	"github.com/ycm-exporter/ycm_exporter/yeastar"
)

// List is the whole fleet, as one complete walk saw it.
type List struct {
	PBXs     []CloudPBX // Sorted by ID, each once.
	Total    int64      // As YCM reports it.
	Requests int        // Pages and single PBXs that were asked for, without repeated tries and logins.
}

// Walk reads the whole list of Cloud PBXs ("Query All the Cloud PBXs"), or fails. A PBX that exists throughout is in
// the result exactly once, whatever is created and deleted meanwhile. A PBX of previous, the result of the walk
// before and sorted as that is, is missing only if YCM says that it is gone, or if two complete walks did not list
// it. The result shares unchanged strings with previous.
//
// The error is of class Invalid if the list cannot be true, as when its total lies; else it is that of the request
// that failed. The result is empty then.
//
// progress, if not nil, is told how many PBXs of how many have been read; it is never called concurrently.
func (c *Client) Walk(ctx context.Context, previous []CloudPBX, progress func(done, total int)) (List, error) {
	list, err := c.walk(ctx, previous, progress)
	if err != nil {
		return List{}, err
	}
	vanished, err := c.confirm(ctx, &list, missing(previous, list.PBXs))
	if err != nil {
		return List{}, err
	}
	if len(vanished) == 0 {
		return list, nil
	}
	c.observer.Repair()
	again, err := c.walk(ctx, list.PBXs, progress)
	if err != nil {
		return List{}, err
	}
	again.Requests += list.Requests
	// What only the first of the two walks listed stays; the next walk tells.
	listedOnce, err := c.confirm(ctx, &again, missing(list.PBXs, again.PBXs))
	if err != nil {
		return List{}, err
	}
	again.add(listedOnce)
	return again, nil
}

// walk reads the list once.
func (c *Client) walk(ctx context.Context, previous []CloudPBX, progress func(done, total int)) (List, error) {
	var none CloudPBX
	known := func(id int64) *CloudPBX {
		i, ok := slices.BinarySearchFunc(previous, id, func(p CloudPBX, id int64) int { return cmp.Compare(p.ID, id) })
		if !ok {
			return &none
		}
		return &previous[i]
	}
	var shared interner
	w := walker[CloudPBX]{
		client: c, endpoint: endpointList, readers: c.readers, progress: progress,
		id: func(p *CloudPBX) int64 { return p.ID },
		fetch: func(ctx context.Context, number int, room []CloudPBX) (page[CloudPBX], error) {
			return c.listPage(ctx, number, room, &shared, known)
		},
	}
	if err := w.walk(ctx, pagesOf(int64(len(previous)))); err != nil {
		return List{}, err
	}
	sortByID(w.items)
	return List{PBXs: w.items, Total: w.total, Requests: w.requests}, nil
}

// confirm asks for each vanished PBX by its id and adds those that exist to the list. It returns those of which
// asking would tell nothing, or cost more than another walk.
func (c *Client) confirm(ctx context.Context, list *List, vanished []CloudPBX) (unsure []CloudPBX, err error) {
	if c.search != "" || len(vanished) > max(pagesOf(list.Total), 1) {
		return vanished, nil // With a search, a PBX that exists may match no more.
	}
	var found []CloudPBX
	for _, old := range vanished {
		list.Requests++
		pbx, err := c.CloudPBX(ctx, old.ID)
		switch yeastar.ClassOf(err) {
		case yeastar.OK:
			c.observer.Repair()
			found = append(found, pbx)
		case yeastar.NotFound:
		case yeastar.Denied, yeastar.Invalid: // This account cannot ask for single PBXs.
			unsure = append(unsure, old)
		default:
			return nil, err
		}
	}
	list.add(found)
	return unsure, nil
}

// add puts more PBXs into the list.
func (l *List) add(more []CloudPBX) {
	if len(more) > 0 {
		l.PBXs = append(l.PBXs, more...)
		sortByID(l.PBXs)
	}
}

// missing returns the PBXs of before that are not in now. Both are sorted by ID.
func missing(before, now []CloudPBX) []CloudPBX {
	var gone []CloudPBX
	for i := range before {
		for len(now) > 0 && now[0].ID < before[i].ID {
			now = now[1:]
		}
		if len(now) == 0 || now[0].ID != before[i].ID {
			gone = append(gone, before[i])
		}
	}
	return gone
}

func sortByID(pbxs []CloudPBX) {
	slices.SortFunc(pbxs, func(a, b CloudPBX) int { return cmp.Compare(a.ID, b.ID) })
}
