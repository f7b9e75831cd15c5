package ycmclient_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
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

func TestWalkTakesOneRequestPerPage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name          string
		before, fleet int // -1: there was no walk before.
		want          []int
	}{
		{"an empty fleet", -1, 0, []int{1}},
		{"one page", -1, 49, []int{1}},
		{"one page, later", 49, 49, []int{1}},
		{"one full page: the total may be wrong", -1, 50, []int{1, 2}},
		{"one full page, later", 50, 50, []int{1}},
		{"the first walk reads page 1 again at the end", -1, 120, []int{1, 3, 2, 1}},
		{"a later walk", 120, 120, []int{1, 3, 2}},
		{"a last page that is full, for the first time", -1, 150, []int{1, 3, 4, 2, 1}},
		{"a last page that is full", 150, 150, []int{1, 3, 2}},
		{"the fleet grew on its last page", 120, 150, []int{1, 3, 2, 1}},
		{"the fleet grew by a page", 90, 120, []int{1, 3, 2, 1}},
		{"the fleet shrank by a page, and the missing are queried by their ids", 104, 98, []int{1, 2, 0, 0, 0, 0, 0, 0}},
	} {
		s := newScripted(max(c.before, 0))
		client, state := newClient(t, inProcess{s}, nil), new(ycmclient.WalkState)
		var list ycmclient.List
		var err error
		if c.before >= 0 {
			if list, err = client.Walk(t.Context(), state, nil, nil); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
		}
		s.create(max(0, c.fleet-len(s.ids)))
		s.ids, s.requests = s.ids[:c.fleet], nil
		list, err = client.Walk(t.Context(), state, list.PBXs, nil)
		if err != nil || !slices.Equal(idsOf(list.PBXs), s.ids) || list.Total != int64(c.fleet) {
			t.Errorf("%s: got a total of %d, the PBXs %v and the error %v, want %v", c.name, list.Total, idsOf(list.PBXs), err, s.ids)
		}
		if diff := cmp.Diff(c.want, s.requested()); diff != "" {
			t.Errorf("%s: requested pages (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestWalkReportsItsProgress(t *testing.T) {
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

// YCM does not document what a page past the end is. Whatever it is, a fleet that shrank is walked.
func TestWalkAcceptsAnyPagePastTheEnd(t *testing.T) {
	t.Parallel()
	for _, pastEnd := range pastEnds {
		s := newScripted(100)
		s.pastEnd = pastEnd
		list, err := newClient(t, inProcess{s}, nil).Walk(t.Context(), nil, fleetOf(104), nil)
		if err != nil || !slices.Equal(idsOf(list.PBXs), s.ids) || list.Total != 100 {
			t.Errorf("past the end %q: got a total of %d, %d PBXs and the error %v", pastEnd, list.Total, len(list.PBXs), err)
		}
	}
}

func TestWalkRefusesAnInconsistentList(t *testing.T) {
	for _, c := range []struct {
		name string
		pbxs int
		edit func(page int, d *listData, first []any)
		want string
	}{
		{
			"pageNumber is ignored", 730, func(_ int, d *listData, first []any) { d.PageNumber, d.List = 1, first },
			"has no new records: YCM ignores the page number",
		},
		{
			"pageNumber is ignored and the last page is full", 750, func(_ int, d *listData, first []any) { d.List = first },
			"has no new records: YCM ignores the page number",
		},
		{
			"the same rows on each page, and a total of 20,000", 50, func(_ int, d *listData, first []any) { d.Total, d.List = 20_000, first },
			"has no new records: YCM ignores the page number",
		},
		{"more than a page comes", 80, func(page int, d *listData, first []any) {
			if page == 1 {
				d.List = append(slices.Clone(first), first...)
			}
		}, "page 1 has more than the 50 records that were requested"},
		{"the total is negative", 30, func(_ int, d *listData, _ []any) { d.Total = -30 }, "YCM reports -30 records"},
		{"the total is absurd", 50, func(_ int, d *listData, _ []any) { d.Total = 1_000_001 }, "YCM reports 1000001 records"},
		{"the total is rubbish", 50, func(_ int, d *listData, _ []any) { d.Total = "many" }, "page 1 has no total"},
		{"the total is no whole number", 120, func(_ int, d *listData, _ []any) { d.Total = 120.5 }, "page 1 has no total"},
		{"there is no total", 50, func(_ int, d *listData, _ []any) { d.Total = nil }, "page 1 has no total"},
		{"there is neither total nor list", 50, func(_ int, d *listData, _ []any) { d.Total, d.List = nil, nil }, "the response has no data"},
		{"every PBX has the same id", 120, func(_ int, d *listData, first []any) {
			for i := range d.List {
				d.List[i] = first[0]
			}
		}, "has no new records: YCM ignores the page number"},
		{"no PBX has an id", 20, func(_ int, d *listData, _ []any) {
			for i := range d.List {
				d.List[i] = map[string]any{"id": i, "name": "Harbour Dental"}
			}
		}, "page 1 has 20 records, none with a valid id"},
		{
			"the list holds no objects", 20, func(_ int, d *listData, _ []any) { d.List = []any{1, "two", nil, []int{3}} },
			"page 1 has 4 records, none with a valid id",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			for readers := 1; readers <= 8; readers += 7 {
				s := newScripted(c.pbxs)
				var first []any
				for _, id := range s.ids[:min(50, c.pbxs)] {
					first = append(first, pbxOf(id))
				}
				s.edit = func(page int, d *listData) { c.edit(page, d, first) }
				client := newClient(t, inProcess{s}, func(o *ycmclient.Options) { o.PageConcurrency = readers })
				list, err := client.Walk(t.Context(), nil, nil, nil)
				if err == nil || !strings.Contains(err.Error(), c.want) || yeastar.ClassOf(err) != yeastar.Invalid {
					t.Errorf("with %d readers: got %d PBXs and the error %v, want an invalid one with %q", readers, len(list.PBXs), err, c.want)
				}
				if n := len(s.requested()); n > 30 {
					t.Errorf("with %d readers: it took %d requests", readers, n)
				}
			}
		})
	}
}

// A server counts in one statement and lists in another, so a page may contradict itself once.
func TestWalkAcceptsAPageThatContradictsItselfOnce(t *testing.T) {
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

// A PBX that moves to a page that is still to be read is read twice, and is served as the second page has it.
func TestWalkKeepsTheLatestRecord(t *testing.T) {
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
	list, err := newClient(t, inProcess{s}, nil).Walk(t.Context(), nil, fleetOf(120)[1:], nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{1, 3, 2, 1}, s.requested()); diff != "" {
		t.Fatalf("requested pages (-want +got):\n%s", diff)
	}
	at := slices.Index(idsOf(list.PBXs), moved)
	if at < 0 || list.PBXs[at].Name != "as page 1 has it" {
		t.Errorf("the PBX that moved is at %d of the result, named %q; want it as page 1 has it", at, list.PBXs[max(at, 0)].Name)
	}
}

func TestWalkSkipsRecordsWithoutAnID(t *testing.T) {
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
		t.Errorf("%d pages were requested although the walk was canceled at the fifth", n)
	}
}

// YCM's total may differ from its list. That is logged when it changes, and counted each time.
func TestDifferenceOfTotalAndListIsLoggedOnce(t *testing.T) {
	var logged bytes.Buffer
	w, s := newWatch(), newScripted(130)
	client := newClient(t, inProcess{s}, func(o *ycmclient.Options) {
		o.Logger, o.Observer = level.NewFilter(log.NewLogfmtLogger(&logged), level.AllowInfo()), w
	})
	state, list := &ycmclient.WalkState{}, ycmclient.List{}
	for step, c := range []struct{ extra, lines, mismatches, pages int }{
		{0, 0, 0, 4},
		{2, 1, 1, 10}, // Walked twice.
		{2, 1, 2, 4},  // It is known: one walk is enough, with a look past the end.
		{2, 1, 3, 4},
		{-1, 2, 4, 3},
		{-1, 2, 5, 3},
		{0, 3, 5, 3},
		{0, 3, 5, 3},
	} {
		s.extra, s.requests = c.extra, nil
		var err error
		list, err = client.Walk(t.Context(), state, list.PBXs, nil)
		if err != nil || len(list.PBXs) != 130 || list.Listed != 130 || int(list.Total) != 130+c.extra {
			t.Fatalf("step %d: %d PBXs, %d listed of a total of %d, error %v", step, len(list.PBXs), list.Listed, list.Total, err)
		}
		if lines := strings.Count(logged.String(), "\n"); lines != c.lines || w.mismatches != c.mismatches {
			t.Errorf("step %d: %d lines and %d counted, want %d and %d:\n%s", step, lines, w.mismatches, c.lines, c.mismatches, &logged)
		}
		if pages := len(s.requests); pages > c.pages {
			t.Errorf("step %d took %d requests, want at most %d", step, pages, c.pages)
		}
	}
	for _, want := range []string{"level=warn", "account=main", "total=132", "listed=130", "difference=2", "difference_before=2", "difference=-1"} {
		if !strings.Contains(logged.String(), want) {
			t.Errorf("the log lacks %s:\n%s", want, &logged)
		}
	}
}

// Numbers may be written in several ways.
func TestWalkReadsAnyWayToWriteAList(t *testing.T) {
	for name, c := range map[string]struct {
		edit  func(d *listData)
		fails string
	}{
		"a total of 120.0":      {edit: func(d *listData) { d.Total = json.RawMessage("120.0") }},
		"a total of 1.2e2":      {edit: func(d *listData) { d.Total = json.RawMessage("1.2e2") }},
		"a total that is text":  {edit: func(d *listData) { d.Total = "120" }},
		"a list that is null":   {edit: func(d *listData) { d.List = nil }, fails: "YCM reports 120 records but lists none"},
		"pages of another size": {edit: func(d *listData) { d.PageSize = 7 }},
		"another page number":   {edit: func(d *listData) { d.PageNumber = 1 }},
	} {
		a := newAccount(t, 120, 1, deviations{})
		a.edit = func(_ int, d *listData) { c.edit(d) }
		list, _, err := a.walk(t, name)
		switch {
		case c.fails == "" && (err != nil || len(list.PBXs) != 120):
			t.Errorf("%s: got %d PBXs and the error %v, want the 120", name, len(list.PBXs), err)
		case c.fails != "" && (err == nil || !strings.Contains(err.Error(), c.fails)):
			t.Errorf("%s: got %d PBXs and the error %v, want one with %q", name, len(list.PBXs), err, c.fails)
		}
		if len(a.watch.unexpected) > 0 {
			t.Errorf("%s: unexpected values: %v", name, a.watch.unexpected)
		}
	}
}

// What a walk expects of the list may be the reason why it fails.
func TestWalkStartsFromScratchAfterAFailure(t *testing.T) {
	a := newAccount(t, 35, 1, deviations{size: 7})
	a.state.Difference = -5000
	if _, _, err := a.walk(t, "first"); err == nil {
		t.Error("the first walk does not fail")
	}
	a.settle(t, "second")
	if n := len(a.requested()); n > 7 {
		t.Errorf("the second walk took %d requests", n)
	}
}

// A server that gives new records for ever, or pages of one, is not read for ever.
func TestWalkIsBounded(t *testing.T) {
	for name, edit := range map[string]func(page int, d *listData){
		"pages without end": func(page int, d *listData) {
			d.Total, d.List = 50, nil
			for i := range 50 {
				d.List = append(d.List, map[string]any{"cloudPbxId": page*50 + i + 1})
			}
		},
		"more pages than can be": func(page int, d *listData) {
			d.Total, d.List = 1_000_000, []any{map[string]any{"cloudPbxId": page}}
		},
		"another total each time": func(page int, d *listData) {
			d.Total = 1 + len(d.List)*page*7%1000
		},
	} {
		s := newScripted(50)
		s.edit = edit
		if list, err := newClient(t, inProcess{s}, nil).Walk(t.Context(), nil, nil, nil); err == nil && name != "another total each time" {
			t.Errorf("%s: got %d PBXs, want an error", name, len(list.PBXs))
		}
		if n := len(s.requested()); n > 300 {
			t.Errorf("%s: %d requests", name, n)
		}
	}
}
