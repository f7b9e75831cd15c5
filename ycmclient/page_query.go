package ycmclient

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/go-kit/log/level"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// pageSizes are the page sizes to request, until YCM accepts one: the largest, the documented default, and none at all, which
// leaves the order to YCM as well.
var pageSizes = []int{PageSize, 10, 0}

// queryPage requests a page of a list in which new records come last. If YCM refuses page 1, it is requested with the next of the
// page sizes, and so are all pages from then on.
func (c *Client) queryPage(endpoint string, number int, sort string, send func(url.Values) error) error {
	stored, _ := c.simpler.Load(endpoint)
	known, _ := stored.(int)
	for i := known; ; i++ {
		query := url.Values{"pageNumber": {strconv.Itoa(number)}}
		if size := pageSizes[i]; size > 0 {
			query.Set("pageSize", strconv.Itoa(size))
			query.Set("sort", sort)
		}
		err := send(query)
		if err == nil && i > known {
			c.simpler.Store(endpoint, i)
			level.Warn(c.logger).Log("msg", "YCM refuses the page size or the order of a list, sending a simpler query from now on",
				"account", c.account, "endpoint", endpoint, "page_size", query.Get("pageSize"), "sort", query.Get("sort"))
		}
		e := (*yeastar.Error)(nil)
		refused := errors.As(err, &e) && e.Class == yeastar.Invalid && (e.Code == yeastar.CodeInvalidParameter || e.HTTPStatus >= http.StatusBadRequest)
		if !refused || number > 1 || i == len(pageSizes)-1 {
			return err
		}
	}
}
