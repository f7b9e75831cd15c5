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

// allRecords reads all pages of a list; a PBX that has more than maxRecords is an error.
func allRecords[W, R any](ctx context.Context, c *Client, p path, sort string, convert func(W) (id yeastar.Number, r R)) ([]R, error) {
	records, more, err := pages(ctx, c, p, sort, maxRecords, convert)
	if more {
		return nil, c.invalid(p, fmt.Sprintf("the PBX lists more than %d records", maxRecords))
	}
	return records, err
}

// pages reads the pages of a list until it has that many records, all or nothing, in the order of their ids: a page that fails, or fewer
// records than the PBX counts, is an error. A record without an id is left out. more reports that the PBX has more records. sort is what
// the vendor documents to sort the list by; a PBX that refuses it, or the page size, is queried without.
func pages[W, R any](ctx context.Context, c *Client, p path, sort string, most int, convert func(W) (id yeastar.Number, r R)) (records []R, more bool, err error) {
	seen := map[int64]R{}
	dropped, total := 0, yeastar.Number{}
	query := url.Values{"page_size": {strconv.Itoa(PageSize)}, "sort_by": {sort}, "order_by": {"asc"}}
	for page := 1; page <= maxPages; page++ {
		query.Set("page", strconv.Itoa(page))
		answer, err := fetch[W](ctx, c, p, query)
		for _, optional := range [][]string{{"sort_by", "order_by"}, {"page_size"}} {
			if failed := (*yeastar.Error)(nil); page == 1 && errors.As(err, &failed) && failed.Code == yeastar.CodePBXParameter {
				for _, name := range optional {
					query.Del(name)
				}
				answer, err = fetch[W](ctx, c, p, query)
			}
		}
		if err != nil {
			return nil, false, err
		}
		before := len(seen)
		for _, item := range answer.Data.Items {
			if id, record := convert(item); id.Given {
				seen[id.Value] = record
			} else {
				dropped++
			}
		}
		total = answer.Total

		nothingNew, listed := len(seen) == before, int64(len(seen)+dropped)
		more = len(seen) > most || len(seen) == most && total.Value > int64(most)
		switch {
		case answer.Data.More && !more:
			return nil, false, c.invalid(p, fmt.Sprintf("page %d has more than %d records", page, yeastar.MaxItems))
		case more, total.Given && listed == total.Value, nothingNew && (!total.Given || listed > total.Value): // A total that is too low is ignored.
			for _, id := range slices.Sorted(maps.Keys(seen)) {
				records = append(records, seen[id])
			}
			return records[:min(len(records), most)], more, nil
		case nothingNew:
			return nil, false, c.invalid(p, fmt.Sprintf("page %d has no new record, but only %d of %d were listed", page, len(seen), total.Value))
		}
	}
	return nil, false, c.invalid(p, fmt.Sprintf("%d pages gave only %d of %d records", maxPages, len(seen), total.Value))
}
