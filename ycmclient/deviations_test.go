package ycmclient_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/go-kit/log"

	"github.com/ycm-exporter/ycm_exporter/ycmclient"
	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// deviant is a simulated YCM, a client of it and what the walks so far have found and learned.
type deviant struct {
	*ycmtest.Server
	client   *ycmclient.Client
	watch    *watch
	state    ycmclient.WalkState
	previous []ycmclient.CloudPBX
}

func newDeviant(t testing.TB, pbxs, readers int, listing ycmtest.Listing) *deviant {
	ycm := ycmtest.New(ycmtest.Options{PBXs: pbxs, Seed: 3, Listing: listing})
	d := &deviant{Server: ycm, watch: newWatch()}
	d.client = newClient(t, inProcess{oneAtATime(ycm)}, func(o *ycmclient.Options) { o.PageConcurrency, o.Observer = readers, d.watch })
	return d
}

// oneAtATime answers one request after the other, each with what a test changes ahead of it.
func oneAtATime(h http.Handler) http.Handler {
	var mu sync.Mutex
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		h.ServeHTTP(w, r)
	})
}

// walk walks once more and tells how many requests for pages that took.
func (d *deviant) walk(t testing.TB) (list ycmclient.List, pages int, err error) {
	before := d.Count(ycmtest.CloudPBXList)
	list, err = d.client.Walk(t.Context(), &d.state, d.previous, nil)
	if err == nil {
		d.previous = list.PBXs
	}
	return list, d.Count(ycmtest.CloudPBXList) - before, err
}

// However YCM pages, counts and orders, each walk has the whole fleet.
func TestWalkTakesTheServerAsItIs(t *testing.T) {
	pastEnd := map[string]ycmtest.PastEnd{
		"an empty page": ycmtest.EmptyPage, "a refusal": ycmtest.RefusedPage, "the last page": ycmtest.LastPage, "the first page": ycmtest.FirstPage,
		"no list": ycmtest.NoList, "a null list": ycmtest.NullList, "no total": ycmtest.NoTotal, "a total of 0": ycmtest.ZeroTotal, "another total": ycmtest.AnotherTotal,
	}
	for name, c := range map[string]struct {
		listing    ycmtest.Listing
		difference int  // Of the total and what is listed.
		relaxed    bool // The walk that first sees it may read the list a second time, whatever the fleet's size.
	}{
		"as documented": {},
		"pages of 20":   {listing: ycmtest.Listing{PageSize: 20}},
		"pages of 20 that are called pages of 50": {listing: ycmtest.Listing{PageSize: 20, SaySize: 50}},
		"pages of 1": {listing: ycmtest.Listing{PageSize: 1}},
		"pages of 50 that are called pages of 20": {listing: ycmtest.Listing{SaySize: 20}},
		"ids that are strings":                    {listing: ycmtest.Listing{TextIDs: true}},
		"a falling list":                          {listing: ycmtest.Listing{Order: ycmtest.Falling}, relaxed: true},
		"a falling list in pages of 20":           {listing: ycmtest.Listing{Order: ycmtest.Falling, PageSize: 20}, relaxed: true},
		"an order that is not by id":              {listing: ycmtest.Listing{Order: ycmtest.ByName}},
		"a record twice, counted twice":           {listing: ycmtest.Listing{Twice: 3}, difference: 1},
		"a record twice, counted once":            {listing: ycmtest.Listing{Twice: 3, TotalOff: -1}, relaxed: true},
		"a total that is one too high":            {listing: ycmtest.Listing{TotalOff: 1}, difference: 1},
		"a total that is one too low":             {listing: ycmtest.Listing{TotalOff: -1}, difference: -1},
		"a total that is far too high":            {listing: ycmtest.Listing{TotalOff: 20_000}, difference: 20_000},
		"a total that is far too low":             {listing: ycmtest.Listing{TotalOff: -45}, difference: -45},
		"a total that is one too low, pages of 7": {listing: ycmtest.Listing{TotalOff: -1, PageSize: 7}, difference: -1},
		"a total that is one too high, falling":   {listing: ycmtest.Listing{TotalOff: 1, Order: ycmtest.Falling}, difference: 1},
		"a total that is one too low, falling":    {listing: ycmtest.Listing{TotalOff: -1, Order: ycmtest.Falling}, difference: -1},
	} {
		for past, page := range pastEnd {
			if c.listing.TotalOff > 50 && (page == ycmtest.LastPage || page == ycmtest.FirstPage) {
				continue // That is a server that repeats itself.
			}
			sizes := []int{50, 120}
			if page == ycmtest.EmptyPage || page == ycmtest.LastPage {
				sizes = []int{49, 50, 51, 100, 120, 151}
			}
			for _, pbxs := range sizes {
				if c.listing.PageSize == 1 && pbxs > 51 {
					continue
				}
				readers := 1 + pbxs%4
				t.Run(fmt.Sprintf("%s, past the end %s, %d PBXs, %d readers", name, past, pbxs, readers), func(t *testing.T) {
					listing := c.listing
					listing.PastEnd = page
					d := newDeviant(t, pbxs, readers, listing)
					size := 50
					if listing.PageSize > 0 {
						size = listing.PageSize
					}
					for walk := 1; walk <= 4; walk++ {
						list, pages, err := d.walk(t)
						if err != nil {
							t.Fatalf("walk %d: %v", walk, err)
						}
						if !slices.Equal(idsOf(list.PBXs), d.IDs()) {
							t.Fatalf("walk %d has %d PBXs, want the %d of the fleet", walk, len(list.PBXs), pbxs)
						}
						if got := int(list.Total) - list.Listed; got != c.difference || list.Listed != pbxs {
							t.Errorf("walk %d: a total of %d and %d listed, want %d listed and a difference of %d", walk, list.Total, list.Listed, pbxs, c.difference)
						}
						if most := (pbxs+size-1)/size + 3 + 2*readers; walk > 2 && pages > most {
							t.Errorf("walk %d took %d requests, want at most %d, as what is special is known by then", walk, pages, most)
						}
						if most := 2*((pbxs+size-1)/size) + 50; pages > most {
							t.Errorf("walk %d took %d requests, want at most %d", walk, pages, most)
						}
					}
					want := 0
					if c.difference != 0 {
						want = 4
					}
					if d.watch.mismatches != want {
						t.Errorf("%d of 4 walks were counted as not borne out, want %d", d.watch.mismatches, want)
					}
					if len(d.watch.unexpected) > 0 {
						t.Errorf("these count as unexpected values: %v", d.watch.unexpected)
					}
				})
			}
		}
	}
}

