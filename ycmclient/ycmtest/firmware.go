package ycmtest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// release is a firmware version and the regions where it is available.
type release struct {
	VersionID int    `json:"versionId"`
	Version   string `json:"version"`
	RegionIDs []int  `json:"regionIds"`
}

// releases is every firmware by type. Neither the versions nor the regions are in order, as the vendor promises none; region 40
// has no name.
var releases = map[string][]release{
	"pbx": {
		{1203, "84.21.0.117", []int{16, 4, 24}},
		{1188, "84.20.0.21", []int{4, 16, 22, 24, 28, 1}},
		{1120, "84.19.0.22", []int{1, 2, 3, 4, 16, 22, 24, 28, 31, 33}},
		{1031, "84.18.0.59", []int{33, 31, 28, 24, 22, 16, 4, 3, 2, 1}},
		{977, "84.16.0.25", []int{1, 2, 3, 4, 16, 22, 24, 28, 31, 33}},
		{902, "84.12.0.32", []int{1, 3, 4, 16, 22, 24, 28, 31, 33}},
		{812, "84.9.0.61", []int{1, 2, 3, 4, 16, 22, 24, 28, 31, 33}},
		{845, "84.10.0.30", []int{1, 2, 3, 4, 16, 22, 24, 28, 31, 33}},
		{764, "84.8.0.25", []int{4, 16}},
		{757, "84.7.0.51", []int{16, 4}},
		{237, "84.6.0.47", []int{4, 16, 22, 24, 28, 40}},
	},
	"cluster": {
		{610, "87.10.0.16", []int{1, 2, 3, 4, 16, 22, 24, 28, 31, 33}},
		{588, "87.9.0.44", []int{1, 2, 4, 16}},
	},
	"cm": {
		{701, "87.16.0.51", []int{4}},
	},
}

func (s *Server) firmware(r *http.Request) (any, *failure) {
	query := r.URL.Query()
	all, ok := releases[query.Get("type")]
	if !ok {
		return nil, invalidParameter("type")
	}
	var wanted []int
	for digits := range strings.SplitSeq(query.Get("regionIds"), ",") {
		id, err := strconv.Atoi(digits)
		if err != nil && digits != "" {
			return nil, invalidParameter("regionIds")
		}
		if digits != "" {
			wanted = append(wanted, id)
		}
	}
	return inRegions(all, wanted...), nil
}

// inRegions returns the releases that are available in one of the regions; all without regions.
func inRegions(all []release, ids ...int) []release {
	found := make([]release, 0, len(all))
	for _, r := range all {
		here := func(id int) bool { return slices.Contains(r.RegionIDs, id) }
		if len(ids) == 0 || slices.ContainsFunc(ids, here) {
			found = append(found, r)
		}
	}
	return found
}

// compareVersions compares number by number: 84.10 is newer than 84.9.
func compareVersions(a, b string) int {
	numbers := func(version string) []int {
		var numbers []int
		for part := range strings.SplitSeq(version, ".") {
			n, _ := strconv.Atoi(part) // What is not a number counts as 0.
			numbers = append(numbers, n)
		}
		return numbers
	}
	return slices.Compare(numbers(a), numbers(b))
}

// offered returns the versions of PBX firmware of each region, newest first.
func offered() [][]string {
	lists := make([][]string, len(regions))
	for i, region := range regions {
		for _, r := range inRegions(releases["pbx"], region.id) {
			lists[i] = append(lists[i], r.Version)
		}
		slices.SortFunc(lists[i], func(a, b string) int { return compareVersions(b, a) })
	}
	return lists
}
