package ycmclient_test

import (
	"fmt"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// account is an account whose fleet is walked again and again, and what its walks have found.
type account struct {
	*scripted
	client   *ycmclient.Client
	watch    *watch
	state    ycmclient.WalkState
	previous []ycmclient.CloudPBX

	ever   map[int64]bool // The PBXs that existed at any time.
	exist  map[int64]bool // Those that have existed all the time since the latest walk began,
	listed map[int64]bool // and those that have been listed all that time.
	most   int            // The most PBXs that existed together in the latest walk.
	search bool           // A PBX that exists need not match the search.
}

func newAccount(t testing.TB, pbxs, concurrency int, d deviations) *account {
	a := &account{scripted: newScripted(pbxs), watch: newWatch(), ever: map[int64]bool{}}
	a.deviations = d
	a.client = newClient(t, inProcess{a.scripted}, func(o *ycmclient.Options) { o.PageConcurrency, o.Observer = concurrency, a.watch })
	return a
}

// changes has the fleet change ahead of each answer.
func (a *account) changes(change func(page int)) {
	a.before = func(_ *scripted, page int) {
		if change != nil {
			change(page)
		}
		a.observe()
	}
}

func (a *account) observe() {
	exist, listed := set(a.ids), set(a.scripted.listed())
	for id := range exist {
		a.ever[id] = true
	}
	maps.DeleteFunc(a.exist, func(id int64, _ bool) bool { return !exist[id] })
	maps.DeleteFunc(a.listed, func(id int64, _ bool) bool { return !listed[id] })
	a.most = max(a.most, len(a.ids)+1)
}

func set(ids []int64) map[int64]bool {
	s := make(map[int64]bool, len(ids))
	for _, id := range ids {
		s[id] = true
	}
	return s
}

// few is how many known PBXs may be missing from a walk for each to be queried by its id.
func few(known int) int { return max(10, known/50) }

// walk walks once and checks what holds for every walk: no known PBX that exists is missing, none comes twice, none comes that
// never existed, and the requests are bounded. Its requests are all that was sent since the walk before.
func (a *account) walk(t *testing.T, name string) (list ycmclient.List, requests []int, err error) {
	t.Helper()
	a.exist, a.listed, a.most = set(a.ids), set(a.scripted.listed()), 0
	a.requests = nil
	a.observe()
	list, err = a.client.Walk(t.Context(), &a.state, a.previous, nil)
	requests = a.requested()
	if pages := a.most/a.pageSize() + 2; len(requests) > 4*(2*pages+24)+3*few(a.most) {
		t.Errorf("%s: the walk took %d requests for %d pages: %v", name, len(requests), pages, requests)
	}
	if err != nil {
		if list.PBXs != nil || yeastar.ClassOf(err) != yeastar.Invalid {
			t.Errorf("%s: the walk has %d PBXs and failed: %v", name, len(list.PBXs), err)
		}
		return list, requests, err
	}
	got := idsOf(list.PBXs)
	if !slices.IsSorted(got) || len(slices.Compact(slices.Clone(got))) != len(got) {
		t.Errorf("%s: the list is not sorted or has duplicates: %v", name, got)
	}
	for _, id := range got {
		if !a.ever[id] {
			t.Errorf("%s: PBX %d is in the list and never existed", name, id)
		}
	}
	found := set(got)
	for _, known := range a.previous {
		if a.exist[known.ID] && !found[known.ID] && !a.search {
			t.Errorf("%s: the known PBX %d is missing; requests %v", name, known.ID, requests)
		}
	}
	a.previous = list.PBXs
	return list, requests, nil
}

// settle walks the fleet, which does not change any more, until it is served as it is.
func (a *account) settle(t *testing.T, name string) {
	t.Helper()
	a.changes(nil)
	known := set(idsOf(a.previous))
	want := slices.DeleteFunc(slices.Clone(a.ids), func(id int64) bool {
		return a.forbidden != nil && a.forbidden(id) || a.unlisted[id] && !known[id]
	})
	for walk := 1; ; walk++ {
		list, _, err := a.walk(t, name+", quiet")
		if got := idsOf(list.PBXs); err == nil && slices.Equal(got, want) {
			return
		} else if walk == 4 {
			t.Errorf("%s: the fourth walk of the quiet fleet has %v and the error %v, want %v", name, got, err, want)
			return
		}
	}
}

// long reports whether there is time for many random runs.
func long() bool { return os.Getenv("YCM_TEST_LONG") != "" }

// One PBX is deleted, one with a low id is handed over and one is created, all between the same two answers, for all positions
// next to a page's end, and all moments of the walk.
func TestWalkKeepsKnownPBXsDuringChurn(t *testing.T) {
	t.Parallel()
	const size, pbxs, never = 4, 11, -1
	positions := []int{never, 0, 3, 4, 7, 8, pbxs - 1}
	for _, order := range []string{"", "falling"} {
		for _, concurrency := range []int{1, 8} {
			synctest.Test(t, func(t *testing.T) {
				a := newAccount(t, pbxs, concurrency, deviations{size: size, order: order})
				if concurrency > 1 {
					a.delay = arrival(7)
				}
				a.settle(t, "first")
				ids, state, previous := slices.Clone(a.ids), a.state, a.previous
				for _, gone := range positions {
					for _, old := range positions {
						for created := range 2 {
							for moment := 1; moment <= 4; moment++ {
								name := fmt.Sprintf("order %q, concurrency %d: deletion at %d, handover at %d, %d created, ahead of request %d",
									order, concurrency, gone, old, created, moment)
								a.ids, a.state, a.previous = slices.Clone(ids), state, previous
								a.changes(func(int) {
									if len(a.requests) != moment {
										return
									}
									if gone != never {
										a.remove(gone)
									}
									if old != never {
										a.handOver(old)
									}
									a.create(created)
								})
								_, requests, err := a.walk(t, name)
								if err != nil {
									t.Errorf("%s: %v", name, err)
								}
								if len(requests) > 16 {
									t.Errorf("%s: %d requests for three pages: %v", name, len(requests), requests)
								}
								a.changes(nil)
								if list, _, err := a.walk(t, name); err != nil || !slices.Equal(idsOf(list.PBXs), a.ids) {
									t.Errorf("%s: the next walk has %v and the error %v, want %v", name, idsOf(list.PBXs), err, a.ids)
								}
							}
						}
					}
				}
			})
		}
	}
}

// arrival has requests that are sent together arrive in a random order, which is the same for the same seed.
func arrival(seed int) func(string, int, int) time.Duration {
	return func(path string, page, n int) time.Duration {
		h := fnv.New32a()
		fmt.Fprint(h, seed, path, page, n)
		return time.Duration(h.Sum32()%1000) * time.Microsecond
	}
}

// Whatever is combined of a server's deviations and of churn.
func TestWalkKeepsKnownPBXsWhateverTheServerDoes(t *testing.T) {
	t.Parallel()
	seeds := 60
	if long() {
		seeds = 10_000
	}
	walks, failed := 0, 0
	synctest.Test(t, func(t *testing.T) {
		for seed := range seeds {
			random := rand.New(rand.NewPCG(uint64(seed), 77))
			pick := func(values ...int) int { return values[random.IntN(len(values))] }
			d := deviations{
				size: pick(0, 0, 20, 7, 10, 3), order: []string{"", "", "falling", "by name"}[random.IntN(4)],
				twice: pick(0, 0, 0, 4, 25), extra: pick(0, 0, 0, 0, 1, -1, 3, 500),
				pastEnd: pastEnds[random.IntN(len(pastEnds))], textIDs: random.IntN(4) == 0,
			}
			if d.extra > 0 && slices.Contains(ambiguous, d.pastEnd) {
				d.extra = 0 // Such a server fails or repeats itself within what it counts.
			}
			if d.size > 0 {
				d.extra = max(d.extra, 0) // It is unknown whether a single page is full.
			}
			concurrency := pick(1, 8)
			a := newAccount(t, 3+random.IntN(8*max(d.size, 5)), concurrency, d)
			a.delay = arrival(seed)
			a.unlisted = map[int64]bool{}
			if d.extra <= 0 && random.IntN(3) == 0 {
				for range random.IntN(9) {
					a.unlisted[3*int64(1+random.IntN(len(a.ids)+1))] = true
				}
			}
			calm, deletes, creates, handovers, early := pick(2, 8, 20), random.IntN(4), random.IntN(4), pick(0, 0, 1), random.IntN(2) == 0
			name := fmt.Sprintf("seed %d: %d PBXs, concurrency %d, up to %d deleted (early: %v), %d created, %d handed over ahead of every %d requests, %+v",
				seed, len(a.ids), concurrency, deletes, early, creates, handovers, calm, d)
			change := func(int) {
				if random.IntN(calm) > 0 {
					return
				}
				for range random.IntN(deletes + 1) {
					if n := len(a.ids); n > 2 || n > 0 && d.extra <= 0 { // A list of none that YCM counts is refused.
						at := random.IntN(n)
						if early {
							at /= 10
						}
						a.remove(at)
					}
				}
				for range random.IntN(handovers + 1) {
					a.handOver(random.IntN(len(a.ids) + 1))
				}
				a.create(random.IntN(creates + 1))
			}
			for range 5 {
				a.changes(change)
				known := a.previous
				list, _, err := a.walk(t, name)
				walks++
				if err != nil && a.state.Agreed > 0 && deleted(known, a.exist) > few(len(known)) {
					continue // So many were deleted indeed.
				}
				regular := d.extra == 0 && d.twice == 0 && d.order == "" && handovers == 0 && concurrency == 1
				if err != nil {
					failed++
					if regular && d.size == 0 {
						t.Errorf("%s: %v", name, err)
					}
					continue
				}
				found := set(idsOf(list.PBXs))
				for id := range a.listed {
					if regular && !found[id] {
						t.Errorf("%s: PBX %d was listed all the time and is missing", name, id)
					}
				}
			}
			a.settle(t, name)
		}
	})
	t.Logf("%d of %d walks under churn failed", failed, walks)
	if failed > walks/10 {
		t.Errorf("%d of %d walks failed under churn, want at most 10 %%", failed, walks)
	}
}

// deleted is how many known PBXs are not in a set.
func deleted(known []ycmclient.CloudPBX, exist map[int64]bool) (n int) {
	for _, pbx := range known {
		if !exist[pbx.ID] {
			n++
		}
	}
	return n
}

// However YCM pages, counts and orders, each walk of a quiet fleet has all of it.
func TestWalkAcceptsServersThatDeviate(t *testing.T) {
	t.Parallel()
	for name, d := range map[string]deviations{
		"as documented":                           {},
		"pages of 20":                             {size: 20},
		"pages of 10":                             {size: 10},
		"pages of 1":                              {size: 1},
		"ids that are strings":                    {textIDs: true},
		"a falling list":                          {order: "falling"},
		"a falling list in pages of 20":           {order: "falling", size: 20},
		"an order that is not by id":              {order: "by name"},
		"a record twice, counted twice":           {twice: 3},
		"a record twice, counted once":            {twice: 3, extra: -1},
		"a total that is one too high":            {extra: 1},
		"a total that is one too low":             {extra: -1},
		"a total that is far too high":            {extra: 20_000},
		"a total that is far too low":             {extra: -45},
		"a total that is one too low, pages of 7": {extra: -1, size: 7},
		"a total that is one too high, falling":   {extra: 1, order: "falling"},
		"a total that is one too low, falling":    {extra: -1, order: "falling"},
	} {
		for _, pastEnd := range pastEnds {
			for _, pbxs := range []int{50, 51, 100, 120} {
				if d.extra > 0 && slices.Contains(ambiguous, pastEnd) && (pastEnd != "last page" || d.extra > 1 || pbxs == 50) {
					continue // Such a server fails or repeats itself within what it counts.
				}
				if d.size == 1 && pbxs > 51 {
					continue
				}
				concurrency := 1 + 7*(pbxs/10%2)
				name := fmt.Sprintf("%s, past the end %q, %d PBXs, concurrency %d", name, pastEnd, pbxs, concurrency)
				if sum := fnv.New32a(); !long() {
					if fmt.Fprint(sum, name); sum.Sum32()%4 > 0 {
						continue // A quarter of the cases.
					}
				}
				d.pastEnd = pastEnd
				a := newAccount(t, pbxs, concurrency, d)
				difference := d.extra + min(d.twice, 1)
				for walk := 1; walk <= 3; walk++ {
					list, requests, err := a.walk(t, name)
					if err != nil || !slices.Equal(idsOf(list.PBXs), a.ids) {
						t.Errorf("%s: walk %d has %d PBXs and the error %v", name, walk, len(list.PBXs), err)
					}
					if d.twice > 0 && d.extra < 0 && pbxs%50 == 0 {
						continue // The second record of the PBX may be on a page that YCM does not count.
					}
					if got := int(list.Total) - list.Listed; got != difference || list.Listed != pbxs {
						t.Errorf("%s: walk %d: a total of %d and %d listed, want %d listed and a difference of %d", name, walk, list.Total, list.Listed, pbxs, difference)
					}
					pages := (pbxs + min(d.twice, 1) + a.pageSize() - 1) / a.pageSize()
					most := pages
					switch {
					case walk == 1:
						most = 2*pages + 30
					case d.twice > 0 && d.extra < 0:
						most = 2*pages + 5
					case d.extra > 0, d.twice > 0:
						most = pages + 1
					case difference < 0:
						most = pages + 4
					}
					if len(requests) > most {
						t.Errorf("%s: walk %d took %d requests, want at most %d: %v", name, walk, len(requests), most, requests)
					}
				}
				if want := 3 * min(max(difference, -difference), 1); d.twice == 0 && a.watch.mismatches != want {
					t.Errorf("%s: %d of 3 walks were reported as mismatches, want %d", name, a.watch.mismatches, want)
				}
				if len(a.watch.unexpected) > 0 {
					t.Errorf("%s: unexpected values: %v", name, a.watch.unexpected)
				}
			}
		}
	}
}

// A quiet fleet takes one request per page from the second walk on, whatever its size.
func TestWalkOfAQuietFleetTakesOneRequestPerPage(t *testing.T) {
	t.Parallel()
	for _, concurrency := range []int{1, 8} {
		for _, size := range []int{50, 10, 3} {
			for pbxs := range 3*size + 2 {
				if !long() && size > 10 && pbxs > 1 && (pbxs+1)%size > 2 {
					continue // Only about the end of a page.
				}
				name := fmt.Sprintf("%d PBXs in pages of %d, concurrency %d", pbxs, size, concurrency)
				a := newAccount(t, pbxs, concurrency, deviations{size: size})
				for walk := 1; walk <= 3; walk++ {
					_, requests, err := a.walk(t, name)
					want := max(1, (pbxs+size-1)/size)
					if walk == 1 && want > 1 {
						want += 2 // Page 1 comes first, and the page behind a full last one.
					} else if walk == 1 && pbxs == 50 {
						want++
					}
					if err != nil || len(requests) > want || walk > 1 && len(requests) != want {
						t.Errorf("%s: walk %d took the requests %v and has the error %v, want %d", name, walk, requests, err, want)
					}
				}
			}
		}
	}
}

// ambiguous are the answers past the end that mean another thing where the total counts so many pages.
var ambiguous = []string{"last page", "first page", "invalid"}

// The first walk has all that is listed throughout, although it knows nothing. A deletion and a creation between the same two
// answers leave the total as it is; where it changes, a second walk finds whom the first missed.
func TestFirstWalkHasAllThatIsListedThroughout(t *testing.T) {
	t.Parallel()
	const size, pbxs = 4, 11
	for name, c := range map[string]struct {
		order       string
		concurrency int
		change      func(a *account, at int)
	}{
		"a deletion":                       {"", 1, func(a *account, at int) { a.remove(at) }},
		"a deletion, concurrently":         {"", 8, func(a *account, at int) { a.remove(at) }},
		"a deletion and a creation":        {"", 1, func(a *account, at int) { a.remove(at); a.create(1) }},
		"a creation, falling":              {"falling", 1, func(a *account, _ int) { a.create(1) }},
		"a creation, falling concurrently": {"falling", 8, func(a *account, _ int) { a.create(1) }},
		"a handover":                       {"", 1, func(a *account, at int) { a.handOver(at) }},
	} {
		synctest.Test(t, func(t *testing.T) {
			for at := range pbxs {
				for moment := 1; moment <= 5; moment++ {
					for seed := range 1 + 4*(c.concurrency-1)/7 {
						a := newAccount(t, pbxs, c.concurrency, deviations{size: size, order: c.order})
						a.delay = arrival(seed)
						a.changes(func(int) {
							if len(a.requests) == moment {
								c.change(a, at)
							}
						})
						name := fmt.Sprintf("%s at %d, ahead of request %d", name, at, moment)
						list, requests, err := a.walk(t, name)
						if err != nil {
							t.Errorf("%s: %v", name, err)
						}
						found := set(idsOf(list.PBXs))
						for id := range a.listed {
							if !found[id] {
								t.Errorf("%s: PBX %d is missing; requests %v", name, id, requests)
							}
						}
					}
				}
			}
		})
	}
}

// A page that leaves records out is noticed by the total, and a list that is different each time is not served in part.
func TestWalkNoticesPagesThatLeaveRecordsOut(t *testing.T) {
	t.Parallel()
	for _, known := range []bool{false, true} {
		a := newAccount(t, 120, 1, deviations{})
		if known {
			a.settle(t, "known")
			a.create(20) // These are not known.
		}
		a.edit = func(page int, d *listData) {
			if page == 3 && len(a.requests) <= 4 {
				d.List = d.List[:len(d.List)-2]
			}
		}
		list, requests, err := a.walk(t, "left out once")
		if err != nil || !slices.Equal(idsOf(list.PBXs), a.ids) || a.watch.mismatches > 0 {
			t.Errorf("known %v: got %d PBXs and the error %v, want %d; requests %v", known, len(list.PBXs), err, len(a.ids), requests)
		}
	}
	for name, c := range map[string]struct {
		known         bool // 120 of the 140 PBXs are known.
		first, second int  // How many records the page of the newest leaves out in the first and in the second walk.
	}{
		"more, of which none is known":   {false, 1, 2},
		"more, of which none was listed": {true, 1, 2},
		"fewer":                          {true, 2, 1},
	} {
		a := newAccount(t, 140, 1, deviations{})
		if c.known {
			a.ids = a.ids[:120]
			a.settle(t, name)
			a.ids = newScripted(140).ids
		}
		a.edit = func(page int, d *listData) {
			out := c.second
			if len(a.requests) <= 4 || c.known && len(a.requests) == 5 { // The last page, if known, page 1 and all three.
				out = c.first
			}
			if page == 3 {
				d.List = d.List[:len(d.List)-out]
			}
		}
		if list, requests, err := a.walk(t, name); err == nil {
			t.Errorf("left out are %s: %d of 140 PBXs are served; requests %v", name, len(list.PBXs), requests)
		}
	}
	for n := range 60 {
		pbxs := 140 + 80*(n%2)
		a := newAccount(t, pbxs, 1, deviations{order: "shuffled"})
		a.seed = uint64(n)
		if list, _, err := a.walk(t, "shuffled"); err == nil && len(list.PBXs) != pbxs {
			t.Errorf("a shuffled list is served with %d of %d PBXs", len(list.PBXs), pbxs)
		}
	}
}

// A known PBX that a walk misses costs one request, and no second walk.
func TestMissedKnownPBXIsQueried(t *testing.T) {
	t.Parallel()
	a := newAccount(t, 120, 1, deviations{})
	a.settle(t, "before")
	a.edit = func(page int, d *listData) {
		if page == 2 {
			d.List = d.List[1:]
		}
	}
	list, requests, err := a.walk(t, "after")
	if err != nil || len(list.PBXs) != 120 || list.Listed != 119 || !slices.Equal(requests, []int{1, 3, 2, 1, 0}) {
		t.Errorf("got %d PBXs, %d listed, and the error %v; requests %v", len(list.PBXs), list.Listed, err, requests)
	}
}

// A total that begins to differ is confirmed by a second walk, although known PBXs are not listed and another is deleted meanwhile.
func TestTotalThatBeginsToDiffer(t *testing.T) {
	t.Parallel()
	a := newAccount(t, 240, 1, deviations{})
	a.settle(t, "before")
	a.unlisted, a.extra = map[int64]bool{300: true, 510: true}, 7
	a.changes(func(int) {
		if len(a.requests) == 10 {
			a.remove(3)
		}
	})
	list, requests, err := a.walk(t, "after")
	if err != nil || len(list.PBXs) != 240 && len(list.PBXs) != 239 || a.watch.mismatches != 1 {
		t.Errorf("got %d PBXs, %d mismatches and the error %v; requests %v", len(list.PBXs), a.watch.mismatches, err, requests)
	}
	a.settle(t, "after")
}

// What a walk has learned of the list must not hide PBXs that come later.
func TestWalkFindsNewPBXsOfServersThatDeviate(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		deviations
		pbxs, created int
		unlisted      map[int64]bool // From the second walk on, as the next.
		extra         int
		difference    int64 // What the first walk learned.
	}{
		"a total that is one too low, full pages": {deviations: deviations{extra: -1}, pbxs: 100, created: 1, extra: -1},
		"a total that is one too high":            {deviations: deviations{extra: 1}, pbxs: 100, created: 1, extra: 1},
		"pages of 7, known after one page, while known PBXs are not listed": {
			deviations: deviations{size: 7}, pbxs: 7, created: 4, unlisted: map[int64]bool{3: true, 6: true},
		},
		"pages of 7, 50 of which are known": {deviations: deviations{size: 7}, pbxs: 49, created: 7},
		"a record twice that is counted once, full pages": {
			deviations: deviations{twice: 3, extra: -1}, pbxs: 49, created: 1, extra: -1,
		},
		"a record twice that is counted once, after a total that was one too high": {
			deviations: deviations{twice: 3, extra: -1}, pbxs: 49, created: 1, extra: -1, difference: 1,
		},
		"a total that falls to two full pages": {pbxs: 115, created: 5, extra: -20},
	} {
		a := newAccount(t, c.pbxs, 1, c.deviations)
		a.settle(t, name)
		a.create(c.created)
		a.unlisted = c.unlisted
		a.extra = c.extra
		a.state.Difference += c.difference
		list, requests, err := a.walk(t, name)
		if err != nil || !slices.Equal(idsOf(list.PBXs), a.ids) {
			t.Errorf("%s: got %v and the error %v, want %v; requests %v", name, idsOf(list.PBXs), err, a.ids, requests)
		}
	}
}

