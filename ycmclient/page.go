package ycmclient

import (
	"cmp"
	"context"
	"net/url"
	"slices"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// PageSize is how many records are requested at once: the most that YCM gives. It may give fewer.
const PageSize = 50

// EndpointList is the list of Cloud PBXs in errors and metrics.
const EndpointList = "cloud_pbx_list"

// listPath is where the list of Cloud PBXs is ("Query All the Cloud PBXs").
const listPath = "v2/cloud_pbx/instances"

// page is one answer of a paged endpoint.
type page[T any] struct {
	total yeastar.Number // As YCM counts them, all pages together.
	rows  int            // Records on this page, usable or not.
	items []T            // The usable ones, in their order.

	unexpected []string // The fields with invalid values, to be counted if the page is used.
}

// listAnswer is a page of Cloud PBXs on the wire. It is reused: the records keep their memory.
type listAnswer struct {
	yeastar.Envelope
	Data struct {
		Total yeastar.Number       `json:"total"`
		List  [PageSize + 1]record `json:"list"` // One more than requested, to notice a page that is too long.
	} `json:"data"`
}

// read takes a 2xx answer.
func (a *listAnswer) read(from *yeastar.Answer) *yeastar.Error {
	a.Status.Reset()
	a.Envelope = yeastar.Envelope{Status: a.Status}
	a.Data.Total = yeastar.Number{}
	for i := range a.Data.List {
		a.Data.List[i].reset()
	}
	if e := yeastar.Decode(from.Body, a); e != nil {
		return e
	}
	if !a.Data.Total.Given && !a.hasList() {
		return verdict(&a.Envelope, "the answer has no data", from.Status)
	}
	return verdict(&a.Envelope, "", from.Status)
}

// hasList is whether a list came: the records that it does not reach are zeroed, and one with more than there is
// room for has ids.
func (a *listAnswer) hasList() bool {
	return !a.Data.List[PageSize].there ||
		slices.ContainsFunc(a.Data.List[:], func(r record) bool { return r.ID.Given || r.ID.Unreadable })
}

// rows is how many records came.
func (a *listAnswer) rows() int {
	if !a.hasList() {
		return 0 // An empty list may be left out, or null.
	}
	rows := 0
	for i := range a.Data.List {
		if a.Data.List[i].there {
			rows++
		}
	}
	return rows
}

// page appends the PBXs of the answer to room. known returns a PBX as the last walk read it.
func (a *listAnswer) page(room []CloudPBX, known func(id int64) *CloudPBX) page[CloudPBX] {
	p := page[CloudPBX]{total: a.Data.Total, rows: a.rows(), items: room}
	unexpected := func(field string) { p.unexpected = append(p.unexpected, field) }
	for i := range a.Data.List[:p.rows] {
		r := &a.Data.List[i]
		p.items = append(p.items, *known(r.ID.Value))
		if last := len(p.items) - 1; !r.fill(&p.items[last], unexpected) {
			p.items = p.items[:last]
		}
	}
	return p
}

// listPage requests one page of Cloud PBXs, and puts it into room. The strings are shared with known, which is sorted by id.
func (c *Client) listPage(ctx context.Context, number int, room, known []CloudPBX) (page[CloudPBX], error) {
	answer, _ := c.pages.Get().(*listAnswer)
	if answer == nil {
		answer = new(listAnswer)
	}
	defer c.pages.Put(answer)
	err := c.queryPage(EndpointList, number, "cloudPbxId", func(query url.Values) error {
		if c.search != "" {
			query.Set("search", c.search)
		}
		return c.query(ctx, request{endpoint: EndpointList, path: listPath, query: query, read: answer.read})
	})
	if err != nil {
		return page[CloudPBX]{}, err
	}
	var none CloudPBX
	return answer.page(room[:0], func(id int64) *CloudPBX {
		i, found := slices.BinarySearchFunc(known, id, func(p CloudPBX, id int64) int { return cmp.Compare(p.ID, id) })
		if !found {
			return &none
		}
		return &known[i]
	}), nil
}
