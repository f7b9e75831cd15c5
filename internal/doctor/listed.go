package doctor

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

const listing = "List of Cloud PBXs"

// tellList tells how the list is paged, counted and sorted.
func (x *examination) tellList() {
	first, ok := x.list.first()
	if !ok {
		what, advice := "it was not answered", "grant the account its Cloud PBXs in YCM, and check base_url"
		if e := x.list.pages[1]; e != nil {
			what, advice = "it is no page of a list, but has "+fieldsIn(e), "report this"
			if failure := e.failure(); failure != nil {
				what = describe(e, failure)
				envelope, _ := e.envelope()
				if failure.Class == yeastar.NotFound {
					advice = "YCM may be too old for this endpoint: update it, or report this"
				}
				if advice = cmp.Or(failure.Class.Advice(), advice); failure.Class == yeastar.Invalid && failure.Code != 0 || envelope.OwnStatus() {
					advice = "report this: it is otherwise than documented"
				}
			}
		}
		x.add(listing, "list", Problem, "The list of Cloud PBXs cannot be read: %s.", advice, what)
		return
	}
	records := x.list.records()
	ids := idsOf(records)
	distinct := len(slices.Compact(slices.Sorted(slices.Values(ids))))
	if x.tellUnreadable(first, records, ids) {
		return
	}
	x.add(listing, "pbxs", Fine, "YCM counts %s; %d of them were looked at.", "", count(int(first.Total.Value), "PBX"), distinct)
	x.tellPaging(first)
	if unusable := len(records) - len(ids); unusable > 0 {
		x.add(listing, "ids", Note, "%s no id (cloudPbxId) that is a whole number above 0: the exporter counts such PBXs and does not serve them.", "report this",
			either(unusable == 1, "One record has", fmt.Sprintf("%d records have", unusable)))
	}
	x.tellTotal(int(first.Total.Value), len(ids), distinct)
	if len(ids) > 1 {
		x.tellSort(ids)
	}
	x.tellCreation(records)
	x.tellPastEnd(int(first.Total.Value), ids)
	x.tellSingle()
	x.tellFields(records)
}

func idsOf(records []record) (ids []int64) {
	for _, r := range records {
		if id, ok := r.number(byID).ID(byID, nil); ok {
			ids = append(ids, id)
		}
	}
	return ids
}

func (x *examination) tellPaging(first page) {
	rows := len(first.rows)
	says := "does not say how large its pages are"
	if first.Size.Given {
		says = fmt.Sprintf("says so (pageSize %d)", first.Size.Value)
		if int(first.Size.Value) != rows {
			says = fmt.Sprintf("says %d (pageSize)", first.Size.Value)
		}
	}
	switch {
	case x.list.refused != nil:
		how := fmt.Sprintf("pages of %d are asked for", rows)
		if x.list.simpler == ycmclient.Simplest {
			how = "no size and no order is asked for"
		}
		x.add(listing, "page_size", Note, "YCM refuses to list %d records a page by their ids (%s), and does so where %s.",
			"nothing needs to be done, but a walk takes more requests", ycmclient.PageSize, describe(x.list.refused, x.list.refused.failure()), how)
	case rows == ycmclient.PageSize:
		x.add(listing, "page_size", Fine, "The page size that the exporter asks for (%d) is honoured.", "", ycmclient.PageSize)
	case rows > ycmclient.PageSize:
		x.add(listing, "page_size", Problem, "A page has %s although %d were asked for: the paging is ignored.", "report this; the exporter does not read such a list", count(rows, "record"), ycmclient.PageSize)
	case first.Total.Value <= int64(rows):
		x.add(listing, "page_size", Fine, "The list fits on one page, so it is not known whether the page size is honoured.", "")
	default:
		x.add(listing, "page_size", Note, "A page has %s although %d were asked for, and YCM %s; the exporter reads the list in pages of that size.",
			"nothing needs to be done, but a walk takes more requests", count(rows, "record"), ycmclient.PageSize, says)
	}
}

func (x *examination) tellTotal(total, rows, distinct int) {
	harmless := "nothing needs to be done: where total and list differ, the exporter reads the list twice and serves what both readings have"
	if rows > distinct {
		x.add(listing, "twice", Note, "%s came more than once on the pages that were read, which is so while PBXs come and go, or if the list has them twice.", "nothing needs to be done: each PBX is served once", count(rows-distinct, "record"))
	} else {
		x.add(listing, "twice", Fine, "No record came twice.", "")
	}
	if x.list.whole() {
		if total == distinct {
			x.add(listing, "total", Fine, "The total is borne out by the list: %d.", "", total)
		} else {
			if total-distinct == x.list.size {
				harmless = "report this: just one page is missing, so it seems that pages are counted from 0"
			}
			x.add(listing, "total", Note, "YCM's total is %d, but its list has %d.", harmless, total, distinct)
		}
		return
	}
	last := x.list.pages[x.list.last]
	if last == nil || last.failure() != nil {
		x.add(listing, "total", Note, "The last page could not be read, so it is not known whether the total is borne out.", "")
		return
	}
	due, came := total-(x.list.last-1)*x.list.size, len(last.records())
	if due == came {
		x.add(listing, "total", Fine, "The last page ends where the total says (page %d with %d).", "", x.list.last, came)
	} else {
		x.add(listing, "total", Note, "By the total, the last page (%d) should have %s, and has %d.", harmless, x.list.last, count(due, "record"), came)
	}
}

