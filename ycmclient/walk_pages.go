package ycmclient

import (
	"context"
	"errors"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// findEnd finds the last page and reads it. If the list is as long as the last time, that is one request. Otherwise page 1
// reports the total and how large a page is, and the search goes up from the page that these make the last, or down to page 1.
func (w *walk[T]) findEnd(ctx context.Context) error {
	low := max(w.state.Pages, 1) // A page that there is.
	p, err := w.readPage(ctx, low, nil)
	if err != nil {
		return err
	}
	total, difference := p.total.Value, w.state.Difference
	upTo := int64((low-1)*w.size + p.rows) // Records on this page and before it.
	asBefore := w.state.Pages > 0 && (p.rows > 0 || low == 1) && w.pagesFor(total-min(0, difference)) >= low &&
		upTo >= total-max(0, difference) && (p.rows < w.size || difference >= 0)
	if !asBefore && low > 1 {
		low, w.size = 1, PageSize
		if p, err = w.readPage(ctx, 1, nil); err != nil {
			return err
		}
	}
	if _, err = w.keep(p, low); err != nil {
		return err
	}
	next, high := low, 0 // high is the first page that there is not, if that is known.
	if !asBefore {
		if int64(p.rows) < p.total.Value {
			w.size = p.rows
		}
		next = w.pagesFor(p.total.Value)
	}
	if next == low && (asBefore && upTo < total || !asBefore && p.rows >= w.size) {
		next++ // The total may be wrong.
	}
	for most := min(64+8*w.pagesFor(p.total.Value), maxPages); next != low; {
		if next > most {
			return w.inconsistent("YCM counts %d records, which are more than %d pages or listed on more", w.total, most)
		}
		if p, err = w.readPage(ctx, next, nil); err != nil {
			return err
		}
		there, err := w.keep(p, next)
		if err != nil {
			return err
		}
		switch {
		case !there:
			high, next = next, (low+next)/2
		case high > 0:
			low, next = next, (next+high)/2
		case p.rows >= w.size:
			low, next = next, next+1
		default:
			low = next
		}
		w.size = max(w.size, p.rows)
	}
	w.pages = low
	return nil
}

// pagesFor is how many pages a total makes, at least one.
func (w *walk[T]) pagesFor(total int64) int {
	size := int64(w.size)
	return int(max(1, (total+size-1)/size))
}

// readPage requests a page. One without records is past the end, where YCM may also refuse a page or fail: whether that is so
// depends on page 1. If it is not, the page is requested again, because its query or the list may have changed with page 1.
func (w *walk[T]) readPage(ctx context.Context, number int, room []T) (page[T], error) {
	p, err := w.request(ctx, number, room)
	class := yeastar.ClassOf(err)
	refused := class == yeastar.NotFound || class == yeastar.Invalid || class == yeastar.Denied || class == yeastar.Server
	if number == 1 || !refused {
		return p, err
	}
	if e := (*yeastar.Error)(nil); class == yeastar.NotFound && errors.As(err, &e) && e.Code != 0 {
		return page[T]{}, nil // By YCM itself, and not by a gateway that does not know the path.
	}
	first, firstErr := w.request(ctx, 1, nil)
	switch {
	case firstErr != nil:
		return p, err
	case number > w.pagesFor(first.total.Value):
		return page[T]{}, nil
	default:
		return w.request(ctx, number, room)
	}
}

func (w *walk[T]) request(ctx context.Context, number int, room []T) (page[T], error) {
	w.requests.Add(1)
	return w.fetch(ctx, number, room, w.known)
}

// keep checks a page and records it. It is false for a page past the end. There some servers repeat another page.
func (w *walk[T]) keep(p page[T], number int) (there bool, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	total := p.total.Value
	switch {
	case p.rows == 0 && number > 1:
		return false, nil
	case !p.total.Given:
		return false, w.inconsistent("page %d has records and no total", number)
	case total < 0 || total > maxTotal || len(w.items) > maxTotal:
		return false, w.inconsistent("YCM counts %d records, which is not possible, or lists more than %d", total, maxTotal)
	case p.rows == 0 && total > 0:
		return false, w.inconsistent("YCM counts %d records and lists none", total)
	case p.rows > PageSize:
		return false, w.inconsistent("page %d has more than the %d records that were requested", number, PageSize)
	case p.rows > 0 && len(p.items) == 0:
		return false, w.inconsistent("page %d has %d records and none with a usable id", number, p.rows)
	}
	news := p.rows == 0
	for i := 0; i < len(p.items) && !news; i++ {
		at, seen := w.places[w.id(&p.items[i])]
		news = !seen || int(at.page) == number || int(at.page) == w.pages && number == w.pages-1 // The end may be a repetition.
	}
	if !news && number > w.pagesFor(total) {
		return false, nil
	}
	if w.items == nil { // The first page.
		const usual = 100_000
		w.items = make([]T, 0, min(total, usual)+PageSize)
		w.least, w.most = total, total
	}
	w.total, w.least, w.most, w.largest = total, min(w.least, total), max(w.most, total), max(w.largest, p.rows)
	if !news && w.least == w.most {
		return false, w.inconsistent("page %d brings nothing new: YCM ignores the page number", number)
	}
	w.unusable[number] = p.rows - len(p.items)
	for i := range p.items {
		id := w.id(&p.items[i])
		at, seen := w.places[id]
		if seen {
			w.items[at.index] = p.items[i]
		} else {
			at.index = int32(len(w.items))
			w.items = append(w.items, p.items[i])
		}
		at.page = int32(number)
		w.places[id] = at
	}
	for _, field := range p.unexpected {
		w.client.observer.Unexpected(field)
	}
	if w.progress != nil {
		w.progress(min(len(w.items), int(total)), int(total))
	}
	return true, nil
}
