package ycmclient

import "context"

// ascend reads the list from its first page, which has been read, to its end. It needs no total to find that: the list
// ends where a page brings nothing.
func (w *walker[T]) ascend(ctx context.Context, p page[T]) error {
	var (
		done   int     // Up to here, all has been read that was there when the last page was.
		ids    []int64 // Of the last page that was read.
		left   bool    // By that page's total there is more behind it, or may be.
		total  = p.total.Value
		fallen int64 // By how much the total has fallen since.
		again  bool  // The last page was read a second time, to make sure of the end.
	)
	w.items = w.room(total)
	for number := 1; ; {
		nothing := number > 1 && (p.past || !w.fits(p, number)) && w.knowsAll(p.items)
		if !nothing && p.past { // YCM counts less than it lists.
			p.past, w.irregular = false, true
			w.record(p, number)
		}
		before := total
		if !p.past {
			total = p.total.Value
			fallen += max(0, before-total)
		}
		size := int64(w.size())
		from := max(1, done+1-int((fallen+size-1)/size))
		switch {
		case nothing && (!left || again):
			return w.catchUp(ctx, 1)
		case nothing:
			// What was left for this page was deleted, or moved to the page before it, which that shows; or YCM counts
			// more than it lists.
			number, again = done, true
		case number == done+1 && w.repeats(p, ids) && total <= before:
			return w.lie("page %d brings nothing new: it is the same as page %d", number, done)
		case number > from:
			w.keep(p, number, 1)
			number = from
		default:
			w.keep(p, number, 1)
			again = again && number <= done
			done, fallen, ids = number, 0, w.idsOf(p, ids)
			end := int64(done-1)*size + int64(p.rows)
			left = w.count(total) > end || w.unsure && int64(p.rows) == size
			if int64(p.rows) < size && w.count(total) == end && !w.suspicious() {
				return w.catchUp(ctx, 1)
			}
			number++
		}
		var err error
		if p, err = w.read(ctx, number, nil); err != nil {
			return err
		}
	}
}