func (x *examination) tellSort(ids []int64) {
	seen := map[int64]bool{} // A record that came twice says nothing about the order.
	ids = slices.DeleteFunc(slices.Clone(ids), func(id int64) bool {
		again := seen[id]
		seen[id] = true
		return again
	})
	rises := rising(ids)
	back := idsOf(x.list.descending.records())
	switch {
	case x.list.shuffled():
		x.add(listing, "sort", Problem, "The list is in another order each time that it is asked for, so that the exporter cannot read it page by page.", "report this")
	case x.list.turns():
		x.add(listing, "sort", Problem, "The order of the list changes from page to page, so that the exporter cannot read it.", "report this")
	case rises && len(back) > 0 && falling(back) && back[0] >= slices.Max(ids):
		x.add(listing, "sort", Fine, "The sort is honoured, both ways.", "")
	case rises && len(back) == 0:
		x.add(listing, "sort", Fine, "The list is sorted as asked for; the other way could not be read.", "")
	case rises:
		x.add(listing, "sort", Note, "The list rises by id, also when it is asked for the other way.", "nothing needs to be done: the exporter reads a rising list")
	case falling(ids):
		x.add(listing, "sort", Note, "The list falls by id although it was asked for rising.", "nothing needs to be done: the exporter reads a falling list in its own safe direction")
	default:
		x.add(listing, "sort", Note, "The sort is not honoured: the list is not in the order of its ids.", "nothing needs to be done, but a PBX may be missed by a single walk while others come and go; it is then asked for by its id")
	}
}

func rising(ids []int64) bool { return slices.IsSorted(ids) }

func falling(ids []int64) bool {
	return slices.IsSortedFunc(ids, func(a, b int64) int { return cmp.Compare(b, a) })
}

// tellCreation tells whether ids rise with the time of creation: the exporter's walk relies on it.
func (x *examination) tellCreation(records []record) {
	type born struct{ id, at int64 }
	var all []born
	for _, r := range records {
		id, ok := r.number(byID).ID(byID, nil)
		at, came := r.number("createTime").Time("createTime", nil).Get()
		if ok && came {
			all = append(all, born{id, at})
		}
	}
	if len(all) < 2 {
		return
	}
	slices.SortFunc(all, func(a, b born) int { return int(a.id - b.id) })
	against := 0
	for i := 1; i < len(all); i++ {
		if all[i].at < all[i-1].at {
			against++
		}
	}
	if against == 0 {
		x.add(listing, "creation", Fine, "Ids rise with the time of creation.", "")
		return
	}
	x.add(listing, "creation", Note, "Ids do not always rise with the time of creation (%d of %d neighbours).", "nothing needs to be done: a PBX that appears in the middle may hide a neighbour from one walk, which then asks for it by its id", against, len(all)-1)
}

// tellPastEnd tells what comes in the place of a page that there is not.
func (x *examination) tellPastEnd(total int, ids []int64) {
	e := x.list.past
	if e == nil {
		return
	}
	const check, fine = "past_end", "nothing needs to be done: the exporter understands this"
	if failure := e.failure(); failure != nil {
		known := slices.Contains([]yeastar.Class{yeastar.NotFound, yeastar.Invalid, yeastar.Server, yeastar.Denied}, failure.Class)
		x.add(listing, check, Note, "A page past the end is refused: %s.", either(known, fine, "run the doctor again"), describe(e, failure))
		return
	}
	p, _ := e.page()
	past := idsOf(e.records())
	fresh := 0
	for _, id := range past {
		if !slices.Contains(ids, id) {
			fresh++
		}
	}
	switch {
	case fresh > 0 && x.list.whole():
		x.add(listing, check, Note, "A page past the end by the total has %s that no page before it has: the total is too low.", "nothing needs to be done: the exporter reads on until a page brings nothing new", count(fresh, "PBX"))
	case len(past) > 0:
		x.add(listing, check, Note, "A page past the end repeats %s of another page.", fine, count(len(past), "record"))
	case !p.Total.Given:
		x.add(listing, check, Note, "A page past the end has no total.", fine)
	case int(p.Total.Value) != total:
		x.add(listing, check, Note, "A page past the end has another total: %d.", fine, p.Total.Value)
	case p.List == nil || string(p.List) == "null":
		x.add(listing, check, Note, "A page past the end has no list.", fine)
	default:
		x.add(listing, check, Fine, "A page past the end is empty, with the same total.", "")
	}
}

func (x *examination) tellSingle() {
	e := x.list.single
	if e == nil {
		return
	}
	if failure := e.failure(); failure != nil {
		x.add(listing, "single", Note, "A single PBX cannot be asked for by its id: %s.", "nothing needs to be done: a PBX that a walk does not list then leaves after a second reading", describe(e, failure))
		return
	}
	x.add(listing, "single", Fine, "A single PBX can be asked for by its id.", "")
}
