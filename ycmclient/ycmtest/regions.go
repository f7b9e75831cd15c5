package ycmtest

import "net/http"

// region is where PBXs run.
type region struct {
	id     int
	name   string // "Query Available Regions"
	listed string // in the records of PBXs
	offset int64  // of the local time, seconds
	weight int64  // how many of 61 PBXs run there
}

// regions is every region. The list of PBXs spells some with other capitals than the list of regions.
var regions = []region{
	{1, "China(GuangDong)", "China(Guangdong)", 8 * hour, 6},
	{2, "China(Shanghai)", "China(Shanghai)", 8 * hour, 4},
	{3, "India(Mumbai)", "India(Mumbai)", 5*hour + 30*minute, 4},
	{4, "Asia Pacific(Singapore)", "Asia Pacific(Singapore)", 8 * hour, 8},
	{16, "Europe(Frankfurt)", "Europe(Frankfurt)", 1 * hour, 11},
	{22, "Europe(London)", "EUROPE(London)", 0, 6},
	{24, "US East(Virginia)", "US East(Virginia)", -5 * hour, 9},
	{28, "US West(Oregon)", "US West(Oregon)", -8 * hour, 6},
	{31, "South America(Sao Paulo)", "South America(Sao Paulo)", -3 * hour, 4},
	{33, "Middle East(Dubai)", "Middle East(Dubai)", 4 * hour, 3},
}

// regionOf returns the index of the n-th PBX's region.
func (w world) regionOf(n int64) int {
	place := w.wheel(aboutRegion, n)
	for i, r := range regions {
		if place -= r.weight; place < 0 {
			return i
		}
	}
	return 0
}

func (s *Server) regions(*http.Request) (any, *failure) {
	type row struct {
		ID   int    `json:"regionId"`
		Name string `json:"region"`
	}
	rows := make([]row, len(regions))
	for i, r := range regions {
		rows[i] = row{r.id, r.name}
	}
	return rows, nil
}