// The PBXs of the first of two walks are known in the second, also if it misses more than can be queried by id.
func TestSecondWalkOfAColdStartKeepsThePBXsOfTheFirst(t *testing.T) {
	s := newScripted(500)
	s.before = func(s *scripted, _ int) {
		switch len(s.requests) {
		case 3: // The total changes in the first walk.
			s.create(1)
		case 14: // The second does not list 60 of the first.
			s.unlisted = map[int64]bool{}
			for _, id := range s.ids[100:160] {
				s.unlisted[id] = true
			}
		}
	}
	list, err := newClient(t, inProcess{s}, nil).Walk(t.Context(), nil, nil, nil)
	if err == nil {
		t.Errorf("a walk that misses 60 PBXs of the one before returned %d PBXs and no error", len(list.PBXs))
	}
}

// A YCM that repeats its last page past the end has the invalid values of that page once.
func TestWalkCountsUnexpectedValuesOfUsedPages(t *testing.T) {
	s := newScripted(50)
	s.pastEnd = "last page"
	odd := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		s.ServeHTTP(answer, r)
		w.WriteHeader(answer.Code)
		fmt.Fprint(w, strings.Replace(answer.Body.String(), `"list":[{`, `"list":[{"activeCalls":"many",`, 1))
	})
	w := newWatch()
	c := newClient(t, inProcess{odd}, func(o *ycmclient.Options) { o.Observer = w })
	if list, err := c.Walk(t.Context(), nil, nil, nil); err != nil || len(list.PBXs) != 50 {
		t.Fatalf("the walk has %d PBXs and the error %v", len(list.PBXs), err)
	}
	if n := len(s.requested()); n < 2 {
		t.Fatalf("the walk took %d requests, none past the end", n)
	}
	if w.unexpected["activeCalls"] != 1 {
		t.Errorf("unexpected values: %v, want one of activeCalls", w.unexpected)
	}
}
