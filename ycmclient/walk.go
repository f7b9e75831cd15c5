package ycmclient

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/ycm-exporter/ycm_exporter/yeastar"
)

// walker reads the whole of a paged list that changes while it is read. All it needs of the list is an order in
// which new records come last.
//
// A deletion moves the records behind it to lower pages. So the pages are read from the last to the first: whatever
// has not been read yet lies on a page that is still to be read, and stays so. A record that moved may be read
// twice, and the later reading counts.
type walker[T any] struct {
	client   *Client
	endpoint string
	fetch    func(ctx context.Context, number int, room []T) (page[T], error)
	id       func(*T) int64
	readers  int                   // How many pages are read at a time.
	progress func(done, total int) // May be nil.

	mu       sync.Mutex
	items    []T
	places   map[int64]place
	unusable int   // Records that could not be kept, which are counted as seen.
	total    int64 // As the latest answer has it.
	requests int
	most     int // Requests after which the walk ends in an error.
}

// place is where a record is kept, and which readers have seen it.
type place struct {
	index int32
	seen  readerSet
}

// readerSet is a set of readers, a bit for each.
type readerSet uint16

// firstCatchUp is the first of the readers that come after those of the ranges, to catch up with what was created
// meanwhile. There is room for a few of them.
const firstCatchUp readerSet = 1 << maxReaders

// maxTotal is the largest list that is believed.
const maxTotal = 1_000_000

// walk reads the list; page guess is thought to be its last. The items are in no order then.
func (w *walker[T]) walk(ctx context.Context, guess int) error {
	defer w.client.budget.reserve(w.readers)()
	const search = 64
	w.most = search
	top, last, err := w.start(ctx, max(guess, 1))
	if err != nil {
		return err
	}
	w.most = search + 8*last
	w.items = make([]T, 0, top.total.value+pageSize)
	w.places = make(map[int64]place, cap(w.items))

	// Each reader descends through a range of pages of its own; the topmost has read its first page already.
	readers := min(w.readers, (last+1)/2)
	bottom := func(reader int) int { return last * reader / readers }
	w.keep(top, 1<<(readers-1))
	group, ctxOfAll := newReaders(ctx)
	for reader := range readers {
		first := bottom(reader + 1)
		if reader == readers-1 {
			first--
		}
		group.start(func() error { return w.descend(ctxOfAll, first, bottom(reader), 1<<reader) })
	}
	if err := group.wait(); err != nil {
		return err
	}

	// What moved from one range into the one beneath, behind that one's reader and before its own reader came, lies
	// just above the records that the reader beneath has seen.
	group, ctxOfAll = newReaders(ctx)
	for reader := range readers - 1 {
		group.start(func() error {
			_, err := w.descendTo(ctxOfAll, bottom(reader+1), 1<<reader, 0)
			return err
		})
	}
	if err := group.wait(); err != nil {
		return err
	}
	if err := w.checkEnd(ctx); err != nil {
		return err
	}
	return w.catchUp(ctx, 1<<(readers-1))
}

// start finds the last page, looking first where it is thought to be, and reads it. The list has as many pages by an
// answer of this walk; if it grows after that, the walk owes nothing to what is new.
func (w *walker[T]) start(ctx context.Context, number int) (top page[T], last int, err error) {
	for grown := false; ; {
		if top, err = w.read(ctx, number, nil); err != nil {
			return top, 0, err
		}
		pages := max(top.pages(), 1)
		if pages == number || grown {
			return top, number, nil
		}
		grown = pages > number
		number = pages
	}
}

// descend reads the pages from first down to the one above bottom.
func (w *walker[T]) descend(ctx context.Context, first, bottom int, reader readerSet) error {
	room := make([]T, 0, pageSize)
	for number := first; number > bottom; number-- {
		p, err := w.read(ctx, number, room)
		if err != nil {
			return err
		}
		w.keep(p, reader)
	}
	return nil
}

// descendTo reads the pages from first down to one with a record that one of the known readers has seen, all as the
// reader given (0: as none). It returns how many pages that took.
func (w *walker[T]) descendTo(ctx context.Context, first int, known, reader readerSet) (pages int, err error) {
	for number := first; number > 0; number-- {
		p, err := w.read(ctx, number, nil)
		if err != nil {
			return 0, err
		}
		pages++
		if w.keep(p, reader)&known != 0 {
			break
		}
	}
	return pages, nil
}

// checkEnd makes sure that the list ends where its total says.
func (w *walker[T]) checkEnd(ctx context.Context) error {
	if w.total == 0 || w.total%pageSize != 0 {
		return nil // The last page was short.
	}
	p, err := w.read(ctx, pagesOf(w.total)+1, nil)
	if err != nil {
		return err
	}
	if p.pastEnd && !w.knowsAll(p.items) { // Some servers repeat the last page there.
		return w.lie("YCM counts %d records and lists more", w.total)
	}
	return nil
}

