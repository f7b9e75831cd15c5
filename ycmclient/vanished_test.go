package ycmclient_test

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

const fleet = 240 // Five pages.

// forgetful makes a scripted YCM whose list leaves PBXs out that exist: those for which hide is true, in the walks
// up to the given one.
func forgetful(walks int, hide func(at int) bool) *scripted {
	s := newScripted(fleet)
	all := slices.Clone(s.ids)
	walk := 0
	s.before = func(s *scripted, page int) {
		if page == 1 {
			defer func() { walk++ }() // The last page of a walk is its first.
		}
		s.ids = nil
		for at, id := range all {
			if walk >= walks || !hide(at) {
				s.ids = append(s.ids, id)
			}
		}
	}
	s.single = func(id int64, _ bool) (int, int) {
		if slices.Contains(all, id) {
			return 200, 0
		}
		return 404, 1000005
	}
	return s
}

func TestVanishedPBXs(t *testing.T) {
	few := func(at int) bool { return at == 100 || at == 170 }
	for _, c := range []struct {
		name    string
		script  *scripted
		search  string
		want    int
		repairs int
		singles int // Requests for single PBXs.
		walks   int
	}{
		{name: "what the list leaves out is found by its id", script: forgetful(9, few), want: fleet, repairs: 2, singles: 2, walks: 1},
		{name: "what is deleted is gone", script: newScripted(fleet - 3), want: fleet - 3, singles: 3, walks: 1},
		{name: "as many as may vanish at once are asked for", script: newScripted(fleet - 10), want: fleet - 10, singles: 10, walks: 1},
		{name: "with a search asking for single PBXs would prove nothing", script: forgetful(1, few), search: "harbour", want: fleet, repairs: 1, walks: 2},
		{name: "with a search, what two walks do not list is gone", script: forgetful(9, few), search: "harbour", want: fleet - 2, repairs: 1, walks: 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWatch()
			client := newClient(t, inProcess{c.script}, func(o *ycmclient.Options) { o.Observer, o.Search = w, c.search })
			list, err := client.Walk(t.Context(), nil, fleetOf(fleet), nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(list.PBXs) != c.want || !slices.IsSorted(idsOf(list.PBXs)) {
				t.Errorf("got %d PBXs, want %d, sorted: %v", len(list.PBXs), c.want, idsOf(list.PBXs))
			}
			if w.repairs != c.repairs {
				t.Errorf("got %d repairs, want %d", w.repairs, c.repairs)
			}
			asked := map[int]int{}
			for _, page := range c.script.requested() {
				asked[page]++
			}
			if got := [2]int{asked[0], asked[1]}; got != [2]int{c.singles, c.walks} {
				t.Errorf("%d single PBXs were asked for and %d walks made, want %d and %d", asked[0], asked[1], c.singles, c.walks)
			}
		})
	}
}

