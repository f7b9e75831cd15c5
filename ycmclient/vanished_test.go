package ycmclient_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ycm-exporter/ycm_exporter/ycmclient"
	"github.com/ycm-exporter/ycm_exporter/yeastar"
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
	many := func(at int) bool { return at%20 == 0 }
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
		{name: "when many vanish the list is walked again", script: forgetful(1, many), want: fleet, repairs: 1, walks: 2},
		{name: "what two walks do not list is gone", script: newScripted(fleet - 60), want: fleet - 60, repairs: 1, walks: 2},
		{name: "with a search asking for single PBXs would prove nothing", script: forgetful(1, few), search: "harbour", want: fleet, repairs: 1, walks: 2},
		{name: "with a search, what two walks do not list is gone", script: forgetful(9, few), search: "harbour", want: fleet - 2, repairs: 1, walks: 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWatch()
			client := newClient(t, inProcess{c.script}, func(o *ycmclient.Options) { o.Observer, o.Search = w, c.search })
			list, err := client.Walk(t.Context(), fleetOf(fleet), nil)
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
			for _, page := range c.script.asked() {
				asked[page]++
			}
			if got := [2]int{asked[0], asked[1]}; got != [2]int{c.singles, c.walks} {
				t.Errorf("%d single PBXs were asked for and %d walks made, want %d and %d", asked[0], asked[1], c.singles, c.walks)
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
			list, err := newClient(t, inProcess{s}, nil).Walk(t.Context(), fleetOf(120), nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(s.ids, idsOf(list.PBXs)); diff != "" {
				t.Errorf("PBXs (-want +got):\n%s", diff)
			}
		})
	}
}

// What one of two walks of the same poll listed is kept: the next poll tells.
func TestVanishedPBXsOfTheSecondWalkStay(t *testing.T) {
	s := newScripted(200)
	s.before = func(s *scripted, _ int) {
		if len(s.pages) == 6 { // The first page of the second walk.
			s.ids = s.ids[60:]
		}
	}
	client := newClient(t, inProcess{s}, nil)
	list, err := client.Walk(t.Context(), fleetOf(300), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(list.PBXs) != 200 || list.Total != 140 {
		t.Fatalf("got %d PBXs of a total of %d, want 200 of 140", len(list.PBXs), list.Total)
	}
	if list, err = client.Walk(t.Context(), list.PBXs, nil); err != nil || len(list.PBXs) != 140 {
		t.Errorf("the next walk has %d PBXs and the error %v, want 140", len(list.PBXs), err)
	}
}

// A failure that says nothing of the PBX fails the walk: the last good snapshot is better than a guess.
func TestVanishedPBXsThatCannotBeAskedForFailTheWalk(t *testing.T) {
	s := newScripted(119)
	s.single = func(int64, bool) (int, int) { return 403, 1000002 }
	list, err := newClient(t, inProcess{s}, nil).Walk(t.Context(), fleetOf(120), nil)
	if yeastar.ClassOf(err) != yeastar.Auth || list.PBXs != nil {
		t.Errorf("got %d PBXs and the error %v, want an auth error alone", len(list.PBXs), err)
	}
}
