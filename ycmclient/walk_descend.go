package ycmclient

import "context"

// start finds the last page, looking first where it is thought to be, and reads it. The list has as many pages by an
// answer of this walk; if it grows after that, the walk owes nothing to what is new.
func (w *walker[T]) start(ctx context.Context, number int) (top page[T], last int, err error) {
	const beyond = MaxTotal + 1
	low, high := 0, beyond // The highest page that is known to be there, the lowest that is known not to be.
	for {
		if top, err = w.read(ctx, number, nil); err != nil {
			return top, 0, err
		}
		pages := w.pagesFor(top.total.Value)
		there := number == 1 || !top.past
		switch {
		case there && number+1 == high, there && low > 0 && pages > number && high == beyond:
			return top, number, nil
		case there && pages <= number:
			// A full last page proves nothing before it is known whether the total is true.
			if !w.unsure || top.rows < w.size() {
				return top, number, nil
			}
			low, high = number, max(high, number+1)
			number++
			continue
		case there:
			low, high = number, max(high, number+1)
		default:
			low, high = min(low, number-1), number
		}
		if low < pages && pages < high && pages != number {
			number = pages
		} else {
			number = max(1, (low+high)/2)
		}
	}
}

// descend reads the list from its last page, which has been read, to its first.
func (w *walker[T]) descend(ctx context.Context, top page[T], last int) error {
	w.pages = last // Higher ones that were there are gone, or an answer said so.
	w.items = w.room(top.total.Value)
	// Each reader descends through a range of pages of its own; the topmost has read its first page already.
	readers := min(w.readers, (last+1)/2)
	bottom := func(reader int) int { return last * reader / readers }
	w.keep(top, last, 1<<(readers-1))
	group, ctxOfAll := newReaders(ctx)
	for reader := range readers {
		first := bottom(reader + 1)
		above := page[T]{past: true}
		if reader == readers-1 {
			first--
			above = top
		}
		group.start(func() error { return w.descendRange(ctxOfAll, above, first, bottom(reader), 1<<reader) })
	}
	if err := group.wait(); err != nil {
		return err
	}

	// What moved from one range into the one beneath, behind that one's reader and before its own reader came, lies
	// just above the records that the reader beneath has seen.
	group, ctxOfAll = newReaders(ctx)
	for reader := range readers - 1 {
		group.start(func() error {
			return w.follow(ctxOfAll, bottom(reader+1), -1, 0, func(_ page[T], before readerSet) bool { return before&(1<<reader) != 0 })
		})
	}
	if err := group.wait(); err != nil {
		return err
	}
	if err := w.checkEnd(ctx, last); err != nil {
		return err
	}
	return w.catchUp(ctx, 1<<(readers-1))
}

// descendRange reads the pages from first down to the one above bottom; above is the page that was read before.
func (w *walker[T]) descendRange(ctx context.Context, above page[T], first, bottom int, reader readerSet) error {
	room := make([]T, 0, PageSize)
	ids, total := w.idsOf(above, nil), above.total.Value
	mayRepeat := !w.fits(above, first+1) // The last page may be past the end, where some servers repeat the page before.
	for number := first; number > bottom; number-- {
		p, err := w.read(ctx, number, room)
		if err != nil {
			return err
		}
		if w.repeats(p, ids) && p.total.Value >= total && !mayRepeat {
			return w.lie("page %d brings nothing new: it is the same as page %d", number, number+1)
		}
		w.keep(p, number, reader)
		ids, total, mayRepeat = w.idsOf(p, ids), p.total.Value, false
	}
	return nil
}

// checkEnd looks past the last page where that could be more than the end: where it is full, or anything was not as it
// should be.
func (w *walker[T]) checkEnd(ctx context.Context, last int) error {
	next := w.pagesFor(w.total) + 1
	if w.suspicious() {
		next = last + 1
	} else if w.end == last+1 {
		return nil
	} else if count := w.count(w.total); count == 0 || count%int64(w.size()) != 0 {
		return nil // The last page was short.
	}
	p, err := w.read(ctx, next, nil)
	if err != nil {
		return err
	}
	if w.irregular && !p.past {
		w.owe(p)
	}
	return nil
}

// suspicious tells whether a last page that is short does not prove that the list ends there: where anything was not as
// it should be, or where the only page of the first walk may be short because all pages are.
func (w *walker[T]) suspicious() bool {
	sizeUnknown := w.unsure && w.pages == 1 && w.largest > 0 && w.largest < PageSize
	return w.irregular || w.state.Uneven || sizeUnknown
}
