package ycmclient

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"sync"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// walker reads a paged list once, while it changes.
//
// # Why nothing is missed
//
// Assume that each answer shows the list as it is at one moment, that its records stand in the order of their ids, all
// rising or all falling, and that what is created gets the highest id. Think of a record that exists throughout the
// reading, and of its place, counted from the beginning of the list.
//
// In a rising list the place of a record only falls: what is created stands behind it, and what is deleted before it
// moves it to a lower place. So the pages are read from the last to the first (descend). The reading begins with a page
// that an answer showed to be the last, so that the record stands on it or before; what has not been read yet stands on
// a page that is still to be read, and stays so.
//
// In a falling list a deletion moves a record to a lower place and a creation to a higher one, both from the front. So
// the pages are read from the first to the last (ascend), where a creation shows a record a second time and does no
// harm. A deletion may move a record onto a page that has been read, but by no more places than the total falls
// between two answers: the place changes by the creations less the deletions before it, the total by the same less the
// deletions behind it, which is no more. So after the total fell by some records, the reading goes back by as many.
// That needs a total of which the changes are true; it may be wrong by a constant.
//
// Several readers read a rising list together, each a range of pages from its last to its first. A record that moves
// out of one range into the one beneath behind that one's reader is among those that stand just above what the reader
// beneath has seen, so from the border of the two ranges pages are read down to one that it has seen.
//
// What is created during the reading is owed by nobody. But as many records are wanted as YCM counts, so where new ones
// come (catchUp) pages are read until the count is met.
//
// # What that leaves open
//
// A record that appears in the middle, such as a PBX handed over with a low id, moves those behind it to higher places.
// Together with a deletion that no total betrays it may hide one neighbour from one reading. So the second walk goes the
// other way, where a deletion may hide a neighbour and an appearance cannot; and because it may miss what was created
// since the first, it reads what is new once more in the safe way (seal). From then on a PBX that is known is missed by
// no walk, because each that a walk does not find is asked for by its id.
//
// A list in another order than by id is read like a rising one. Its total, and what is asked for by id, still hold.
//
// # What a reading is worth
//
// Neither the page size nor the total is taken for true. The size says where to begin and how many records a page is
// due; the total, less a difference that two readings have confirmed, is to be borne out by the pages (sound). A
// reading that is not sound is made a second time, the other way; see whole.
//
// A server that repeats itself is not read to its end: a page that is the same as the one before it, although the total
// has not changed enough to explain that, ends the reading with an error. So does a list of which some pages rise and
// others fall, and one that takes eight times the requests that it has pages.
type walker[T any] struct {
	client   *Client
	endpoint string
	fetch    func(ctx context.Context, number int, room []T) (page[T], error)
	id       func(*T) int64
	readers  int                   // How many pages are read at a time when descending.
	progress func(done, total int) // May be nil.

	state  WalkState // What is known of the list. Its difference is expected here.
	guess  int       // The page that is thought to be the last.
	newest int64     // The highest id that was known before.
	other  bool      // The way that is not safe.
	unsure bool      // It is not known yet by how much the total is wrong.

	mu      sync.Mutex
	items   []T
	places  map[int64]place
	patient bool // See trusting.
	reading
}

// reading is what a walker noticed.
type reading struct {
	total       int64 // As the latest page has it,
	begun       int64 // and as the first one had it.
	least, most int64 // The lowest and the highest that pages had.
	distinct    int
	unusable    map[int]int // Records that could not be kept, by page; they are counted as seen.
	requests    int         // Of this reading and those before it.
	asked       int         // Of this reading alone.
	base        int         // Pages that the list has, without what it grew meanwhile.
	pages       int         // The last page that has records.
	end         int         // The first page that is known not to be there, 0 if none is.
	first       int         // Records on page 1, if by its own total that is not the last page.
	largest     int         // Records on the largest page.
	descended   bool        // From the last page to the first.
	rose, fell  bool        // There were pages in that order,
	mixed       bool        // and such in neither.
	irregular   bool        // A page had another number of records than its total leaves for it.
	owed        []int64     // Ids of records past the end.
}

