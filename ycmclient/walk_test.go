package ycmclient_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// fleetOf makes the result of an earlier walk of a scripted fleet.
func fleetOf(pbxs int) []ycmclient.CloudPBX {
	list := make([]ycmclient.CloudPBX, pbxs)
	for i, id := range newScripted(pbxs).ids {
		list[i].ID = id
	}
	return list
}

func TestWalkCostsOneRequestAPage(t *testing.T) {
	for _, c := range []struct {
		name            string
		fleet, previous int
		walks           int // That were made before.
		want            []int
	}{
		{"an empty fleet", 0, 0, 0, []int{1}},
		{"one page, which the first walk does not take for a full one", 49, 0, 0, []int{1, 2}},
		{"one page, later", 49, 49, 2, []int{1}},
		{"one full page, of which the first walk makes sure that it is the last", 50, 0, 0, []int{1, 2, 1}},
		{"one full page, later, so that the next is asked for", 50, 50, 2, []int{1, 2}},
		{"the first walk looks at page 1 and reads it again at the end", 120, 0, 0, []int{1, 3, 2, 1}},
		{"the second walk goes the other way, and reads once more what is new", 120, 120, 1, []int{1, 2, 3, 3}},
		{"a later walk knows where the end is", 120, 120, 2, []int{3, 2, 1}},
		{"a last page that is full", 150, 150, 2, []int{3, 2, 1, 4}},
		{"a last page that is full, for the first time", 150, 150, 0, []int{3, 4, 3, 2, 1}},
		{"the fleet grew by a page", 120, 90, 2, []int{2, 3, 2, 1}},
		{"the fleet shrank by a page, and who is gone is asked for by id", 98, 104, 2, []int{3, 2, 1, 0, 0, 0, 0, 0, 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScripted(c.fleet)
			list, err := newClient(t, inProcess{s}, nil).Walk(t.Context(), &ycmclient.WalkState{}, fleetOf(c.previous), nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := idsOf(list.PBXs); !slices.Equal(got, s.ids) || list.Total != int64(c.fleet) {
				t.Errorf("got a total of %d and the PBXs %v, want %v", list.Total, got, s.ids)
			}
			if diff := cmp.Diff(c.want, s.requested()); diff != "" {
				t.Errorf("pages asked for (-want +got):\n%s", diff)
			}
			if list.Requests != len(c.want) {
				t.Errorf("the result tells of %d requests, want %d", list.Requests, len(c.want))
			}
		})
	}
}

func TestWalkTellsItsProgress(t *testing.T) {
	s := newScripted(260)
	var steps [][2]int
	client := newClient(t, inProcess{s}, func(o *ycmclient.Options) { o.PageConcurrency = 3 })
	if _, err := client.Walk(t.Context(), nil, nil, func(done, total int) { steps = append(steps, [2]int{done, total}) }); err != nil {
		t.Fatal(err)
	}
	if last := steps[len(steps)-1]; last != [2]int{260, 260} {
		t.Errorf("the last step is %v, want 260 of 260", last)
	}
	if !slices.IsSortedFunc(steps, func(a, b [2]int) int { return a[0] - b[0] }) {
		t.Errorf("progress goes back: %v", steps)
	}
}

// emptyWithTotal makes each empty page say that there are so many records.
func emptyWithTotal(total int) func(int, *listData) {
	return func(_ int, d *listData) {
		if len(d.List) == 0 {
			d.Total = total
		}
	}
}

// YCM does not document what a page past the end is. Whatever it is, a fleet that shrank is walked, and the end of
// a list whose last page is full is found.
func TestWalkUnderstandsAnyPagePastTheEnd(t *testing.T) {
	for name, script := range map[string]func(s *scripted){
		"refused as not found": func(s *scripted) {
			s.refuse = func(page, pages int) (int, int) {
				if page > max(pages, 1) {
					return 404, 1000005
				}
				return 0, 0
			}
		},
		"refused as an invalid parameter, under HTTP 200": func(s *scripted) {
			s.refuse = func(page, pages int) (int, int) {
				if page > max(pages, 1) {
					return 200, 1000004
				}
				return 0, 0
			}
		},
		"the last page once more": func(s *scripted) {
			s.edit = func(page int, d *listData) {
				if last := (len(s.ids) + 49) / 50; page > last {
					d.PageNumber = last
					for _, id := range s.ids[(last-1)*50:] {
						d.List = append(d.List, pbxOf(id))
					}
				}
			}
		},
		"empty, with a total of 0":         func(s *scripted) { s.edit = emptyWithTotal(0) },
		"empty, with a total of another":   func(s *scripted) { s.edit = emptyWithTotal(7) },
		"empty, with a total that is huge": func(s *scripted) { s.edit = emptyWithTotal(90_000) },
		"without a list": func(s *scripted) {
			s.edit = func(_ int, d *listData) {
				if len(d.List) == 0 {
					d.List = nil
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScripted(100)
			script(s)
			for _, before := range []int{0, 1, 2, 3, 6, 400} {
				state := &ycmclient.WalkState{Pages: before}
				list, err := newClient(t, inProcess{s}, nil).Walk(t.Context(), state, fleetOf(104), nil)
				if err != nil {
					t.Fatalf("with %d pages before: %v", before, err)
				}
				if !slices.Equal(idsOf(list.PBXs), s.ids) {
					t.Errorf("with %d pages before: got %v, want %v", before, idsOf(list.PBXs), s.ids)
				}
				if list.Total != 100 {
					t.Errorf("with %d pages before: got a total of %d, want the 100 that the pages before the end tell", before, list.Total)
				}
			}
		})
	}
}

func TestWalkEndsInAnErrorIfTheListCannotBeTrue(t *testing.T) {
	for _, c := range []struct {
		name string
		pbxs int
		lie  func(page int, d *listData, first []any)
		want string
	}{
		{
			"pageNumber is ignored", 730, func(_ int, d *listData, first []any) { d.PageNumber, d.List = 1, first },
			"brings nothing new: it is the same as page",
		},
		{
			"pageNumber is ignored and the last page is full", 750, func(_ int, d *listData, first []any) { d.List = first },
			"brings nothing new: it is the same as page",
		},
		{
			"the same rows on each page, and a total of 20,000", 50, func(_ int, d *listData, first []any) { d.Total, d.List = 20_000, first },
			"brings nothing new: it is the same as page",
		},
		{"more than a page comes", 80, func(page int, d *listData, first []any) {
			if page == 1 {
				d.List = append(slices.Clone(first), first...)
			}
		}, "page 1 has more than the 50 records that were asked for"},
		{"the total is negative", 30, func(_ int, d *listData, _ []any) { d.Total = -30 }, "YCM counts -30 records, which cannot be"},
		{"the total is absurd", 50, func(_ int, d *listData, _ []any) { d.Total = 1_000_001 }, "YCM counts 1000001 records"},
		{"the total is rubbish", 50, func(_ int, d *listData, _ []any) { d.Total = "many" }, "page 1 has records and no total"},
		{"the total is no whole number", 120, func(_ int, d *listData, _ []any) { d.Total = 120.5 }, "page 1 has records and no total"},
		{"there is no total", 50, func(_ int, d *listData, _ []any) { d.Total = nil }, "page 1 has records and no total"},
		{"there is neither total nor list", 50, func(_ int, d *listData, _ []any) { d.Total, d.List = nil, nil }, "the answer has no data"},
		{"every PBX has the same id", 120, func(_ int, d *listData, first []any) {
			for i := range d.List {
				d.List[i] = first[0]
			}
		}, "has the same record again and again"},
		{"no PBX has an id", 20, func(_ int, d *listData, _ []any) {
			for i := range d.List {
				d.List[i] = map[string]any{"id": i, "name": "Harbour Dental"}
			}
		}, "page 1 has 20 records and none with a usable id"},
		{
			"the list holds no objects", 20, func(_ int, d *listData, _ []any) { d.List = []any{1, "two", nil, []int{3}} },
			"page 1 has 4 records and none with a usable id",
		},
		{"the order changes from page to page", 730, func(page int, d *listData, _ []any) {
			if page%2 == 0 {
				slices.Reverse(d.List)
			}
		}, "the order of the list changes from page to page"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for readers := 1; readers <= 8; readers += 7 {
				s := newScripted(c.pbxs)
				var first []any
				for _, id := range s.ids[:min(50, c.pbxs)] {
					first = append(first, pbxOf(id))
				}
				s.edit = func(page int, d *listData) { c.lie(page, d, first) }
				client := newClient(t, inProcess{s}, func(o *ycmclient.Options) { o.PageConcurrency = readers })
				list, err := client.Walk(t.Context(), nil, nil, nil)
				if err == nil || !strings.Contains(err.Error(), c.want) || yeastar.ClassOf(err) != yeastar.Invalid {
					t.Errorf("with %d readers: got %d PBXs and the error %v, want an invalid one with %q", readers, len(list.PBXs), err, c.want)
				}
				if n := len(s.requested()); n > 30 {
					t.Errorf("with %d readers: it took %d requests to see that", readers, n)
				}
			}
		})
	}
}

// A server counts in one statement and lists in another, so a page may contradict itself once.
func TestWalkAsksAgainForAPageThatContradictsItself(t *testing.T) {
	for name, mid := range map[string]func(s *scripted){
		"deleted between count and list":  func(s *scripted) { s.remove(0) },
		"created between count and list":  func(s *scripted) { s.create(1) },
		"the whole last page was deleted": func(s *scripted) { s.ids = s.ids[:100] },
	} {
		t.Run(name, func(t *testing.T) {
			s := newScripted(110)
			s.mid = func(s *scripted) {
				if n := len(s.requests); n == 1 || n == 5 {
					mid(s)
				}
			}
			list, err := newClient(t, inProcess{s}, nil).Walk(t.Context(), nil, fleetOf(110), nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, id := range s.ids {
				if _, found := slices.BinarySearch(idsOf(list.PBXs), id); !found && id <= 110*3 {
					t.Errorf("PBX %d is missing", id)
				}
			}
		})
	}
}

// A PBX that moves to a page that is still to be read is read twice, and is as it was the second time.
func TestWalkKeepsTheLatestReading(t *testing.T) {
	s := newScripted(120)
	moved := s.ids[50] // The first of page 2, until one of page 1 is deleted.
	s.before = func(s *scripted, _ int) {
		if len(s.requests) == 4 {
			s.remove(0)
		}
	}
	s.edit = func(page int, d *listData) {
		for i, record := range d.List {
			named := maps.Clone(record.(map[string]any))
			named["name"] = fmt.Sprintf("as page %d has it", page)
			d.List[i] = named
		}
	}
	list, err := newClient(t, inProcess{s}, nil).Walk(t.Context(), nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{1, 3, 2, 1}, s.requested()); diff != "" {
		t.Fatalf("pages asked for (-want +got):\n%s", diff)
	}
	at := slices.Index(idsOf(list.PBXs), moved)
	if at < 0 || list.PBXs[at].Name != "as page 1 has it" {
		t.Errorf("the PBX that moved is at %d of the result, named %q; want it as page 1 has it", at, list.PBXs[max(at, 0)].Name)
	}
}

func TestWalkDropsARecordWithoutAnID(t *testing.T) {
	s := newScripted(120)
	s.edit = func(page int, d *listData) {
		if page == 2 {
			d.List[7] = map[string]any{"name": "Harbour Dental", "cloudPbxId": "none"}
			d.List[8] = nil
		}
	}
	w := newWatch()
	list, err := newClient(t, inProcess{s}, func(o *ycmclient.Options) { o.Observer = w }).Walk(t.Context(), nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(list.PBXs) != 118 || w.unexpected["cloudPbxId"] != 2 {
		t.Errorf("got %d PBXs and %v unexpected, want the 118 with an id and 2 cloudPbxId", len(list.PBXs), w.unexpected)
	}
}

func TestWalkEndsWithItsContext(t *testing.T) {
	s := newScripted(500)
	ctx, cancel := context.WithCancel(t.Context())
	s.before = func(s *scripted, _ int) {
		if len(s.requests) == 5 {
			cancel()
		}
	}
	_, err := newClient(t, inProcess{s}, func(o *ycmclient.Options) { o.PageConcurrency = 4 }).Walk(ctx, nil, nil, nil)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the end of the context", err)
	}
	if n := len(s.requested()); n > 9 {
		t.Errorf("%d pages were asked for although the walk was given up at the fifth", n)
	}
}
