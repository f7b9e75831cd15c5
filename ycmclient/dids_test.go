package ycmclient_test

import (
	"net/url"
	"strconv"
	"testing"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// The simulator has five numbers for each two PBXs.
func TestDIDsAreCountedWithARequestPerPage(t *testing.T) {
	for _, c := range []struct {
		pbxs, most int // requests
		want       ycmclient.DIDs
	}{
		{-1, 1, ycmclient.DIDs{}},
		{8, 1, ycmclient.DIDs{Assigned: 16, Unassigned: 4}},
		{61, 5, ycmclient.DIDs{Assigned: 122, Unassigned: 30}},
		{4000, 202, ycmclient.DIDs{Assigned: 8000, Unassigned: 2000}},
	} {
		t.Run(strconv.Itoa(c.pbxs), func(t *testing.T) {
			ycm, client, w := overTCP(t, ycmtest.Options{PBXs: c.pbxs}, nil)
			var done, total int
			got, err := client.DIDs(t.Context(), func(d, t int) { done, total = d, t })
			if got != c.want || err != nil || len(w.unexpected) > 0 {
				t.Errorf("got %+v, the error %v and the unexpected values %v, want %+v", got, err, w.unexpected, c.want)
			}
			if n := ycm.Count(ycmtest.DIDs); n > c.most {
				t.Errorf("%d requests, want at most %d", n, c.most)
			}
			if pages := int(got.Assigned+got.Unassigned+49) / 50; done != pages || total != pages {
				t.Errorf("the progress is %d of %d pages, want %d", done, total, pages)
			}
			for _, r := range ycm.Requests() {
				query, _ := url.ParseQuery(r.Query)
				if r.Endpoint == ycmtest.DIDs && (query.Get("pageSize") != "50" || query.Has("sort")) {
					t.Errorf("numbers were requested with %v, want 50 and no order", query)
				}
			}
		})
	}
}

func TestWhetherADIDIsAssignedIsReadHoweverItIsWritten(t *testing.T) {
	on, off, unknown := ycmclient.DIDs{Assigned: 1}, ycmclient.DIDs{Unassigned: 1}, ycmclient.DIDs{}
	for written, want := range map[string]ycmclient.DIDs{
		`,"cloudPbxId":"7738"`: on, `,"cloudPbxId":7738`: on, `,"cloudPbxId":" 9007199254740993 "`: on,
		``: off, `,"cloudPbxId":""`: off, `,"cloudPbxId":null`: off, `,"cloudPbxId":"0"`: off, `,"cloudPbxId":0`: off,
		`,"cloudPbxId":"n/a"`: unknown, `,"cloudPbxId":-1`: unknown, `,"cloudPbxId":{"id":7738}`: unknown, `,"cloudPbxId":[7738]`: unknown,
	} {
		w := newWatch()
		list := listOf(`{"data":{"total":1,"list":[{"id":1` + written + `}]},"status":"Success"}`)
		got, err := newClient(t, list, func(o *ycmclient.Options) { o.Observer = w }).DIDs(t.Context(), nil)
		if got != want || err != nil {
			t.Errorf("%s: got %+v and the error %v, want %+v", written, got, err, want)
		}
		if counted := w.unexpected["cloudPbxId"] > 0; counted != (want == unknown) {
			t.Errorf("%s: unexpected values %v", written, w.unexpected)
		}
	}
}

func TestDIDsWithoutEndEnd(t *testing.T) {
	requests := 0
	client := newClient(t, idPages("id", 100, func(number, _ int) (ids []int) {
		requests++
		for i := range 50 {
			ids = append(ids, 50*number+i)
		}
		return ids
	}), nil)
	if got, err := client.DIDs(t.Context(), nil); yeastar.ClassOf(err) != yeastar.Invalid || requests > 100 {
		t.Errorf("got %+v and the error %v with %d requests, want an invalid error within 100", got, err, requests)
	}
}
