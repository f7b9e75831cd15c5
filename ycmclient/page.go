package ycmclient

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/go-kit/log/level"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// PageSize is how many records are requested at once: the most that YCM gives. It may give fewer.
const PageSize = 50

// pageSizes are the page sizes to request, until YCM accepts one: the largest, the documented default, and none at all, which
// leaves the order to YCM as well.
var pageSizes = []int{PageSize, 10, 0}

// page is one answer of a paged endpoint.
type page[R any] struct {
	total   yeastar.Number // As YCM counts them, all pages together.
	rows    int            // Records on this page, usable or not.
	items   []R            // The usable ones, in their order.
	records []yeastar.Record[R]
}

// pageWire is a page on the wire.
type pageWire[R any] struct {
	Total yeastar.Number                  `json:"total"`
	List  yeastar.List[yeastar.Record[R]] `json:"list"`
}

// Problem says why it is not a page, empty if it is one. An empty list may be left out.
func (p *pageWire[R]) Problem() string {
	if p.Total.Given && p.List.Absent() {
		return ""
	}
	return p.List.Problem()
}

// fetchPage requests a page of a list in which new records come last; sort is empty if it cannot be sorted. If YCM refuses page 1, it is
// requested with the next of the page sizes, and so are all pages from then on.
func fetchPage[R any](ctx context.Context, c *Client, r request, number int, sort string) (page[R], error) {
	stored, _ := c.simpler.Load(r.endpoint)
	known, _ := stored.(int)
	for i := known; ; i++ {
		query := url.Values{"pageNumber": {strconv.Itoa(number)}}
		if size := pageSizes[i]; size > 0 {
			query.Set("pageSize", strconv.Itoa(size))
			if sort != "" {
				query.Set("sort", sort)
			}
		}
		if c.Search != "" && r.endpoint == EndpointList {
			query.Set("search", c.Search)
		}
		r.query = query
		wire, err := fetchData[pageWire[R]](ctx, c, r)
		if e := (*yeastar.Error)(nil); number == 1 && i < len(pageSizes)-1 && errors.As(err, &e) && e.Class == yeastar.Invalid &&
			(e.FromAPI() || e.HTTPStatus >= http.StatusBadRequest) {
			continue
		}
		if err != nil {
			return page[R]{}, err
		}
		if i > known {
			c.simpler.Store(r.endpoint, i)
			level.Warn(c.Logger).Log("msg", "YCM rejected page size or sort order, continuing with a simpler query",
				"account", c.Account, "endpoint", r.endpoint, "page_size", query.Get("pageSize"), "sort", query.Get("sort"))
		}
		records := wire.List.Items
		return page[R]{wire.Total, len(records), usable(records), records}, nil
	}
}