// What was handed over to the account with an old id, together with a deletion, hides a neighbour from one walk that
// reads downwards. The second walk goes the other way and finds it, even if the same happens again; and from then on it
// is asked for by its id.
func TestSecondWalkFindsWhomTheFirstMissed(t *testing.T) {
	hidden := map[int64]bool{}
	d := newDeviant(t, 152, 1, ycmtest.Listing{Unlisted: func(id int64) bool { return hidden[id] }})
	ids := d.IDs()
	late := ids[2:6] // They are handed over one by one.
	for _, id := range late {
		hidden[id] = true
	}
	neighbour := slices.DeleteFunc(d.IDs(), func(id int64) bool { return hidden[id] })[49] // The last of page 1.
	requests, at := 0, 0
	d.OnRequest(func(r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/v2/cloud_pbx/instances") {
			return
		}
		if requests++; requests == at { // Page 2 was read, and page 1 is about to be.
			delete(hidden, late[0])
			late = late[1:]
			d.Delete(d.IDs()[120])
		}
	})
	for walk, c := range []struct {
		at   int // The request ahead of which it happens.
		want bool
	}{{4, false}, {3, true}, {3, true}, {3, true}} {
		requests, at = 0, c.at
		list, _, err := d.walk(t)
		if err != nil {
			t.Fatalf("walk %d: %v", walk+1, err)
		}
		if _, found := slices.BinarySearch(idsOf(list.PBXs), neighbour); found != c.want {
			t.Errorf("walk %d has the neighbour: %v, want %v", walk+1, found, c.want)
		}
		d.Delete(d.IDs()[0]) // So that the neighbour is the last of page 1 again.
	}
}

