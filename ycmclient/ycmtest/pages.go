package ycmtest

import (
	"net/url"
	"slices"
	"strconv"
)

// The sizes of a page of a PBX's list. The vendor's pages tell neither.
const (
	defaultPage = 20
	mostPage    = 100
)

// listPage answers with the page of a PBX's list that is asked for, in an order that rises or falls.
func listPage[T any](list []T, query url.Values, order func(a, b T) int) pbxAnswer {
	size, number := defaultPage, 1
	for name, field := range map[string]*int{"page_size": &size, "page": &number} {
		if digits := query.Get(name); digits != "" {
			n, err := strconv.Atoi(digits)
			if err != nil || n < 1 {
				return invalid(name, "integer")
			}
			*field = min(n, 1_000_000)
		}
	}
	size = min(size, mostPage)
	slices.SortStableFunc(list, func(a, b T) int {
		if query.Get("order_by") == "desc" {
			a, b = b, a
		}
		return order(a, b)
	})
	from := min((number-1)*size, len(list))
	answer := pbxError(0)
	answer["total_number"] = len(list)
	answer["data"] = list[from:min(from+size, len(list))]
	return answer
}
