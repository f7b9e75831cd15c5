package doctor

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

const (
	// wholeList is how many pages a list may have to be read whole; of a longer one both ends are read.
	wholeList = 5
	// sampleSize is how many PBXs stand for the fleet.
	sampleSize = 3
)

// list is what was seen of the list of Cloud PBXs.
type list struct {
	pages      map[int]*exchange // Of those that there should be, by number.
	past       *exchange         // What came in the place of the page after the last.
	descending *exchange         // Page 1, sorted the other way.
	again      *exchange         // Page 1 once more, if the list is in no order of ids.
	single     *exchange         // One PBX, asked for by its id.
	refused    *exchange         // The question for page 1 that YCM did not understand, nil if it understood the first.

	simpler    int // By how many steps the list is asked for more simply than at first.
	size, last int // Records on a full page, and the number of the last page.
}

// record is a Cloud PBX, or another object, as it came. The names of its fields are spelled as the documentation has
// them: the exporter reads them in any case.
type record map[string]json.RawMessage

// UnmarshalJSON takes an object or null.
func (r *record) UnmarshalJSON(wire []byte) error {
	var came map[string]json.RawMessage
	if err := json.Unmarshal(wire, &came); err != nil {
		return err
	}
	*r = make(record, len(came))
	for name, value := range came {
		(*r)[cmp.Or(spellings()[strings.ToLower(name)], name)] = value
	}
	return nil
}

var spellings = sync.OnceValue(func() map[string]string {
	spellings := map[string]string{"regionid": "regionId", "regionids": "regionIds"}
	for name := range documented() {
		spellings[strings.ToLower(name)] = name
	}
	return spellings
})

func (r record) number(field string) yeastar.Number {
	var n yeastar.Number
	if wire, ok := r[field]; ok {
		_ = n.UnmarshalJSON(wire) // It takes anything.
	}
	return n
}

func (r record) text(field string) string {
	var t yeastar.Text
	if wire, ok := r[field]; ok {
		_ = t.UnmarshalJSON(wire) // It takes anything.
	}
	return t.String()
}

// page asks for a page of the list; what comes is nil if nothing was sent.
func (x *examination) page(ctx context.Context, number int, sort string) *exchange {
	query := ycmclient.PageQuery(number, sort, x.list.simpler)
	if err := x.client.ProbeList(ctx, query); len(x.list.pages) == 0 {
		x.err = err // Of other requests, what came is in the tap.
	}
	for _, e := range slices.Backward(x.tap.of(listPath)) {
		if e.query.Encode() == query.Encode() {
			return e
		}
	}
	return nil
}

const byID = "cloudPbxId"

// patience is how long a login is waited for that comes too soon after another one at the same YCM, which was refused: it
// may have been another account's.
const patience = 90 * time.Second

// begin asks for page 1.
func (l *list) begin(ctx context.Context, x *examination) {
	l.pages = map[int]*exchange{}
	e := x.page(ctx, 1, byID)
	if bar := x.barred(); e == nil && bar != nil && !bar.Until.IsZero() && time.Until(bar.Until) < patience {
		_ = yeastar.Sleep(ctx, time.Until(bar.Until)) // If ctx has ended, nothing is sent.
		e = x.page(ctx, 1, byID)
	}
	for e != nil && l.simpler < ycmclient.Simplest && ycmclient.RefusedQuery(e.asError()) {
		l.refused = cmp.Or(l.refused, e)
		l.simpler++
		e = x.page(ctx, 1, byID)
	}
	if e != nil {
		l.pages[1] = e
	}
	l.measure()
}

// measure takes over from page 1 how many pages there are.
func (l *list) measure() {
	first, ok := l.first()
	if !ok || len(first.rows) == 0 {
		return
	}
	total := int(min(max(0, first.Total.Value), ycmclient.MaxTotal))
	l.size = len(first.rows)
	if total <= l.size {
		l.size = max(l.size, ycmclient.PageSize)
	}
	l.last = max(1, (total+l.size-1)/l.size)
}

// numbers are the pages to be read beside page 1.
func (l *list) numbers() []int {
	numbers := []int{2, l.last - 1, l.last}
	if l.last <= wholeList {
		numbers = []int{2, 3, 4, 5}
	}
	return slices.DeleteFunc(slices.Compact(numbers), func(n int) bool { return n < 2 || n > l.last })
}

