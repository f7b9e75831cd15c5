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

// listPage answers with a page of a PBX's list.
func listPage[T any](list []T, query url.Values, order func(a, b T) int) pbxAnswer {
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