// MaxTotal is the largest list that is believed.
const MaxTotal = 1_000_000

// walk reads the list. The items are sorted by id then.
func (w *walker[T]) walk(ctx context.Context) error {
	defer w.client.budget.reserve(w.readers)()
	w.places, w.unusable, w.patient = make(map[int64]place), make(map[int]int), !w.state.Uneven
	w.unsure = w.unsure || w.state.Walks == 0
	w.descended = w.state.Falling == w.other
	if !w.descended {
		first, err := w.read(ctx, 1, nil)
		if err != nil {
			return err
		}
		if w.turn(first) {
			return w.finish(w.ascend(ctx, first))
		}
	}
	top, last, err := w.start(ctx, max(w.guess, 1))
	if err != nil {
		return err
	}
	if w.descended = true; w.turn(top) {
		return w.finish(w.descend(ctx, top, last))
	}
	first, err := w.read(ctx, 1, nil)
	if err != nil {
		return err
	}
	w.descended = false
	return w.finish(w.ascend(ctx, first))
}

// turn tells whether the way is the one to go, by the order of the page that was read first.
func (w *walker[T]) turn(first page[T]) bool {
	rises, falls := w.order(first.items)
	return rises == falls || w.descended == (falls == w.other)
}

// finish ends a reading whose pages have been read.
func (w *walker[T]) finish(err error) error {
	sort.Sort(byID[T]{w.items, w.id})
	if err == nil && w.rose && w.fell && !w.mixed {
		return w.lie("the order of the list changes from page to page")
	}
	return err
}

// byID sorts items where they are: they are large, and a function that takes two of them would copy both at each comparison.
type byID[T any] struct {
	items []T
	id    func(*T) int64
}

func (s byID[T]) Len() int           { return len(s.items) }
func (s byID[T]) Less(i, j int) bool { return s.id(&s.items[i]) < s.id(&s.items[j]) }
func (s byID[T]) Swap(i, j int)      { s.items[i], s.items[j] = s.items[j], s.items[i] }

// sound tells whether the reading is complete and its total, less the difference that is expected, is borne out.
func (w *walker[T]) sound() bool {
	wrongWay := w.descended && w.fell || !w.descended && w.rose
	if w.more() || wrongWay && !w.other && !w.mixed {
		return false
	}
	if !w.irregular && w.state.Difference == 0 {
		return w.seen() >= w.total
	}
	// What was deleted after it was read makes more of what was seen, and the total fall.
	seen := w.seen() + w.state.Difference
	return w.least <= seen && (seen <= w.most || w.least < w.most)
}

// more tells whether there are records past the end that the reading does not have.
func (w *walker[T]) more() bool {
	return slices.ContainsFunc(w.owed, func(id int64) bool {
		_, known := w.places[id]
		return !known
	})
}

// seen tells how many records were seen.
func (r *reading) seen() int64 {
	seen := r.distinct
	for _, n := range r.unusable {
		seen += n
	}
	return int64(seen)
}

// count is how many records the list is thought to have by a total.
func (w *walker[T]) count(total int64) int64 { return max(0, total-w.state.Difference) }

// size is how many records a full page is thought to have: as many as before, or as page 1 if that is not the last.
func (w *walker[T]) size() int {
	size := w.state.PageSize
	if size == 0 {
		size = w.first
	}
	if size == 0 {
		return PageSize
	}
	return max(size, w.largest)
}

// pagesFor is how many pages a total is thought to make, at least one.
func (w *walker[T]) pagesFor(total int64) int {
	size := int64(w.size())
	return int(max(1, (w.count(total)+size-1)/size))
}

// lie makes the error of a list that cannot be true.
func (w *walker[T]) lie(format string, args ...any) error {
	return &yeastar.Error{Account: w.client.account, Endpoint: w.endpoint, Class: yeastar.Invalid, Message: fmt.Sprintf(format, args...)}
}
