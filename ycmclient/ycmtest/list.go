package ycmtest

import (
	"math"
	"net/http"
	"strconv"
	"strings"
)

// The vendor's page sizes ("Query All the Cloud PBXs"): a larger one is cut to the largest.
const (
	defaultPageSize = 10
	largestPageSize = 50
)

// pageQuery is the part of a query that all paged lists of YCM share.
type pageQuery struct{ size, number int }

// page is the data of a paged list.
type page struct {
	Size   int   `json:"pageSize"`
	Number int   `json:"pageNumber"`
	Total  int   `json:"total"`
	List   []any `json:"list"`
}

func pageOf(r *http.Request) (pageQuery, *failure) {
	q := pageQuery{defaultPageSize, 1}
	for name, field := range map[string]*int{"pageSize": &q.size, "pageNumber": &q.number} {
		digits := r.URL.Query().Get(name)
		if digits == "" {
			continue
		}
		n, err := strconv.Atoi(digits)
		if err != nil || n < 1 || n > math.MaxInt32 {
			f := invalidParameter(name)
			return q, &f
		}
		*field = n
	}
	q.size = min(q.size, largestPageSize)
	return q, nil
}

func (q pageQuery) offset() int { return (q.number - 1) * q.size }

func (s *Server) listCloudPBXs(r *http.Request) (any, *failure) {
	q, failed := pageOf(r)
	if failed != nil {
		return nil, failed
	}
	field, descending := strings.CutPrefix(r.URL.Query().Get("sort"), "-")
	if field != "" && field != "cloudPbxId" && field != "createTime" {
		f := invalidParameter("sort")
		return nil, &f
	}
	s.stir()
	s.mu.Lock()
	listing := s.listing
	s.mu.Unlock()
	if !listing.asDocumented() {
		return s.oddPage(&listing, q, descending, r.URL.Query().Get("search"))
	}
	pbxs, total := s.fleet.page(q.offset(), q.size, descending, r.URL.Query().Get("search"))
	answer := page{q.size, q.number, total, make([]any, len(pbxs))}
	for i := range pbxs {
		answer.List[i] = pbxs[i].record()
	}
	return answer, nil
}

func (s *Server) cloudPBX(r *http.Request) (any, *failure) {
	p, failed := s.pbxOf(r)
	if failed != nil {
		return nil, failed
	}
	return p.record(), nil
}

func (s *Server) cloudPBXByURL(r *http.Request) (any, *failure) {
	p, ok := s.pbxAt(r.URL.Query().Get("url"))
	if !ok {
		return nil, notFound()
	}
	return p.record(), nil
}

func (s *Server) cloudPBXStatus(r *http.Request) (any, *failure) {
	p, failed := s.pbxOf(r)
	if failed != nil {
		return nil, failed
	}
	return map[string]any{"cloudPbxId": p.ID, "pbxStatus": p.Status, "activationStatus": p.Activation}, nil
}

// pbxOf finds the PBX that a path names by its id.
func (s *Server) pbxOf(r *http.Request) (PBX, *failure) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		f := invalidParameter("cloudPbxId")
		return PBX{}, &f
	}
	p, ok := s.fleet.get(id)
	if !ok {
		return PBX{}, notFound()
	}
	return p, nil
}

// pbxAt finds a PBX by its host.
func (s *Server) pbxAt(host string) (PBX, bool) {
	return s.fleet.find(idOfURL(host), func(p PBX) bool { return p.URL == host })
}
