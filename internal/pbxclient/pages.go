package pbxclient

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// perPage is how many records of a list are requested at once. The largest size is not documented: what comes is accepted.
const perPage = 100

// list is one of the PBX's lists that come in pages.
type list struct {
	path
	most     int // records that are kept at most
	maxPages int // that are read at most
	things   string
}

// pages reads all pages of a list, all or nothing, in the order of the records' ids: a page that fails, or fewer records
// than the PBX counts, is an error. The first request that fails is the last. A record in which convert finds no id is left out. more
// means that the PBX has more records than are kept.
func pages[W, R any](ctx context.Context, c *Client, l list, convert func(W) (id int64, r R, ok bool)) (records []R, more bool, err error) {
	seen := map[int64]R{}
	dropped, total := 0, yeastar.Number{}
	for page := 1; page <= l.maxPages; page++ {
		answer, err := fetch[W](ctx, c, l.path, url.Values{
			"page":      {strconv.Itoa(page)},
			"page_size": {strconv.Itoa(perPage)},
			"sort_by":   {"id"},
			"order_by":  {"asc"},
		})
		if err != nil {
			return nil, false, err
		}
		before := len(seen)
		for _, item := range answer.Data.Items {
			if id, record, ok := convert(item); ok {
				seen[id] = record
			} else {
				dropped++
			}
		}
		total = answer.Total

		nothingNew, listed := len(seen) == before, int64(len(seen)+dropped)
		switch {
		case len(seen) > l.most || len(seen) == l.most && total.Value > int64(l.most):
			return byID(seen)[:l.most], true, nil
		case answer.Data.More:
			return nil, false, c.invalid(l.path, fmt.Sprintf("page %d has more than %d records", page, yeastar.MaxItems))
		case total.Given && listed == total.Value, nothingNew && (!total.Given || listed > total.Value):
			return byID(seen), false, nil // A total that is too low is no total: there may be more.
		case nothingNew:
			return nil, false, c.invalid(l.path, fmt.Sprintf(
				"page %d has no new record, but only %d of %d %s were seen", page, len(seen), total.Value, l.things))
		}
	}
	return nil, false, c.invalid(l.path, fmt.Sprintf("%d pages gave only %d of %d %s", l.maxPages, len(seen), total.Value, l.things))
}

// allPages reads all pages of a list of which no PBX has more records than are kept: one that reports more is an error.
func allPages[W, R any](ctx context.Context, c *Client, l list, convert func(W) (id int64, r R, ok bool)) ([]R, error) {
	records, more, err := pages(ctx, c, l, convert)
	if more {
		return nil, c.invalid(l.path, fmt.Sprintf("the PBX lists more than %d %s", l.most, l.things))
	}
	return records, err
}

func byID[R any](records map[int64]R) []R {
	sorted := make([]R, 0, len(records))
	for _, id := range slices.Sorted(maps.Keys(records)) {
		sorted = append(sorted, records[id])
	}
	return sorted
}
