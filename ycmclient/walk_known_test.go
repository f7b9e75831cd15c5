package ycmclient_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

const fleet = 240 // Five pages.

// A known PBX that is not listed is queried by its id. What becomes of it depends on the answer.
func TestKnownPBXsThatAreNotListed(t *testing.T) {
	t.Parallel()
	hide := func(a *account) { a.unlisted = map[int64]bool{300: true, 510: true} }
	show := func(a *account) { a.unlisted = nil }
	remove := func(n int) func(*account) { return func(a *account) { a.ids = a.ids[:fleet-n] } }
	refuse := func(status, code int) func(int64, bool) (int, int) {
		return func(int64, bool) (int, int) { return status, code }
	}
	type step struct {
		change        func(*account)
		pbxs, queries int
	}
	for name, c := range map[string]struct {
		search  string
		single  func(int64, bool) (int, int)
		steps   []step
		repairs int
	}{
		"one that exists stays":              {steps: []step{{hide, fleet, 2}, {hide, fleet, 2}, {show, fleet, 0}}, repairs: 4},
		"one that is deleted leaves":         {steps: []step{{remove(3), fleet - 3, 3}, {remove(3), fleet - 3, 0}}},
		"as many as are queried":             {steps: []step{{remove(10), fleet - 10, 10}}},
		"with a search one that is deleted":  {search: "harbour", steps: []step{{remove(3), fleet - 3, 3}}},
		"with a search one that exists":      {search: "harbour", steps: []step{{hide, fleet, 2}, {hide, fleet - 2, 2}, {hide, fleet - 2, 0}}},
		"with a search one that comes back":  {search: "harbour", steps: []step{{hide, fleet, 2}, {show, fleet, 0}, {hide, fleet, 2}}},
		"queries are denied":                 {single: refuse(403, 1000042), steps: []step{{remove(3), fleet, 3}, {remove(3), fleet - 3, 3}}},
		"queries are not understood":         {single: refuse(400, 1000004), steps: []step{{remove(3), fleet, 3}, {remove(3), fleet - 3, 3}}},
		"a gateway does not know the path":   {single: refuse(410, 0), steps: []step{{remove(3), fleet, 3}, {remove(3), fleet - 3, 3}}},
		"queries are denied and it is back":  {single: refuse(403, 1000042), steps: []step{{hide, fleet, 2}, {show, fleet, 0}, {hide, fleet, 2}}},
		"queries are denied, more each time": {single: refuse(403, 1000042), steps: []step{{remove(3), fleet, 3}, {remove(5), fleet - 3, 5}, {remove(5), fleet - 5, 2}}},
	} {
		a := newAccount(t, fleet, 1, deviations{})
		a.client = newClient(t, inProcess{a.scripted}, func(o *ycmclient.Options) { o.Observer, o.Search = a.watch, c.search })
		a.search = c.search != ""
		a.settle(t, name)
		a.single = c.single
		for n, step := range c.steps {
			step.change(a)
			list, requests, err := a.walk(t, name)
			queries := len(requests) - 5
			if err != nil || len(list.PBXs) != step.pbxs || queries != step.queries {
				t.Errorf("%s, walk %d: %d PBXs, %d queries and the error %v, want %d and %d", name, n+1, len(list.PBXs), queries, err, step.pbxs, step.queries)
			}
		}
		if a.watch.repairs != c.repairs {
			t.Errorf("%s: %d repairs, want %d", name, a.watch.repairs, c.repairs)
		}
	}
}

// Each case is what part of the fleet a walk lists, and what becomes of it, walk by walk.
func TestManyMissingPBXsAreGoneWhenThreeWalksAgree(t *testing.T) {
	whole := func(int) bool { return false }
	half := func(at int) bool { return at%2 == 0 }
	quarter := func(at int) bool { return at%4 == 0 }
	otherHalf := func(at int) bool { return at%2 == 1 }
	halfAndMore := func(at int) bool { return at%2 == 0 || at == 5 || at == 77 }
	allPBXs := func(int) bool { return true }
	const unlisted = 91 // The position of a PBX that exists whether it is listed or not.
	halfAndOneUnlisted := func(at int) bool { return at%2 == 0 || at == unlisted }
	none := 0 // The old list stays.
	for _, c := range []struct {
		name  string
		hides []func(at int) bool
		want  []int
	}{
		{"one glitch", []func(int) bool{half, whole}, []int{none, fleet}},
		{"two glitches", []func(int) bool{half, half, whole}, []int{none, none, fleet}},
		{"half is gone", []func(int) bool{half, half, half, half}, []int{none, none, fleet / 2, fleet / 2}},
		{"all are gone", []func(int) bool{allPBXs, allPBXs, allPBXs}, []int{none, none, -1}},
		{"walks that do not agree", []func(int) bool{half, otherHalf, half, half, half}, []int{none, none, none, none, fleet / 2}},
		{"glitches that are not in a row", []func(int) bool{half, half, whole, half, half, half}, []int{none, none, fleet, none, none, fleet / 2}},
		{"a few more vanish meanwhile", []func(int) bool{half, halfAndMore, halfAndMore}, []int{none, none, fleet/2 - 2}},
		{"a few more vanish in the last", []func(int) bool{half, half, halfAndMore}, []int{none, none, fleet/2 - 2}},
		{"one more is not listed in the last, and exists", []func(int) bool{half, half, halfAndOneUnlisted, half}, []int{none, none, fleet / 2, fleet / 2}},
		{"far more vanish in the last", []func(int) bool{half, half, allPBXs, allPBXs, allPBXs}, []int{none, none, none, none, -1}},
		{"far more vanish in the second", []func(int) bool{quarter, half, half, half}, []int{none, none, none, fleet / 2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScripted(fleet)
			all := slices.Clone(s.ids)
			s.single = func(id int64, _ bool) (int, int) {
				if id == all[unlisted] {
					return 200, 0
				}
				return 0, 0
			}
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
					if yeastar.ClassOf(err) != yeastar.Invalid || list.PBXs != nil || len(state.Vanished) == 0 {
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
				t.Errorf("so many were queried one by one: %v", s.requested())
			}
		})
	}
}

// The last snapshot is better than a guess.
func TestKnownPBXWhoseQueryFailsFailsTheWalk(t *testing.T) {
	s := newScripted(119)
	s.single = func(int64, bool) (int, int) { return 403, 1000002 }
	list, err := newClient(t, inProcess{s}, nil).Walk(t.Context(), nil, fleetOf(120), nil)
	if yeastar.ClassOf(err) != yeastar.Auth || list.PBXs != nil {
		t.Errorf("got %d PBXs and the error %v, want an auth error alone", len(list.PBXs), err)
	}
}
