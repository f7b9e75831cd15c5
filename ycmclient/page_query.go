package ycmclient

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/go-kit/log/level"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// Simplest is the number of ways to ask for a page, less one.
const Simplest = 2

// PageQuery asks for a page of 50 records in the order in which new ones come last, or in a way that is simpler by so many
// steps: YCM may refuse a page size or an order that its pages tell of. The simplest leaves both to YCM.
func PageQuery(number int, sort string, simpler int) url.Values {
	const small = 10 // What YCM gives if no size is asked for.
	query := url.Values{"pageNumber": {strconv.Itoa(number)}}
	if simpler < Simplest {
		size := PageSize
		if simpler > 0 {
			size = small
		}
		query.Set("pageSize", strconv.Itoa(size))
		query.Set("sort", sort)
	}
	return query
}

// RefusedQuery tells whether YCM does not understand what it was asked, which a simpler query may mend.
func RefusedQuery(err error) bool {
	e := (*yeastar.Error)(nil)
	return errors.As(err, &e) && e.Class == yeastar.Invalid && (e.Code == yeastar.CodeInvalidParameter || e.HTTPStatus >= http.StatusBadRequest)
}

// askPage asks for a page, and if YCM refuses page 1, in ever simpler ways. What YCM takes is how it is asked from then on.
func (c *Client) askPage(endpoint string, number int, sort string, ask func(url.Values) error) error {
	kept, _ := c.simpler.Load(endpoint)
	known, _ := kept.(int)
	for simpler := known; ; simpler++ {
		query := PageQuery(number, sort, simpler)
		switch err := ask(query); {
		case err == nil && simpler > known:
			c.simpler.Store(endpoint, simpler)
			level.Warn(c.logger).Log("msg", "YCM refuses what a page of a list is asked for with, so it is asked in a simpler way from now on",
				"account", c.account, "endpoint", endpoint, "page_size", query.Get("pageSize"), "sort", query.Get("sort"))
			return nil
		case number > 1 || simpler == Simplest || !RefusedQuery(err):
			return err
		}
	}
}
