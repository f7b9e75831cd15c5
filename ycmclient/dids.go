package ycmclient

import (
	"context"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// EndpointDIDs is the name of the list of DID numbers in errors and metrics.
const EndpointDIDs = "dids"

// DIDs is how many DID numbers of the account are assigned to a Cloud PBX, and how many are not. The numbers themselves are not read.
type DIDs struct{ Assigned, Unassigned int64 }

// did is a DID number without the number.
type did struct {
	ID       int64      `api:"id"`
	Assigned assignment `api:"cloudPbxId"`
}

// DIDs counts the account's DID numbers ("Query All the DID Numbers"), each once. One of which it cannot be read whether it is assigned
// is not counted. The numbers cannot be sorted, and none is kept from one walk to the next.
//
// progress, if not nil, is called with how many pages of how many have been read.
func (c *Client) DIDs(ctx context.Context, progress func(done, total int)) (DIDs, error) {
	l := &pagedList[did]{client: c, endpoint: EndpointDIDs, concurrency: 1, id: func(d *did) int64 { return d.ID }}
	if progress != nil {
		pages := func(records int) int { return (records + PageSize - 1) / PageSize }
		l.progress = func(done, total int) { progress(pages(done), pages(total)) }
	}
	l.fetch = func(ctx context.Context, number int) (page[did], error) {
		return fetchPage[did](ctx, c, request{endpoint: EndpointDIDs, path: "v1/did_management"}, number, "")
	}
	w, err := l.read(ctx, new(WalkState), nil)
	if err != nil {
		return DIDs{}, err
	}
	counts := map[assignment]int64{}
	for _, d := range w.items {
		counts[d.Assigned]++
	}
	return DIDs{counts[assigned], counts[unassigned]}, nil
}

// assignment is on the wire the id of what something is assigned to: none, empty or 0 if it is not.
type assignment uint8

const (
	unassigned assignment = iota
	assigned
	unreadable
)

// Read implements yeastar.Value.
func (a *assignment) Read(wire []byte) (ok bool) {
	count, ok := yeastar.NumberOf(wire).Count()
	id, _ := count.Get()
	switch {
	case !ok:
		*a = unreadable
	case id > 0:
		*a = assigned
	default:
		*a = unassigned
	}
	return ok
}