// toAsk is how many requests the list needs beside page 1.
func (l *list) toAsk() int {
	if l.last == 0 {
		return 0
	}
	const pastBackAndAgain = 3
	return len(l.numbers()) + pastBackAndAgain
}

// goOn asks for more of the list.
func (l *list) goOn(ctx context.Context, x *examination) {
	if l.last == 0 {
		return
	}
	for _, n := range l.numbers() {
		if e := x.page(ctx, n, byID); e != nil {
			l.pages[n] = e
		}
	}
	l.past = x.page(ctx, l.last+1, byID)
	l.descending = x.page(ctx, 1, "-"+byID)
	if ids := idsOf(l.records()); !rising(ids) && !falling(ids) && len(x.tap.sent) < MostRequests-forOne-forRefresh {
		x.tap.forget(l.pages[1])
		l.again = x.page(ctx, 1, byID)
	}
}

// shuffled tells whether YCM lists the same PBXs in another order each time that it is asked: what two readings of page 1
// share has another order, or is less than half of it.
func (l *list) shuffled() bool {
	first, again := idsOf(l.pages[1].records()), idsOf(l.again.records())
	if len(again) == 0 { // It was not asked for again, or not answered.
		return false
	}
	all := len(first)
	first = slices.DeleteFunc(first, func(id int64) bool { return !slices.Contains(again, id) })
	again = slices.DeleteFunc(again, func(id int64) bool { return !slices.Contains(first, id) })
	return 2*len(first) < all || !slices.Equal(first, again)
}

// turns tells whether a page rises by id and another falls.
func (l *list) turns() bool {
	up, down := false, false
	for _, e := range l.pages {
		if ids := idsOf(e.records()); len(ids) > 2 {
			up, down = up || rising(ids), down || falling(ids)
		}
	}
	return up && down
}

// askForOne asks for one PBX by its id, as the exporter does for one that a walk misses.
func (l *list) askForOne(ctx context.Context, x *examination) {
	for _, r := range l.records() {
		if id, ok := r.number(byID).ID(byID, nil); ok {
			_, _ = x.client.CloudPBX(ctx, id) // What came of it is in the tap.
			l.single = x.tap.last("v1/cloud_pbx/instances/{id}")
			return
		}
	}
}

// first is page 1, if it is a page.
func (l *list) first() (page, bool) {
	e := l.pages[1]
	if e == nil || e.failure() != nil {
		return page{}, false
	}
	return e.page()
}

// whole tells whether all pages were read.
func (l *list) whole() bool {
	for n := 1; n <= l.last; n++ {
		if e := l.pages[n]; e == nil || e.failure() != nil {
			return false
		}
	}
	return l.last > 0
}

// records are those of all pages that were read, in the order of the list.
func (l *list) records() (all []record) {
	for n := 1; n <= max(1, l.last); n++ {
		if e := l.pages[n]; e != nil {
			all = append(all, e.records()...)
		}
	}
	return all
}

// records are those of a page.
func (e *exchange) records() (all []record) {
	if e == nil || e.failure() != nil {
		return nil
	}
	p, _ := e.page()
	return recordsOf(p.rows)
}

// recordsOf reads rows, as far as they are records.
func recordsOf(rows []json.RawMessage) (all []record) {
	for _, row := range rows {
		var r record
		if json.Unmarshal(row, &r) == nil {
			all = append(all, r)
		}
	}
	return all
}

// sample is up to three PBXs that run, or else any, in the order of their ids.
func (l *list) sample() []json.RawMessage {
	all := l.records()
	running := slices.DeleteFunc(slices.Clone(all), func(r record) bool {
		return r.text("pbxStatus") != ycmclient.Running.String() || r.text("activationStatus") == "Unactivated" || !yeastar.IsSerialNumber(r.text("sn"))
	})
	if len(running) > 0 {
		all = running
	}
	all = all[:min(len(all), sampleSize)]
	slices.SortFunc(all, func(a, b record) int { return int(a.number(byID).Value - b.number(byID).Value) })
	var chosen []json.RawMessage
	for _, r := range all {
		wire, err := json.Marshal(r)
		if err == nil {
			chosen = append(chosen, wire)
		}
	}
	return chosen
}
