package ycmclient_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// walkUnderChurn walks a fleet that changes ahead of each page, and checks the promise: what was there from the
// first request to the last is in the result, everything is there once, and nothing that never was.
func walkUnderChurn(t *testing.T, fleet, readers int, previous []ycmclient.CloudPBX, churn func(s *scripted, page int)) (ycmclient.List, *scripted, error) {
	t.Helper()
	s := newScripted(fleet)
	alive := make(map[int64]bool, fleet)
	for _, id := range s.ids {
		alive[id] = true
	}
	s.before = func(s *scripted, page int) {
		churn(s, page)
		present := make(map[int64]bool, len(s.ids))
		for _, id := range s.ids {
			present[id] = true
		}
		for id := range alive {
			if !present[id] {
				delete(alive, id)
			}
		}
	}
	client := newClient(t, inProcess{s}, func(o *ycmclient.Options) { o.PageConcurrency = readers })
	list, err := client.Walk(t.Context(), nil, previous, nil)
	if err != nil {
		return list, s, err
	}
	got := idsOf(list.PBXs)
	if !slices.IsSorted(got) || len(slices.Compact(slices.Clone(got))) != len(got) {
		t.Errorf("the result is not sorted or has doubles: %v", got)
	}
	for _, id := range got {
		delete(alive, id)
		if id > s.last || id%3 != 0 {
			t.Errorf("PBX %d is in the result and never existed", id)
		}
	}
	if len(alive) > 0 {
		t.Errorf("%d PBXs that were there all the time are not in the result, asked pages %v", len(alive), s.requests)
	}
	return list, s, nil
}

func TestWalkMissesNothingWhileTheFleetChanges(t *testing.T) {
	for _, c := range []struct {
		name  string
		churn func(s *scripted, page int)
		most  int    // Requests with one reader; each more may cost 8 more.
		fails string // What the error says, if there must be one; else there must be none.
	}{
		{name: "an early PBX is deleted between two pages", churn: func(s *scripted, _ int) { s.remove(0) }, most: 19},
		{name: "one is deleted early while another is created", churn: func(s *scripted, _ int) { s.remove(0); s.create(1) }, most: 21},
		{name: "the last one is deleted", churn: func(s *scripted, _ int) { s.remove(len(s.ids) - 1) }, most: 19},
		{
			name: "whole pages are created faster than pages are read", churn: func(s *scripted, _ int) { s.create(120) },
			most: 216, fails: "the list changes faster than it can be read",
		},
		{name: "whole pages are deleted early", churn: func(s *scripted, _ int) {
			for range 60 {
				s.remove(0)
			}
		}, most: 19},
		{name: "60 are deleted and 60 created for each page", churn: func(s *scripted, page int) {
			for i := range 60 {
				s.remove((page*37 + i*101) % max(len(s.ids), 1))
			}
			s.create(60)
		}, most: 60},
		{name: "the 60 first are deleted and 60 created for each page", churn: func(s *scripted, _ int) {
			for range 60 {
				s.remove(0)
			}
			s.create(60)
		}, most: 80},
	} {
		for readers := 1; readers <= 8; readers++ {
			t.Run(fmt.Sprintf("%s, %d readers", c.name, readers), func(t *testing.T) {
				_, s, err := walkUnderChurn(t, 803, readers, nil, c.churn)
				switch {
				case c.fails == "" && err != nil:
					t.Errorf("got the error %v, want none", err)
				case c.fails != "" && (yeastar.ClassOf(err) != yeastar.Invalid || !strings.Contains(err.Error(), c.fails)):
					t.Errorf("got the error %v, want an invalid one with %q", err, c.fails)
				}
				if most := c.most + 8*(readers-1); len(s.requests) > most {
					t.Errorf("the walk took %d requests, want at most %d", len(s.requests), most)
				}
			})
		}
	}
}

// A fleet that loses and gains fewer PBXs with each page than a page holds can be read: no walk of it may fail.
func TestWalkUnderRandomChurn(t *testing.T) {
	const runs = 60
	for run := range runs {
		random := rand.New(rand.NewPCG(uint64(run), 11))
		fleet, readers := random.IntN(2500), 1+run%8
		deletions, insertions, early := random.IntN(20), random.IntN(20), random.IntN(2) == 0
		t.Run(fmt.Sprintf("run %d: %d PBXs, %d readers, up to %d deleted, %d created", run, fleet, readers, deletions, insertions), func(t *testing.T) {
			_, s, err := walkUnderChurn(t, fleet, readers, nil, func(s *scripted, _ int) {
				for range random.IntN(deletions + 1) {
					if len(s.ids) > 0 {
						at := random.IntN(len(s.ids))
						if early {
							at /= 20
						}
						s.remove(at)
					}
				}
				s.create(random.IntN(insertions + 1))
			})
			if err != nil {
				t.Errorf("got the error %v, want none", err)
			}
			if most := 2*fleet/50 + 10*readers + 10; len(s.requests) > most {
				t.Errorf("the walk took %d requests, want at most %d", len(s.requests), most)
			}
		})
	}
}
