package ycmtest

import (
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strconv"
)

// Listing is how the list of Cloud PBXs deviates from what the vendor's pages say or leave unsaid. The zero value is
// as they say.
type Listing struct {
	PageSize  int   // the most records on a page, whatever was asked for; 50 if 0
	SaySize   int   // what the answer calls its pageSize; the truth if 0
	Order     Order // whatever was asked for
	Twice     int   // the record at this place of the list, 1 for the first, is listed and counted twice
	TotalOff  int   // is added to the total
	PastEnd   PastEnd
	TextIDs   bool                // ids are strings
	Unlisted  func(id int64) bool // PBXs that are neither listed nor counted, and that exist when asked for by id
	Forbidden func(id int64) bool // PBXs that are counted and leave a gap on their page, as if the account had no right to them
}

// Order is the order of a list.
type Order int

// The orders that a list may have.
const (
	AsAsked     Order = iota
	Rising            // by id, whatever was asked for
	Falling           // by id, the newest first, whatever was asked for
	ByName            // in a fixed order that has nothing to do with ids
	Alternating       // rising on odd pages and falling on even ones
	Shuffled          // another order for each request
)

// PastEnd is what comes in the place of a page that the list does not have.
type PastEnd int

// What may come past the end.
const (
	EmptyPage    PastEnd = iota
	RefusedPage          // 1000005
	LastPage             // the last page once more
	FirstPage            // the first page once more
	NoList               // a page without a list
	NullList             // a list that is null
	NoTotal              // an empty list without a total
	ZeroTotal            // an empty list with a total of 0
	AnotherTotal         // an empty list with a total of 7
)

// SetListing changes how the list deviates from the next page on.
func (s *Server) SetListing(l Listing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listing = l
}

// asDocumented tells whether nothing deviates.
func (l *Listing) asDocumented() bool {
	return l.PageSize == 0 && l.SaySize == 0 && l.PastEnd == EmptyPage && l.Order == AsAsked && l.Twice == 0 && l.TotalOff == 0 &&
		!l.TextIDs && l.Unlisted == nil && l.Forbidden == nil
}

// oddPage is a page of a list that deviates.
func (s *Server) oddPage(l *Listing, q pageQuery, descending bool, search string) (any, *failure) {
	ids := l.order(s.fleet.list(search, l.Unlisted), q.number, descending)
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
	for _, id := range ids[min(q.offset(), len(ids)):min(q.offset()+q.size, len(ids))] {
		p, ok := s.fleet.get(id)
		if !ok || l.Forbidden != nil && l.Forbidden(id) {
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

// order puts ids, which rise, into the order of the list.
func (l *Listing) order(ids []int64, page int, descending bool) []int64 {
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
		slices.SortStableFunc(ids, func(a, b int64) int { return int(scatter(a)) - int(scatter(b)) })
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

// scatter is a number that an id always has and that says nothing about the id.
func scatter(id int64) uint16 {
	h := fnv.New32a()
	_, _ = h.Write(strconv.AppendInt(nil, id, 10))
	return uint16(h.Sum32())
}
