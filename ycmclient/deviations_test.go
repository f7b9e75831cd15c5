package ycmclient_test

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"

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
			for _, pbxs := range []int{49, 50, 51, 100, 120, 151} {
				if c.listing.PageSize == 1 && pbxs > 51 {
					continue
				}
				for _, readers := range []int{1, 4} {
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
}