// catchUp makes sure that as many records were seen as there are, reading what was created during the walk. known is
// the topmost reader.
func (w *walker[T]) catchUp(ctx context.Context, known readerSet) error {
	for reader := firstCatchUp; reader != 0; reader <<= 1 {
		if w.seen() >= w.total {
			return nil
		}
		last := pagesOf(w.total)
		pages, err := w.descendTo(ctx, last, known, reader)
		if err != nil {
			return err
		}
		// If one answer showed both the end of the list and a record from before, nothing was left to be seen.
		if atOnce := pages == 1 && pagesOf(w.total) == last; atOnce && w.seen() < w.total {
			return w.lie("YCM counts %d records and lists %d", w.total, w.seen())
		}
		known |= reader
	}
	return w.lie("the list changes faster than it can be read: YCM counts %d records and %d were seen", w.total, w.seen())
}

// seen tells how many records were seen.
func (w *walker[T]) seen() int64 { return int64(len(w.items) + w.unusable) }

// read asks for a page. One that is refused or contradicts itself may have vanished with the end of the list, which
// the first page tells; or it was counted before and listed after a change. It is asked for a second time then.
func (w *walker[T]) read(ctx context.Context, number int, room []T) (page[T], error) {
	p, err := w.readOnce(ctx, number, room)
	if class := yeastar.ClassOf(err); class != yeastar.Invalid && class != yeastar.NotFound {
		return p, err
	}
	if number > 1 {
		first, firstErr := w.readOnce(ctx, 1, nil)
		if firstErr != nil {
			return p, err
		}
		if number > first.pages() {
			return page[T]{total: first.total, pastEnd: true}, nil
		}
	}
	return w.readOnce(ctx, number, room)
}

// readOnce asks for a page and checks it against itself.
func (w *walker[T]) readOnce(ctx context.Context, number int, room []T) (page[T], error) {
	w.mu.Lock()
	w.requests++
	tooMany := w.requests > w.most
	w.mu.Unlock()
	if tooMany {
		return page[T]{}, w.lie("the list changes faster than it can be read: gave up after %d requests", w.most)
	}
	p, err := w.fetch(ctx, number, room)
	if err != nil {
		return p, err
	}
	total := p.total.value
	if !p.total.given || total < 0 || total > maxTotal {
		return p, w.lie("YCM counts %d records, which cannot be", total)
	}
	w.mu.Lock()
	w.total = total
	w.mu.Unlock()
	due := min(total-int64(number-1)*pageSize, pageSize)
	switch p.pastEnd = due <= 0 && number > 1; {
	case p.pastEnd:
		return p, nil
	case p.number.given && p.number.value != int64(number):
		return p, w.lie("page %d was asked for and page %d came", number, p.number.value)
	case p.size.given && p.size.value != pageSize:
		return p, w.lie("pages of %d were asked for and one of %d came", pageSize, p.size.value)
	case int64(p.rows) != due:
		return p, w.lie("page %d has %d records instead of the %d that a total of %d leaves for it", number, p.rows, due, total)
	case p.rows > 0 && len(p.items) == 0:
		return p, w.lie("page %d has %d records and none with a usable id", number, p.rows)
	}
	return p, nil
}

// keep takes over a page's records, seen by the reader (0: none of them), and returns who had seen any of them before.
func (w *walker[T]) keep(p page[T], reader readerSet) (before readerSet) {
	if p.pastEnd {
		return 0
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range p.items {
		id := w.id(&p.items[i])
		at, known := w.places[id]
		if !known {
			at.index = int32(len(w.items))
			w.items = append(w.items, p.items[i])
		}
		w.items[at.index] = p.items[i] // The later reading counts.
		before |= at.seen
		at.seen |= reader
		w.places[id] = at
	}
	if reader != 0 && reader < firstCatchUp {
		w.unusable += p.rows - len(p.items)
	}
	if w.progress != nil {
		w.progress(min(len(w.items), int(w.total)), int(w.total))
	}
	return before
}

func (w *walker[T]) knowsAll(items []T) bool {
	return !slices.ContainsFunc(items, func(item T) bool {
		_, known := w.places[w.id(&item)]
		return !known
	})
}

// lie makes the error of a list that cannot be true.
func (w *walker[T]) lie(format string, args ...any) error {
	return &yeastar.Error{Account: w.client.account, Endpoint: w.endpoint, Class: yeastar.Invalid, Message: fmt.Sprintf(format, args...)}
}
