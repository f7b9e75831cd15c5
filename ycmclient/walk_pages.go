package ycmclient

import (
	"context"
	"errors"
	"slices"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

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

// read asks for a page. One that is refused, or that has another number of records than its own total leaves for it,
// may have been counted before and listed after a change, so it is asked for a second time. One that is refused, or
// where YCM fails, is past the end if page 1 says so; a refused one also if YCM itself refuses it twice.
func (w *walker[T]) read(ctx context.Context, number int, room []T) (page[T], error) {
	p, err := w.readOnce(ctx, number, room)
	class := yeastar.ClassOf(err)
	refused := class == yeastar.Invalid || class == yeastar.NotFound
	failed := number > 1 && (class == yeastar.Server || class == yeastar.Denied) && w.mayEndBefore(number)
	switch {
	case err != nil && !refused && !failed, err == nil && w.fits(p, number):
		return p, err
	case err != nil && number > 1:
		first, firstErr := w.readOnce(ctx, 1, nil)
		if firstErr != nil {
			return p, err
		}
		if w.beyond(number, first.total.Value) {
			return w.none(number), nil
		}
		if failed {
			return p, err
		}
	}
	if refused || number == 1 && p.rows == 0 || w.trusting() {
		if p, err = w.readOnce(ctx, number, room); err == nil && w.fits(p, number) {
			return p, nil
		}
	}
	if number > 1 && saysNone(err) {
		p, err = w.none(number), nil
	}
	if err != nil {
		return p, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.irregular, w.patient = true, false
	if number == 1 && p.rows == 0 {
		return p, w.lie("YCM counts %d records and lists none", p.total.Value)
	}
	return p, nil
}

// none is the page that there is not.
func (w *walker[T]) none(number int) page[T] {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.past(number)
	return page[T]{past: true}
}

// saysNone tells whether YCM itself says that it does not have what was asked for: a broken gateway may say so, too.
func saysNone(err error) bool {
	var e *yeastar.Error
	return errors.As(err, &e) && e.Class == yeastar.NotFound && e.Code != 0
}

// refusedForNow tells whether YCM refused for want of budget, and the pause after that is worth waiting for.
func refusedForNow(err error) bool {
	return yeastar.ClassOf(err) == yeastar.RateLimited && !errors.Is(err, errPaused)
}

// readOnce asks for a page.
func (w *walker[T]) readOnce(ctx context.Context, number int, room []T) (page[T], error) {
	const search, forEachPage = 64, 8
	w.mu.Lock()
	w.requests++
	w.asked++
	most := search + forEachPage*w.base
	tooMany := w.asked > most || len(w.items) > MaxTotal
	place := len(w.items) > 0
	w.mu.Unlock()
	if tooMany {
		return page[T]{}, w.lie("the list changes faster than it can be read: gave up after %d requests", most)
	}
	p, err := w.fetch(ctx, number, room)
	if place && refusedForNow(err) { // What was read is worth another row of pauses.
		p, err = w.fetch(ctx, number, room)
	}
	if err != nil {
		return p, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch total := p.total.Value; {
	case p.rows == 0 && number > 1 && !p.total.Given:
		p.past = true
	case !p.total.Given:
		return p, w.lie("page %d has records and no total", number)
	case total < 0 || total > MaxTotal:
		return p, w.lie("YCM counts %d records, which cannot be", total)
	case p.rows > PageSize:
		return p, w.lie("page %d has more than the %d records that were asked for", number, PageSize)
	case p.rows > 0 && len(p.items) == 0:
		return p, w.lie("page %d has %d records and none with a usable id", number, p.rows)
	case 2*w.stutters(p.items) > p.rows:
		return p, w.lie("page %d has the same record again and again", number)
	default:
		confirmed := w.state.Uneven && number <= w.state.Pages
		p.past = number > 1 && (p.rows == 0 || w.pagesFor(total) < number && !confirmed)
	}
	if p.past { // What it says of the total is not to be used.
		w.past(number)
		w.owe(p)
	} else {
		w.record(p, number)
	}
	return p, nil
}

// record takes over what a page tells of the list, with w.mu held.
func (w *walker[T]) record(p page[T], number int) {
	if w.total = p.total.Value; w.base == 0 {
		w.least, w.begun = w.total, w.total
	}
	if w.base == 0 || w.total <= w.begun {
		w.base = max(w.base, number, w.pagesFor(w.total))
	}
	w.least, w.most = min(w.least, w.total), max(w.most, w.total)
	w.largest = max(w.largest, p.rows)
	if number == 1 && w.count(w.total) > int64(p.rows) {
		w.first = p.rows
	}
	if p.rows > 0 {
		w.pages = max(w.pages, number)
	}
	if number >= w.end {
		w.end = 0
	}
}

// owe takes over the records of a page that should not be there, with w.mu held: some servers repeat other pages there,
// but if any is new, the list has more than its total says.
func (w *walker[T]) owe(p page[T]) {
	for i := range p.items {
		if len(w.owed) < MaxTotal {
			w.owed = append(w.owed, w.id(&p.items[i]))
		}
	}
}

// past takes over that there is no such page, with w.mu held.
func (w *walker[T]) past(number int) {
	if w.end == 0 || number < w.end {
		w.end = number
	}
}

// beyond tells whether a list with a total is thought to end before a page.
func (w *walker[T]) beyond(number int, total int64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return number > w.pagesFor(total)
}

// mayEndBefore tells whether the list may end before a page, by what is known so far.
func (w *walker[T]) mayEndBefore(number int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.base == 0 || number > w.pagesFor(w.total)
}

// fits tells whether a page has as many records as its own total leaves for it. One past the end fits if that is by
// its total.
func (w *walker[T]) fits(p page[T], number int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	size := int64(w.size())
	due := min(max(0, w.count(p.total.Value)-int64(number-1)*size), size)
	return p.past && due == 0 || int64(p.rows) == due || p.past && !p.total.Given
}

// trusting tells whether a page that does not fit may be so because of a change between count and list: not if it was
// so a second time before, or if the total is known to be wrong.
func (w *walker[T]) trusting() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.patient
}

// keep takes over a page's records, seen by the reader (0: none of them), and returns who had seen any of them before.
func (w *walker[T]) keep(p page[T], number int, reader readerSet) (before readerSet) {
	if p.past {
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
	w.distinct = len(w.items)
	for _, field := range p.unexpected {
		w.client.observer.Unexpected(field)
	}
	if reader != 0 && p.rows > len(p.items) {
		w.unusable[number] = p.rows - len(p.items)
	}
	switch rises, falls := w.order(p.items); {
	case rises && falls:
		w.mixed = true
	case rises:
		w.rose = true
	case falls:
		w.fell = true
	}
	if w.progress != nil {
		w.progress(min(len(w.items), int(w.total)), int(w.total))
	}
	return before
}

// order tells whether any id of a page is above the one before it, and whether any is below.
func (w *walker[T]) order(items []T) (rises, falls bool) {
	for i := 1; i < len(items); i++ {
		before, now := w.id(&items[i-1]), w.id(&items[i])
		rises, falls = rises || before < now, falls || before > now
	}
	return rises, falls
}

// stutters tells how many records of a page have the id of the one before.
func (w *walker[T]) stutters(items []T) int {
	same := 0
	for i := 1; i < len(items); i++ {
		if w.id(&items[i]) == w.id(&items[i-1]) {
			same++
		}
	}
	return same
}

// repeats tells whether a page has the ids that the page before it had. A page without records repeats nothing.
func (w *walker[T]) repeats(p page[T], before []int64) bool {
	return len(before) > 0 && slices.EqualFunc(p.items, before, func(item T, id int64) bool { return w.id(&item) == id })
}

// idsOf puts the ids of a page into room.
func (w *walker[T]) idsOf(p page[T], room []int64) []int64 {
	room = room[:0]
	for i := range p.items {
		room = append(room, w.id(&p.items[i]))
	}
	return room
}

// room makes room for the records of a total, as far as that can be true of a fleet.
func (w *walker[T]) room(total int64) []T {
	const usual = 100_000
	return make([]T, 0, min(w.count(total), usual)+PageSize)
}

func (w *walker[T]) knowsAll(items []T) bool {
	for i := range items {
		if _, known := w.places[w.id(&items[i])]; !known {
			return false
		}
	}
	return true
}
