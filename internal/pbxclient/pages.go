package pbxclient

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

const (
	// PageSize is how many records of a list are requested at once. The largest size is not documented: what comes is accepted.
	PageSize = 100
	// maxPages bounds the requests for one list.
	maxPages = 200
	// maxRecords is more than any PBX has of anything.
	maxRecords = 10_000
)

// pages reads all pages of a list, all or nothing, in the order of the records' ids: a page that fails, fewer records than the PBX
// counts, or more than maxRecords are an error. A record without an id is left out. sort is what the vendor documents to sort the list
// by; a PBX that refuses it, or the page size, is queried without them.
func pages[W, R any](ctx context.Context, c *Client, p path, sort string, convert func(W) (id yeastar.Int, r R)) (records []R, err error) {
	known := map[int64]R{}
	dropped := 0
	query := url.Values{"page_size": {strconv.Itoa(PageSize)}, "sort_by": {sort}, "order_by": {"asc"}}
	for page := 1; page <= maxPages; page++ {
		query.Set("page", strconv.Itoa(page))
		answer, err := fetch[W](ctx, c, p, query)
		if failed := (*yeastar.Error)(nil); page == 1 && errors.As(err, &failed) && failed.Code == yeastar.CodePBXParameter {
			query = url.Values{"page": {"1"}}
			answer, err = fetch[W](ctx, c, p, query)
		}
		if err != nil {
			return nil, err
		}
		before := len(known)
		for _, item := range answer.Data.Items {
			id, record := convert(item.Value)
			if number, given := id.Get(); given {
				known[number] = record
			} else {
				dropped++
			}
		}
		total, nothingNew, listed := answer.Total, len(known) == before, int64(len(known)+dropped)
		switch {
		case answer.Data.More, len(known) > maxRecords:
			return nil, c.invalid(p, fmt.Sprintf("the PBX lists more than %d records on page %d, or more than %d in all", yeastar.MaxItems, page, maxRecords))
		case total.Given && listed == total.Value, nothingNew && (!total.Given || listed > total.Value): // A total that is too low is ignored.
			for _, id := range slices.Sorted(maps.Keys(known)) {
				records = append(records, known[id])
			}
			return records, nil
		case nothingNew:
			return nil, c.invalid(p, fmt.Sprintf("page %d has no new records, and only %d of %d were listed", page, len(known), total.Value))
		}
	}
	return nil, c.invalid(p, fmt.Sprintf("the list has more than %d pages", maxPages))
}
