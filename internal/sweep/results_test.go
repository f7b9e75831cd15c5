package sweep

import (
	"context"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ycm-exporter/ycm_exporter/internal/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// fixedList is a list of PBXs that was read.
type fixedList struct{ list *ycmclient.List }

func (l fixedList) List() *ycmclient.List { return l.list }

func (fixedList) LastPoll() (began time.Time, succeeded bool) { return time.Now(), true }

func directTo(hosts ...string) (direct []*Direct) {
	for _, host := range hosts {
		direct = append(direct, &Direct{URL: &url.URL{Scheme: "https", Host: host}})
	}
	return direct
}

func newTestSweep(fleet *Fleet) *Sweep[int] {
	o := Options{Fleet: fleet, Interval: 5 * time.Minute, StaleAfter: 15 * time.Minute, Queried: func(Target, error) {}}
	return New(o, func(context.Context, *pbxclient.Client) (int, error) { return 0, nil })
}

// Each PBX keeps its own result across a reload, whatever its place in the configuration. A PBX that is not Running or no
// longer configured has no record, and neither has a result that is too old.
func TestRestoreGivesEachPBXItsOwn(t *testing.T) {
	list := &ycmclient.List{PBXs: []ycmclient.CloudPBX{
		{ID: 1, Name: "one", Region: "Europe", Status: ycmclient.Running},
		{ID: 2, Name: "two", Status: ycmclient.Stopped},
		{ID: 3, Name: "three", Status: ycmclient.Running},
		{ID: 4, Name: "four", URL: "listed.example.com", Status: ycmclient.Running},
	}}
	now := time.Now()
	before := newTestSweep(NewFleet("main", nil, directTo("b.example.com", "a.example.com", "listed.example.com"), fixedList{list}))
	before.Restore([]Result[int]{
		{ID: 1, At: now, Value: 1},
		{ID: 2, At: now, Value: 2},
		{ID: 3, At: now.Add(-time.Hour), Value: 3},
		{ID: 4, At: now, Value: 4},
		{Host: "a.example.com", At: now, Value: 10},
		{Host: "b.example.com", At: now, Value: 11},
		{Host: "c.example.com", At: now, Value: 12},
	})
	after := newTestSweep(NewFleet("main", nil, directTo("a.example.com", "new.example.com", "b.example.com"), fixedList{list}))
	want := []Record[int]{
		{Name: "a.example.com", Value: 10},
		{Name: "b.example.com", Value: 11},
		{ID: 1, Name: "one", Region: "Europe", Value: 1},
		{ID: 4, Name: "four", Value: 4},
	}
	if diff := cmp.Diff(want, after.Restore(before.Results())); diff != "" {
		t.Errorf("after a reload that moves a PBX in the configuration (-want +got):\n%s", diff)
	}
}

// After a clock was set back, restored results are from the future. They must neither hide newer results, nor be served for
// ever, nor stop the sweep.
func TestRestoreAfterAClockWasSetBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		list := &ycmclient.List{PBXs: []ycmclient.CloudPBX{{ID: 1, Name: "one", Status: ycmclient.Running}, {ID: 2, Name: "two", Status: ycmclient.Running}}}
		s := newTestSweep(NewFleet("main", nil, nil, fixedList{list}))
		s.query = func(context.Context, *pbxclient.Client) (int, error) { return 7, nil }
		next := time.Now().AddDate(1, 0, 0)
		s.Restore([]Result[int]{{ID: 1, At: next, Value: 1}, {ID: -9, At: next, Value: 3}})
		for began := time.Now(); time.Since(began) < 2*s.Interval; {
			records, err := s.Run(t.Context(), func(int, int) {})
			if err != nil {
				t.Fatal(err)
			}
			if len(records) == 2 && records[0].Value == 7 && records[1].Value == 7 {
				return
			}
			time.Sleep(time.Second)
		}
		t.Errorf("after two intervals not all PBXs have a new result: %+v", s.Results())
	})
}

// Before the first list there are no records, but restored results are kept for it.
func TestRestoreBeforeTheList(t *testing.T) {
	l := &fixedList{}
	s := newTestSweep(NewFleet("main", nil, nil, l))
	if got := s.Restore([]Result[int]{{ID: 1, At: time.Now(), Value: 1}}); got != nil {
		t.Errorf("without a list, these are shown: %v", got)
	}
	l.list = &ycmclient.List{PBXs: []ycmclient.CloudPBX{{ID: 1, Name: "one", Status: ycmclient.Running}}}
	targets, err := s.Fleet.Targets()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Record[int]{{ID: 1, Name: "one", Value: 1}}, s.records(targets)); diff != "" {
		t.Errorf("once the list is there (-want +got):\n%s", diff)
	}
}
