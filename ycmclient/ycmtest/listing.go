package ycmtest

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"strconv"
)

// Listing is how the list of Cloud PBXs deviates from the vendor's pages. The zero value does not deviate.
type Listing struct {
	PageSize int   // the most records on a page, whatever was requested; 50 if 0
	SaySize  int   // the pageSize of the answer, if not 0
	Order    Order // whatever was requested
	Twice    int   // the record at this place of the list, 1 for the first, is listed and counted twice
	TotalOff int   // is added to the total
	PastEnd  PastEnd
	TextIDs  bool                // ids are strings
	Unlisted func(id int64) bool // PBXs that are neither listed nor counted, and that exist when queried by id
}

// Order is the order of a list.
type Order int

// The orders that a list may have.
const (
	AsAsked     Order = iota
	Rising            // by id
	Falling           // by id, the newest first
	ByName            // in a fixed order that does not depend on ids
	Alternating       // rising on odd pages and falling on even ones
	Shuffled          // another order for each request
)

// PastEnd is the answer to a query of a page past the end.
type PastEnd int

// The answers that a query past the end may have.
const (
	EmptyPage    PastEnd = iota
	RefusedPage          // 1000005
	LastPage             // the last page again
	FirstPage            // the first page again
	NoList               // a page without a list
	NullList             // a list that is null
	NoTotal              // an empty list without a total
	ZeroTotal            // an empty list with a total of 0
	AnotherTotal         // an empty list with a total of 7
)

// SetListing changes how the list deviates, from the next page on.
func (s *Server) SetListing(l Listing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listing = l
}

// listPage returns a page of the list of Cloud PBXs.
func (s *Server) listPage(l *Listing, q pageQuery, descending bool, search string) (any, *failure) {
	ids := s.fleet.list(search)
	if descending || l.Unlisted != nil || l.Twice > 0 || l.Order != AsAsked {
		ids = l.order(slices.Clone(ids), q.number, descending)
	}
	total := len(ids) + l.TotalOff
	if l.PageSize > 0 {
		q.size = min(q.size, l.PageSize)
	}
	answer := map[string]any{"pageSize": q.size, "pageNumber": q.number, "total": total}
	if l.SaySize > 0 {
		answer["pageSize"] = l.SaySize
	}
	if q.number > 1 && q.offset() >= len(ids) {
		switch l.PastEnd {
		case RefusedPage:
			return nil, notFound()
		case LastPage:
			q.number = max(1, (len(ids)+q.size-1)/q.size)
		case FirstPage:
			q.number = 1
		case NoList:
			return answer, nil
		case NullList:
			answer["list"] = nil
			return answer, nil
		case NoTotal:
			delete(answer, "total")
		case ZeroTotal:
			answer["total"] = 0
		case AnotherTotal:
			answer["total"] = 7
		}
	}
	list := []any{}
	for _, id := range pageItems(ids, q) {
		p, ok := s.fleet.get(id)
		if !ok {
			continue
		}
		if l.TextIDs {
			p = p.clone()
			if p.Raw == nil {
				p.Raw = map[string]string{}
			}
			p.Raw["cloudPbxId"] = strconv.Quote(strconv.FormatInt(id, 10))
		}
		list = append(list, p.record())
	}
	answer["list"] = list
	return answer, nil
}

// order makes the list of rising ids.
func (l *Listing) order(ids []int64, page int, descending bool) []int64 {
	if l.Unlisted != nil {
		ids = slices.DeleteFunc(ids, l.Unlisted)
	}
	if at := l.Twice; at > 0 && at <= len(ids) {
		ids = slices.Insert(ids, at, ids[at-1])
	}
	switch l.Order {
	case AsAsked:
	case Rising:
		descending = false
	case Falling:
		descending = true
	case ByName:
		slices.SortStableFunc(ids, func(a, b int64) int { return cmp.Compare(mix(uint64(a)), mix(uint64(b))) })
	case Alternating:
		descending = page%2 == 0
	case Shuffled:
		rand.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	}
	if descending {
		slices.Reverse(ids)
	}
	return ids
}