// Each case is what part of the fleet a walk lists, and what becomes of it, walk by walk.
func TestManyVanishedPBXsAreGoneWhenThreeWalksAgree(t *testing.T) {
	whole := func(int) bool { return false }
	half := func(at int) bool { return at%2 == 0 }
	quarter := func(at int) bool { return at%4 == 0 }
	otherHalf := func(at int) bool { return at%2 == 1 }
	halfAndMore := func(at int) bool { return at%2 == 0 || at == 5 || at == 77 }
	everybody := func(int) bool { return true }
	none := 0 // The old list stays.
	for _, c := range []struct {
		name  string
		hides []func(at int) bool
		want  []int
	}{
		{"one glitch", []func(int) bool{half, whole}, []int{none, fleet}},
		{"two glitches", []func(int) bool{half, half, whole}, []int{none, none, fleet}},
		{"half is gone", []func(int) bool{half, half, half, half}, []int{none, none, fleet / 2, fleet / 2}},
		{"all are gone", []func(int) bool{everybody, everybody, everybody}, []int{none, none, -1}},
		{"walks that do not agree", []func(int) bool{half, otherHalf, half, half, half}, []int{none, none, none, none, fleet / 2}},
		{"glitches that are not in a row", []func(int) bool{half, half, whole, half, half, half}, []int{none, none, fleet, none, none, fleet / 2}},
		{"a few more vanish meanwhile", []func(int) bool{half, halfAndMore, halfAndMore}, []int{none, none, fleet/2 - 2}},
		{"a few more vanish in the last", []func(int) bool{half, half, halfAndMore}, []int{none, none, fleet/2 - 2}},
		{"far more vanish in the last", []func(int) bool{half, half, everybody, everybody, everybody}, []int{none, none, none, none, -1}},
		{"far more vanish in the second", []func(int) bool{quarter, half, half, half}, []int{none, none, none, fleet / 2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScripted(fleet)
			all := slices.Clone(s.ids)
			client := newClient(t, inProcess{s}, nil)
			previous, state := fleetOf(fleet), &ycmclient.WalkState{}
			for walk, hide := range c.hides {
				s.ids = nil
				for at, id := range all {
					if !hide(at) {
						s.ids = append(s.ids, id)
					}
				}
				kept, err := json.Marshal(state) // The process may be restarted between any two walks.
				if err != nil {
					t.Fatal(err)
				}
				state = &ycmclient.WalkState{}
				if err := json.Unmarshal(kept, state); err != nil {
					t.Fatal(err)
				}
				list, err := client.Walk(t.Context(), state, previous, nil)
				switch want := c.want[walk]; {
				case want == none:
					if !errors.Is(err, ycmclient.ErrUnconfirmed) || yeastar.ClassOf(err) != yeastar.Invalid || list.PBXs != nil || len(state.Vanished) == 0 {
						t.Errorf("walk %d: got %d PBXs and the error %v, want one that says that the walk is unconfirmed", walk+1, len(list.PBXs), err)
					}
				case err != nil:
					t.Errorf("walk %d: %v", walk+1, err)
				case len(list.PBXs) != max(want, 0) || len(state.Vanished) > 0 && state.Agreed == 0:
					t.Errorf("walk %d: got %d PBXs, want %d", walk+1, len(list.PBXs), max(want, 0))
				}
				if err == nil {
					previous = list.PBXs
				}
			}
			if n := slices.Index(s.requested(), 0); n >= 0 && len(slices.DeleteFunc(s.requested(), func(page int) bool { return page > 0 })) > 10 {
				t.Errorf("so many were asked for one by one: %v", s.requested())
			}
		})
	}
}

// An account that may not ask for single PBXs still gets rid of those that are gone.
func TestVanishedPBXsWithoutTheRightToAsk(t *testing.T) {
	for name, status := range map[string][2]int{"denied": {403, 1000042}, "not understood": {400, 1000004}} {
		t.Run(name, func(t *testing.T) {
			s := newScripted(118)
			s.single = func(int64, bool) (int, int) { return status[0], status[1] }
			list, err := newClient(t, inProcess{s}, nil).Walk(t.Context(), nil, fleetOf(120), nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(s.ids, idsOf(list.PBXs)); diff != "" {
				t.Errorf("PBXs (-want +got):\n%s", diff)
			}
		})
	}
}

// Where single PBXs cannot be asked for, what one of two readings of the same walk listed is kept: the next walk tells.
func TestVanishedPBXsOfTheSecondReadingStay(t *testing.T) {
	s := newScripted(200)
	s.single = func(int64, bool) (int, int) { return 403, 1000042 }
	s.before = func(s *scripted, page int) {
		if page > 0 && len(s.requests) == 11 { // 6 pages and 4 PBXs came before: the first page of the second reading.
			s.ids = s.ids[8:]
		}
	}
	client := newClient(t, inProcess{s}, nil)
	list, err := client.Walk(t.Context(), nil, fleetOf(204), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(list.PBXs) != 200 || list.Total != 192 {
		t.Fatalf("got %d PBXs of a total of %d, want 200 of 192; asked %v", len(list.PBXs), list.Total, s.requested())
	}
	if list, err = client.Walk(t.Context(), nil, list.PBXs, nil); err != nil || len(list.PBXs) != 192 {
		t.Errorf("the next walk has %d PBXs and the error %v, want 192", len(list.PBXs), err)
	}
}

// A failure that says nothing of the PBX fails the walk: the last good snapshot is better than a guess.
func TestVanishedPBXsThatCannotBeAskedForFailTheWalk(t *testing.T) {
	s := newScripted(119)
	s.single = func(int64, bool) (int, int) { return 403, 1000002 }
	list, err := newClient(t, inProcess{s}, nil).Walk(t.Context(), nil, fleetOf(120), nil)
	if yeastar.ClassOf(err) != yeastar.Auth || list.PBXs != nil {
		t.Errorf("got %d PBXs and the error %v, want an auth error alone", len(list.PBXs), err)
	}
}
