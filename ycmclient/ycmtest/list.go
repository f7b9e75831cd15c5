package ycmtest

import (
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// The vendor's page sizes ("Query All the Cloud PBXs"): a larger one is cut to the largest.
const (
	defaultPageSize = 10
	largestPageSize = 50
)

// pageQuery is the part of a query that all paged lists share.
type pageQuery struct{ size, number int }

// page is the data of a paged list.
type page struct {
	Size   int   `json:"pageSize"`
	Number int   `json:"pageNumber"`
	Total  int   `json:"total"`
	List   []any `json:"list"`
}

func pageOf(query url.Values) (pageQuery, *failure) {
	q := pageQuery{defaultPageSize, 1}
	if wrong := q.read(query, "pageSize", "pageNumber", largestPageSize); wrong != "" {
		return q, invalidParameter(wrong)
	}
	return q, nil
}

// read reads the parameters of a page, and returns the name of one that is invalid.
func (q *pageQuery) read(query url.Values, size, number string, largest int) (wrong string) {
	for name, field := range map[string]*int{size: &q.size, number: &q.number} {
		if digits := query.Get(name); digits != "" {
			n, err := strconv.Atoi(digits)
			if err != nil || n < 1 || n > math.MaxInt32 {
				return name
			}
			*field = n
		}
	}
	q.size = min(q.size, largest)
	return ""
}

func (q pageQuery) offset() int { return (q.number - 1) * q.size }

// pageItems returns the items of a list that are on the page.
func pageItems[T any](list []T, q pageQuery) []T {
	return list[min(q.offset(), len(list)):min(q.offset()+q.size, len(list))]
}

func (s *Server) listCloudPBXs(r *http.Request) (any, *failure) {
	q, failed := pageOf(r.URL.Query())
	if failed != nil {
		return nil, failed
	}
	field, descending := strings.CutPrefix(r.URL.Query().Get("sort"), "-")
	if field != "" && field != "cloudPbxId" && field != "createTime" {
		return nil, invalidParameter("sort")
	}
	s.mu.Lock()
	listing := s.listing
	s.mu.Unlock()
	return s.listPage(&listing, q, descending, r.URL.Query().Get("search"))
}

func (s *Server) cloudPBX(r *http.Request) (any, *failure) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return nil, invalidParameter("cloudPbxId")
	}
	p, ok := s.fleet.get(id)
	if !ok {
		return nil, notFound()
	}
	return p.record(), nil
}

// pbxAt finds a PBX by its host.
func (s *Server) pbxAt(host string) (PBX, bool) {
	return s.fleet.find(idOfURL(host), func(p PBX) bool { return p.URL == host })
}
