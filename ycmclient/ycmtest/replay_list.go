package ycmtest

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/ycm-exporter/ycm_exporter/internal/capture"
)

// replayedList is the list of Cloud PBXs, as far as a capture has it. Pages are served as they came until one is asked for
// that the capture lacks. If it lacks others too, as where only both ends of a long list were read, pages are made from
// then on of all records that are known, so that a walk can end.
type replayedList struct {
	records []listedPBX // by id
	known   map[int64]bool
	pages   map[string]bool // that came in rising order, by number
	size    int             // of a full page
	last    int             // page, by the total
	joined  bool
}

// listedPBX is a PBX of the list.
type listedPBX struct {
	id   int64
	json json.RawMessage
}

func newReplayedList() replayedList {
	return replayedList{known: map[int64]bool{}, pages: map[string]bool{}, size: largestPageSize}
}

// add takes a page over.
func (l *replayedList) add(e capture.Exchange) {
	var p struct {
		Data struct {
			Total int               `json:"total"`
			List  []json.RawMessage `json:"list"`
		} `json:"data"`
	}
	_ = json.Unmarshal(e.Body, &p) // Records of another form are not joined.
	for _, record := range p.Data.List {
		if id, ok := idOfRecord(record); ok && !l.known[id] {
			l.known[id] = true
			l.records = append(l.records, listedPBX{id, record})
		}
	}
	number := e.Query["pageNumber"]
	if strings.HasPrefix(e.Query["sort"], "-") {
		return
	}
	l.pages[number] = true
	if n := len(p.Data.List); number == "1" && n > 0 && p.Data.Total > n {
		l.size, l.last = min(n, largestPageSize), (p.Data.Total-1)/n+1
	}
}

// close is called when all pages are there.
func (l *replayedList) close() {
	slices.SortFunc(l.records, func(x, y listedPBX) int { return cmp.Compare(x.id, y.id) })
}

// whole tells whether the capture has every page.
func (l *replayedList) whole() bool {
	for n := 2; n <= l.last; n++ {
		if !l.pages[strconv.Itoa(n)] {
			return false
		}
	}
	return true
}

// page makes a page that the capture lacks.
func (l *replayedList) page(query url.Values) capture.Exchange {
	l.joined = l.joined || !l.whole()
	size, number := pageParameter(query, "pageSize", defaultPageSize), pageParameter(query, "pageNumber", 1)
	size = min(size, l.size)
	records := slices.Clone(l.records)
	if strings.HasPrefix(query.Get("sort"), "-") {
		slices.Reverse(records)
	}
	p := page{size, number, len(records), []any{}}
	for i := (number - 1) * size; i < min(number*size, len(records)); i++ {
		p.List = append(p.List, records[i].json)
	}
	data, err := json.Marshal(p)
	if err != nil {
		return capture.Exchange{Status: http.StatusInternalServerError}
	}
	return success(data)
}

// record is the PBX with an id.
func (l *replayedList) record(id string) (json.RawMessage, bool) {
	for _, p := range l.records {
		if strconv.FormatInt(p.id, 10) == id {
			return p.json, true
		}
	}
	return nil, false
}

// idOfRecord is the id of a record, be it a number or a text.
func idOfRecord(record json.RawMessage) (int64, bool) {
	var r struct {
		ID json.RawMessage `json:"cloudPbxId"`
	}
	if json.Unmarshal(record, &r) != nil {
		return 0, false
	}
	id, err := strconv.ParseInt(strings.Trim(string(r.ID), `"`), 10, 64)
	return id, err == nil
}

func pageParameter(query url.Values, name string, otherwise int) int {
	n, err := strconv.Atoi(query.Get(name))
	if err != nil || n < 1 || n > 1_000_000 {
		return otherwise
	}
	return n
}
