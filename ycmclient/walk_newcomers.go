package ycmclient

import (
	"context"
	"slices"
)

// follow reads page after page, up or down by the step, until stop is true for one of them. It takes the reader given
// for the one who sees them.
func (w *walker[T]) follow(ctx context.Context, number, step int, reader readerSet, stop func(p page[T], before readerSet) bool) error {
	for ; number > 0; number += step {
		p, err := w.read(ctx, number, nil)
		if err != nil {
			return err
		}
		if stop(p, w.keep(p, number, reader)) || p.past && step > 0 {
			return nil
		}
	}
	return nil
}

// newcomers reads what was created lately: from the end of a rising list down, or from the front of a falling one up.
func (w *walker[T]) newcomers(ctx context.Context, reader readerSet, stop func(p page[T], before readerSet) bool) error {
	if w.fell && !w.mixed {
		return w.follow(ctx, 1, 1, reader, stop)
	}
	last := w.pagesFor(w.total)
	if w.end > 0 { // Whatever the total promises: it may be wrong by hundreds of pages.
		last = min(last, w.end)
	}
	return w.follow(ctx, max(last, w.pages), -1, reader, stop)
}

// seal reads once more what is above the ids that were known before.
func (w *walker[T]) seal(ctx context.Context) error {
	return w.newcomers(ctx, firstCatchUp, func(p page[T], _ readerSet) bool {
		return slices.ContainsFunc(p.items, func(item T) bool { return w.id(&item) <= w.newest })
	})
}

// catchUp reads what was created during the walk, until as many records were seen as there are thought to be, or the
// list stays as it is without that.
func (w *walker[T]) catchUp(ctx context.Context, known readerSet) error {
	if w.other {
		if err := w.seal(ctx); err != nil {
			return err
		}
		known |= firstCatchUp
	}
	missing := w.count(w.total) - w.seen()
	for reader := firstCatchUp << 1; reader != 0; reader <<= 1 {
		seen, total := w.seen(), w.total
		if seen >= w.count(total) {
			return nil
		}
		err := w.newcomers(ctx, reader, func(_ page[T], before readerSet) bool { return before&known != 0 })
		if err != nil {
			return err
		}
		if w.seen() == seen && w.total == total {
			return nil // Nothing new was left to be seen.
		}
		known |= reader
	}
	if w.count(w.total)-w.seen() <= missing {
		return nil // The list grows, and the total is as wrong as before.
	}
	return w.lie("the list changes faster than it can be read: YCM counts %d records and %d were seen", w.total, w.seen())
}
