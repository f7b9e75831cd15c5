package ycmclient

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/ycm-exporter/ycm_exporter/internal/crash"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// maxTotal is how many records a list may have, and maxPages how many pages. Longer ones are refused.
const (
	maxTotal = 1_000_000
	maxPages = maxTotal / PageSize
)

// pagedList is a list that YCM gives in pages and that may change while it is read.
type pagedList[T any] struct {
	client      *Client
	endpoint    string
	concurrency int // Pages in flight.
	id          func(*T) int64
	fetch       func(ctx context.Context, number int) (page[T], error)
	query       func(ctx context.Context, id int64) (T, error) // By id; nil if that is not possible, and nothing is known then.
	partial     bool                                           // One that exists need not be on the list.
	progress    func(done, total int)                          // May be nil.
}

// walk is one pass over a list, from its last page to its first: a record that moves to another page because an earlier one
// was deleted moves to one that is still to be read. Page 1 is read ahead of the others, and again at the end unless the
// list is as it was.
type walk[T any] struct {
	*pagedList[T]
	known      []T     // What is known from earlier passes.
	vanished   []int64 // As in WalkState.
	difference int64   // YCM's total less what it listed the last time.
	again      bool    // The pass before had too few records.
	size       int     // Records on a full page, as far as that is known.
	pages      int     // The last page that there is, as far as that is known.

	mu                 sync.Mutex
	items              []T
	places             map[int64]place
	unusable           map[int]int // Records without a usable id, by page.
	total, least, most int64       // The latest total, the smallest and the largest.
	foundNew           bool        // A record that was not known.

	listed    int64   // Records on the pages, usable or not.
	added     int     // Known records that were not listed and are in items nevertheless,
	uncertain []int64 // and the ids of those that may be gone.
}

// place is where a record is in walk.items, and the page that listed it.
type place struct{ index, page int32 }

// read walks the list, and a second time if there are fewer records than YCM counts. If both walks agree on the records, YCM
// counts otherwise than it lists: state keeps the difference, so that the next walk expects it. With an error comes the walk that failed.
func (l *pagedList[T]) read(ctx context.Context, state *WalkState, known []T) (*walk[T], error) {
	difference := state.Difference
	state.Difference = 0 // It may be why this walk fails.
	w, err := l.walk(ctx, &walk[T]{known: known, vanished: state.Vanished, difference: difference})
	if err != nil {
		return w, err
	}
	if w.short() > max(0, difference) || l.query != nil && len(known) == 0 && w.least != w.most {
		l.client.Observer.Repair()
		first := w
		if len(known) == 0 {
			known = first.items
		}
		if w, err = l.walk(ctx, &walk[T]{known: known, vanished: state.Vanished, again: true}); err != nil {
			return w, err
		}
		if w.short() > 0 {
			if err := w.agrees(ctx, first); err != nil {
				return w, err
			}
		}
	}
	if state.Difference = difference; w.short() > 0 || w.least == w.most {
		state.Difference = w.least - w.listed
	}
	return w, nil
}

// short is how many records are missing to the smallest total.
func (w *walk[T]) short() int64 { return w.least - w.listed - int64(w.added) }

// agrees returns an error unless two walks have the same records, but for those that were created or deleted in between.
func (w *walk[T]) agrees(ctx context.Context, first *walk[T]) error {
	disagree := w.inconsistent("YCM reports %d records but lists %d; the walk before listed %d of %d, with other ids", w.total, w.listed, first.listed, first.total)
	created, lost := without(w.items, first.items, w.id), without(first.items, w.items, w.id)
	older := len(created) > 0 && (w.total <= first.total || len(first.items) > 0 && w.id(&created[0]) < w.id(&first.items[len(first.items)-1]))
	if older || w.added != first.added || len(lost) > few(len(w.items)) || len(lost) > 0 && w.query == nil {
		return disagree
	}
	added := w.added
	if err := w.confirm(ctx, lost); err != nil || w.added == added {
		return err
	}
	return disagree
}

// walk makes one pass over the list, with what is known of it.
func (l *pagedList[T]) walk(ctx context.Context, w *walk[T]) (*walk[T], error) {
	w.pagedList, w.size, w.pages, w.places, w.unusable = l, PageSize, 1, map[int64]place{}, map[int]int{}
	if err := w.findEnd(ctx); err != nil {
		return w, err
	}
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(l.concurrency)
	for number := w.pages - 1; number > 1 && groupCtx.Err() == nil; number-- {
		group.Go(func() error {
			return crash.Catch(func() error {
				_, _, err := w.readPage(groupCtx, number)
				return err
			})
		})
	}
	err := cmp.Or(group.Wait(), ctx.Err()) // If it ended between two requests.
	if c := (*crash.Crash)(nil); errors.As(err, &c) {
		panic(c)
	}
	if err == nil && w.pages > 1 && (w.least != w.most || w.short() > max(0, w.difference) || w.foundNew) {
		_, _, err = w.readPage(ctx, 1)
	}
	if err != nil {
		return w, err
	}
	w.places = nil
	w.sort()
	if missing := without(w.known, w.items, w.id); w.query != nil && len(missing) <= few(len(w.known)) {
		err = w.confirm(ctx, missing)
	}
	return w, err
}

// isKnown reports whether earlier passes listed that id.
func (w *walk[T]) isKnown(id int64) bool {
	_, found := sort.Find(len(w.known), func(i int) int { return cmp.Compare(id, w.id(&w.known[i])) }) // Copies no record.
	return found
}

func (w *walk[T]) sort() {
	sort.Slice(w.items, func(i, j int) bool { return w.id(&w.items[i]) < w.id(&w.items[j]) })
}

// confirm queries known records that were not listed by their ids, and adds those that are not gone.
//
// Sometimes that proves nothing: an account may not query single records, a gateway may answer, and one that exists may not match the
// search any more.
// Then a record stays until a second walk in a row has not listed it.
func (w *walk[T]) confirm(ctx context.Context, missing []T) error {
	for i := range missing {
		id := w.id(&missing[i])
		item, err := w.query(ctx, id)
		e := (*yeastar.Error)(nil)
		switch class := yeastar.ClassOf(err); {
		case class == yeastar.NotFound && errors.As(err, &e) && e.FromAPI():
		case class == yeastar.OK && !w.partial:
			w.client.Observer.Repair()
			w.items = append(w.items, item)
			w.added++
		case class == yeastar.OK, class == yeastar.Denied, class == yeastar.Invalid, class == yeastar.NotFound:
			if _, again := slices.BinarySearch(w.vanished, id); !again {
				w.items = append(w.items, missing[i])
				w.added++
				w.uncertain = append(w.uncertain, id)
			}
		default:
			return err
		}
	}
	if len(missing) > 0 {
		w.sort()
	}
	return nil
}

// inconsistent makes the error of a list that cannot be complete.
func (l *pagedList[T]) inconsistent(format string, args ...any) *yeastar.Error {
	return &yeastar.Error{Account: l.client.Account, Endpoint: l.endpoint, Class: yeastar.Invalid, Message: fmt.Sprintf(format, args...), Advice: "if it persists, run ycm_exporter --doctor"}
}

// without returns the records of a that are not in b. Both are sorted by id.
func without[T any](a, b []T, id func(*T) int64) []T {
	var rest []T
	for i := range a {
		for len(b) > 0 && id(&b[0]) < id(&a[i]) {
			b = b[1:]
		}
		if len(b) == 0 || id(&b[0]) != id(&a[i]) {
			rest = append(rest, a[i])
		}
	}
	return rest
}
