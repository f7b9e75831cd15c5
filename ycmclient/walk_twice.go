package ycmclient

import (
	"context"
	"slices"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// whole reads the list with a new walker, and a second time, from its first page to its end, if the first reading is not
// sound. Two readings that are not sound are taken for true if they have the same records, but for those that are newer or that
// are gone when they are asked for. It returns the walker that read last, its items sorted by id, with what the readings
// before have beside them, where that is still to be asked for; and keeps what was learned in state.
//
// exists asks for a record by its id. Without it, all that are not newer count as being there.
func whole[T any](ctx context.Context, state *WalkState, walker func(WalkState) *walker[T], exists func(ctx context.Context, id int64) (bool, error)) (last *walker[T], others []T, err error) {
	known := state.sane()
	first := walker(known)
	err = first.walk(ctx)
	if first.other && (yeastar.ClassOf(err) == yeastar.Invalid || err == nil && !first.sound()) {
		// What the way that is not safe has missed says nothing.
		known.Walks = 2
		safe := walker(known)
		safe.requests, safe.newest = first.requests, max(safe.newest, first.highest())
		err = safe.walk(ctx)
		others = without(first.items, safe.items, safe.id)
		first = safe
	}
	if err != nil {
		return nil, nil, err
	}
	if first.sound() {
		*state = known.after(&first.reading, known.Difference)
		return first, others, nil
	}
	learned := known.after(&first.reading, known.Difference)
	learned.Uneven = true
	second := walker(learned)
	second.newest, second.requests, second.unsure = first.highest(), first.requests, true
	second.other = !learned.Falling // So that it ascends, and finds the end whatever the total says.
	if err := second.walk(ctx); err != nil {
		return nil, nil, err
	}
	others = without(first.items, second.items, second.id)
	difference := known.Difference
	if !second.sound() {
		if err := second.agrees(ctx, first, others, exists); err != nil {
			return nil, nil, err
		}
		others, difference = nil, second.total-second.seen()
	}
	*state = learned.after(&second.reading, difference)
	return second, others, nil
}

// agrees returns an error unless another reading, which has the others beside the records of this one, has the same.
func (w *walker[T]) agrees(ctx context.Context, first *walker[T], others []T, exists func(context.Context, int64) (bool, error)) error {
	newest := first.highest()
	missed := slices.DeleteFunc(without(w.items, first.items, w.id), func(item T) bool { return w.id(&item) > newest })
	doubtful := slices.Concat(others, missed)
	disagree := w.lie("YCM counts %d records and lists %d, and before that %d of %d, which are not the same", w.total, w.seen(), first.seen(), first.total)
	if exists == nil && len(doubtful) > 0 || len(doubtful) > few(len(w.items)) {
		return disagree
	}
	for i := range doubtful {
		w.requests++
		switch there, err := exists(ctx, w.id(&doubtful[i])); {
		case err != nil:
			return err
		case there:
			return disagree
		}
	}
	return nil
}

// few is how many records of a list may be asked for one by one.
func few(records int) int { return max(10, records/50) }

// highest is the highest id of the sorted items, 0 if there are none.
func (w *walker[T]) highest() int64 {
	if len(w.items) == 0 {
		return 0
	}
	return w.id(&w.items[len(w.items)-1])
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
