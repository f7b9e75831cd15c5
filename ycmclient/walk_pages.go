package ycmclient

import (
	"context"
	"errors"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// findEnd reads page 1, which reports the total and how large a page is, and finds the last page: the one that these and the
// difference of the last time make the last, if YCM has it and it is not the page after it.
func (w *walk[T]) findEnd(ctx context.Context) error {
	p, _, err := w.readPage(ctx, 1)
	if err != nil {
		return err
	}
	if int64(p.rows) < p.total.Value {
		w.size = p.rows
	}
	most := min(64+8*w.pagesFor(p.total.Value), maxPages)
	end, next := 0, w.pagesFor(p.total.Value-w.difference) // end is the first page that there is not, 0 if that is not known.
	for {
		if next == w.pages && end == 0 && w.mayContinue(p) {
			next++
		}
		if next == w.pages {
			return nil
		}
		if next > most {
			return w.inconsistent("YCM reports %d records; the list has more than %d pages", p.total.Value, most)
		}
		var there bool
		if p, there, err = w.readPage(ctx, next); err != nil {
			return err
		}
		switch {
		case !there:
			end, next = next, (w.pages+next)/2
		case end > 0:
			w.pages, next = next, (next+end)/2
		default:
			w.pages = next
		}
		w.size = max(w.size, p.rows)
	}
}

// mayContinue is whether the list may continue after a page that should be the last: YCM counts more records, or the page is full
// and nothing confirms that YCM counts all of them.
func (w *walk[T]) mayContinue(p page[T]) bool {
	upTo := (w.pages-1)*w.size + p.rows // Records on this page and before it.
	return int64(upTo) < p.total.Value || p.rows >= w.size && (w.again || w.difference != 0 || len(w.known) == 0 || len(w.known) > upTo)
}

// pagesFor is how many pages a total makes, at least one.
func (w *walk[T]) pagesFor(total int64) int {
	size := int64(w.size)
	return int(max(1, (total+size-1)/size))
}

// readPage requests a page and records it, if there is such a page.
func (w *walk[T]) readPage(ctx context.Context, number int) (p page[T], there bool, err error) {
	if p, err = w.requestPage(ctx, number); err == nil {
		there, err = w.keep(p, number)
	}
	return p, there, err
}

// requestPage requests a page. One without records is past the end, where YCM may also refuse a page or fail: whether that is so
// depends on page 1.
func (w *walk[T]) requestPage(ctx context.Context, number int) (page[T], error) {
	p, err := w.fetch(ctx, number)
	class := yeastar.ClassOf(err)
	refused := class == yeastar.NotFound || class == yeastar.Invalid || class == yeastar.Denied || class == yeastar.Server
	if number == 1 || !refused {
		return p, err
	}
	if e := (*yeastar.Error)(nil); class == yeastar.NotFound && errors.As(err, &e) && e.FromAPI() {
		return page[T]{}, nil // By YCM itself, and not by a gateway that does not know the path.
	}
	if first, firstErr := w.fetch(ctx, 1); firstErr == nil && number > w.pagesFor(first.total.Value) {
		return page[T]{}, nil
	}
	return p, err
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
		return false, w.inconsistent("page %d has no total", number)
	case total < 0 || total > maxTotal || len(w.items) > maxTotal:
		return false, w.inconsistent("YCM reports %d records or lists more than %d, which is not possible", total, maxTotal)
	case p.rows == 0 && total > 0:
		return false, w.inconsistent("YCM reports %d records but lists none", total)
	case p.rows > PageSize:
		return false, w.inconsistent("page %d has more than the %d records that were requested", number, PageSize)
	case p.rows > 0 && len(p.items) == 0:
		return false, w.inconsistent("page %d has %d records, none with a valid id", number, p.rows)
	}
	news := p.rows == 0
	for i := 0; i < len(p.items) && !news; i++ {
		at, known := w.places[w.id(&p.items[i])]
		news = !known || int(at.page) == number || int(at.page) == w.pages && number == w.pages-1 // The end may be a repetition.
	}
	if !news && number > w.pagesFor(total-max(0, w.difference)) {
		return false, nil
	}
	if w.items == nil { // The first page.
		const usual = 100_000
		w.items = make([]T, 0, min(total, usual)+PageSize)
		w.least, w.most = total, total
	}
	w.total, w.least, w.most = total, min(w.least, total), max(w.most, total)
	if !news && w.least == w.most {
		return false, w.inconsistent("page %d has no new records: YCM ignores the page number", number)
	}
	unusable := p.rows - len(p.items)
	w.listed += int64(unusable - w.unusable[number])
	w.unusable[number] = unusable
	for i := range p.items {
		id := w.id(&p.items[i])
		w.foundNew = w.foundNew || !w.isKnown(id)
		at, known := w.places[id]
		if known {
			w.items[at.index] = p.items[i]
		} else {
			at.index = int32(len(w.items))
			w.items = append(w.items, p.items[i])
			w.listed++
		}
		at.page = int32(number)
		w.places[id] = at
	}
	report(w.client, p.records...)
	if w.progress != nil {
		w.progress(min(len(w.items), int(total)), int(total))
	}
	return true, nil
}