// A difference of total and list is told once, and again when it changes; it is counted each time.
func TestDifferenceIsToldOnce(t *testing.T) {
	var logged bytes.Buffer
	w := newWatch()
	ycm := ycmtest.New(ycmtest.Options{PBXs: 130, Seed: 3})
	client := newClient(t, inProcess{ycm}, func(o *ycmclient.Options) { o.Logger, o.Observer = log.NewLogfmtLogger(&logged), w })
	state := &ycmclient.WalkState{}
	for step, c := range []struct {
		off, lines, mismatches, pages int
	}{
		{0, 0, 0, 4},
		{2, 1, 1, 25}, // The second walk goes the other way, so that there are three readings.
		{2, 1, 2, 4},  // It is known, so one reading is enough, with a look past the end.
		{2, 1, 3, 4},
		{-1, 2, 4, 10},
		{-1, 2, 5, 4},
		{0, 3, 5, 12},
		{0, 3, 5, 4},
		{0, 3, 5, 3},
	} {
		before := ycm.Count(ycmtest.CloudPBXList)
		ycm.SetListing(ycmtest.Listing{TotalOff: c.off})
		list, err := client.Walk(t.Context(), state, nil, nil)
		if err != nil || len(list.PBXs) != 130 || list.Listed != 130 || int(list.Total) != 130+c.off {
			t.Fatalf("step %d: %d PBXs, %d listed of a total of %d, error %v", step, len(list.PBXs), list.Listed, list.Total, err)
		}
		if lines := strings.Count(logged.String(), "\n"); lines != c.lines || w.mismatches != c.mismatches {
			t.Errorf("step %d: %d lines and %d counted, want %d and %d:\n%s", step, lines, w.mismatches, c.lines, c.mismatches, &logged)
		}
		if pages := ycm.Count(ycmtest.CloudPBXList) - before; pages > c.pages {
			t.Errorf("step %d took %d requests, want at most %d", step, pages, c.pages)
		}
	}
	for _, want := range []string{"level=warn", "account=main", "total=132", "listed=130", "difference=2", "difference_before=2", "difference=-1"} {
		if !strings.Contains(logged.String(), want) {
			t.Errorf("the log lacks %s:\n%s", want, &logged)
		}
	}
}

// What YCM writes as a number may be written in several ways, and a file may begin with a mark.
func TestWalkReadsAnyWayToWriteAList(t *testing.T) {
	for name, c := range map[string]struct {
		effect ycmtest.Effect
		fails  string
	}{
		"a byte order mark":     {effect: ycmtest.BOM()},
		"a total of 120.0":      {effect: ycmtest.Set("total", "120.0")},
		"a total of 1.2e2":      {effect: ycmtest.Set("total", "1.2e2")},
		"a total that is text":  {effect: ycmtest.Set("total", `"120"`)},
		"a total of 120.5":      {effect: ycmtest.Set("total", "120.5"), fails: "page 1 has records and no total"},
		"a list that is null":   {effect: ycmtest.Set("list", "null"), fails: "YCM counts 120 records and lists none"},
		"no list":               {effect: ycmtest.Set("list", ""), fails: "YCM counts 120 records and lists none"},
		"pages of another size": {effect: ycmtest.Set("pageSize", "7")},
		"another page number":   {effect: ycmtest.Set("pageNumber", "1")},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDeviant(t, 120, 1, ycmtest.Listing{})
			d.Inject(ycmtest.Fault{Endpoint: ycmtest.CloudPBXList, Effect: c.effect})
			d.state.Walks = 2
			list, _, err := d.walk(t)
			switch {
			case c.fails == "" && (err != nil || len(list.PBXs) != 120):
				t.Errorf("got %d PBXs and the error %v, want the 120", len(list.PBXs), err)
			case c.fails != "" && (err == nil || !strings.Contains(err.Error(), c.fails)):
				t.Errorf("got %d PBXs and the error %v, want one with %q", len(list.PBXs), err, c.fails)
			}
			if len(d.watch.unexpected) > 0 {
				t.Errorf("these count as unexpected values: %v", d.watch.unexpected)
			}
		})
	}
}

// The state may come from a file that somebody has damaged: the walk is as if it had none.
func TestWalkStateIsNotTrusted(t *testing.T) {
	for _, kept := range []string{
		`{"walks":-3,"page_size":-1,"pages":-7,"difference":9223372036854775807,"agreed":2,"vanished":[5,3,9]}`,
		`{"walks":1,"page_size":900,"pages":9000000000,"difference":-9223372036854775808,"uneven":true,"falling":true}`,
		`{"walks":99,"page_size":1,"pages":1000000,"uneven":true}`,
		`{"page_size":50,"pages":1,"difference":120}`,
	} {
		d := newDeviant(t, 120, 2, ycmtest.Listing{})
		if err := json.Unmarshal([]byte(kept), &d.state); err != nil {
			t.Fatal(err)
		}
		for walk := range 3 {
			list, pages, err := d.walk(t)
			if err != nil || len(list.PBXs) != 120 {
				t.Errorf("%s, walk %d: %d PBXs and the error %v, want the 120", kept, walk+1, len(list.PBXs), err)
			}
			if pages > 60 {
				t.Errorf("%s, walk %d took %d requests", kept, walk+1, pages)
			}
		}
	}
}
