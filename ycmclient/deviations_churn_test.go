package ycmclient_test

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/ycm-exporter/ycm_exporter/ycmclient"
	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

var (
	searchRuns = flag.Int("search.runs", 100, "how many random combinations of deviations and changes are tried")
	searchSeed = flag.Uint64("search.seed", 5, "the first of their seeds")
)

// changing is a fleet that changes ahead of each page, and who was in it all the time.
type changing struct {
	*deviant
	random   *rand.Rand
	hidden   map[int64]bool // Exist, but do not belong to the account yet.
	deletes  int            // At most so many are deleted ahead of a page,
	creates  int            // created,
	appears  int            // and handed over to the account with an old id.
	early    bool           // The oldest are deleted.
	calm     int            // Nothing happens ahead of most pages: one in so many.
	constant map[int64]bool // Were listed all the time since begin.
}

func newChanging(t *testing.T, random *rand.Rand, pbxs, readers int, listing ycmtest.Listing) *changing {
	c := &changing{random: random, hidden: map[int64]bool{}}
	listing.Unlisted = func(id int64) bool { return c.hidden[id] }
	c.deviant = newDeviant(t, pbxs, readers, listing)
	c.OnRequest(func(r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/v2/cloud_pbx/instances") {
			c.change()
		}
	})
	return c
}

// listed returns the ids that the list has now.
func (c *changing) listed() []int64 {
	return slices.DeleteFunc(c.IDs(), func(id int64) bool { return c.hidden[id] })
}

func (c *changing) begin() {
	c.constant = map[int64]bool{}
	for _, id := range c.listed() {
		c.constant[id] = true
	}
}

func (c *changing) change() {
	if c.random.IntN(c.calm) > 0 {
		return
	}
	for range c.random.IntN(c.deletes + 1) {
		if ids := c.listed(); len(ids) > 0 {
			at := c.random.IntN(len(ids))
			if c.early {
				at /= 10
			}
			c.Delete(ids[at])
			delete(c.constant, ids[at])
		}
	}
	for range c.random.IntN(c.creates + 1) {
		c.Add(nil)
	}
	for range c.random.IntN(c.appears + 1) {
		if ids := slices.Sorted(maps.Keys(c.hidden)); len(ids) > 0 {
			delete(c.hidden, ids[c.random.IntN(len(ids))])
		}
	}
}

// gone tells how many of those known are not listed.
func gone(known map[int64]bool, listed []int64) int {
	rest := maps.Clone(known)
	for _, id := range listed {
		delete(rest, id)
	}
	return len(rest)
}

// The search for a counter-example to what walker says: whatever is combined, a walk that succeeds has everybody who
// was there all the time, everybody once and nobody else, in few requests; and where nothing is wrong with the total,
// it succeeds.
func TestWalkMissesNothingWhateverIsCombined(t *testing.T) {
	failed, walks := 0, 0
	for run := range *searchRuns {
		seed := *searchSeed + uint64(run)
		random := rand.New(rand.NewPCG(seed, 77))
		pick := func(values ...int) int { return values[random.IntN(len(values))] }
		listing := ycmtest.Listing{
			PageSize: pick(0, 0, 20, 7, 10), SaySize: pick(0, 50, 20),
			Order:    ycmtest.Order(pick(int(ycmtest.AsAsked), int(ycmtest.AsAsked), int(ycmtest.Falling))),
			TotalOff: pick(0, 0, 0, 1, -1, 3), Twice: pick(0, 0, 0, 4, 30),
			PastEnd: ycmtest.PastEnd(random.IntN(int(ycmtest.AnotherTotal) + 1)), TextIDs: random.IntN(4) == 0,
		}
		size := 50
		if listing.PageSize > 0 {
			size = listing.PageSize
		}
		pbxs, readers := random.IntN(9*size), 1+random.IntN(5)
		honest := listing.TotalOff == 0 && listing.Twice == 0
		c := newChanging(t, random, pbxs, readers, listing)
		c.calm = pick(1, 4, 10)
		c.deletes, c.creates, c.early = random.IntN(4), random.IntN(4), random.IntN(2) == 0
		if random.IntN(3) == 0 {
			c.appears = 1
			for range random.IntN(20) {
				if ids := c.IDs(); len(ids) > 0 {
					c.hidden[ids[random.IntN(len(ids))]] = true
				}
			}
		}
		name := fmt.Sprintf("seed %d: %d PBXs, %d readers, up to %d deleted (early: %v), %d created and %d handed over each %d pages, %+v",
			seed, pbxs, readers, c.deletes, c.early, c.creates, c.appears, c.calm, listing)
		ever := map[int64]bool{}
		c.OnRequest(func(*http.Request) {
			for _, id := range c.IDs() {
				ever[id] = true
			}
		})
		for walk := 1; walk <= 5; walk++ {
			c.begin()
			listed := len(c.listed())
			known := map[int64]bool{}
			newest := int64(0)
			for _, id := range idsOf(c.previous) {
				known[id] = true
				newest = max(newest, id)
			}
			list, pages, err := c.walk(t)
			if most := 4*(listed/size+1) + 80; pages > most {
				t.Errorf("%s: walk %d took %d requests for %d pages", name, walk, pages, listed/size+1)
			}
			walks++
			if errors.Is(err, ycmclient.ErrUnconfirmed) && gone(known, c.listed()) > 10 {
				continue // So many were deleted indeed.
			}
			if err != nil {
				failed++
				t.Logf("%s: walk %d: %v", name, walk, err)
				if honest && c.appears == 0 {
					t.Errorf("%s: walk %d: %v", name, walk, err)
				}
				continue
			}
			got := idsOf(list.PBXs)
			if !slices.IsSorted(got) || len(slices.Compact(slices.Clone(got))) != len(got) {
				t.Errorf("%s: walk %d is not sorted or has doubles", name, walk)
			}
			for _, id := range got {
				if !ever[id] {
					t.Errorf("%s: walk %d has PBX %d, which never was", name, walk, id)
				}
			}
			missed := maps.Clone(c.constant)
			for _, id := range got {
				delete(missed, id)
			}
			for id := range missed {
				if c.appears > 0 && !known[id] && (id <= newest || len(known) == 0) {
					delete(missed, id) // Who appears in the middle may hide a neighbour that is not known yet.
				}
			}
			if len(missed) > 0 {
				t.Errorf("%s: walk %d misses %d who were there all the time: %v", name, walk, len(missed), slices.Sorted(maps.Keys(missed)))
			}
		}
	}
	t.Logf("%d of %d walks ended in an error", failed, walks)
	if failed > walks/20 {
		t.Errorf("%d of %d walks ended in an error, want at most one in 20", failed, walks)
	}
}
