package ycmtest

import (
	"net/url"
	"slices"
)

// The sizes of a page of a PBX's list. The vendor's pages state neither.
const (
	defaultPage = 20
	mostPage    = 100
)

// listPage answers with a page of a PBX's list, in one of the orders that the vendor documents; "" is the order of a query without sort_by.
func listPage[T any](p PBX, list []T, query url.Values, sorts map[string]func(a, b T) int) pbxAnswer {
	order, documented := sorts[query.Get("sort_by")]
	if !documented {
		return invalid("sort_by", "enum")
	}
	if p.EmptyIsNotFound && len(list) == 0 {
		answer := pbxError(60001)
		answer["total_number"], answer["data"] = 0, nil
		return answer
	}
	q := pageQuery{defaultPage, 1}
	if wrong := q.read(query, "page_size", "page", mostPage); wrong != "" {
		return invalid(wrong, "integer")
	}
	slices.SortStableFunc(list, func(a, b T) int {
		if query.Get("order_by") == "desc" {
			a, b = b, a
		}
		return order(a, b)
	})
	answer := pbxError(0)
	answer["total_number"], answer["data"] = len(list), pageItems(list, q)
	return answer
}
