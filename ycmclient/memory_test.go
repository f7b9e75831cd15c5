package ycmclient_test

import (
	"runtime"
	"testing"
	"unsafe"

	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// A fleet of 100,000 is read each minute: what did not change must cost next to nothing.
func TestDecodingAllocatesLittle(t *testing.T) {
	body := render(50)[0]
	decode := ycmclient.NewPageDecoder()
	first, err := decode(body, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	room := make([]ycmclient.CloudPBX, 0, 50)
	none := make([]ycmclient.CloudPBX, 50)
	for _, c := range []struct {
		name     string
		previous []ycmclient.CloudPBX
		most     float64
	}{
		{"new PBXs: their own strings and a few for the page", none, 3*50 + 15},
		{"unchanged PBXs: a few for the page", first, 15},
	} {
		if got := testing.AllocsPerRun(20, func() { _, _ = decode(body, c.previous, room) }); got > c.most {
			t.Errorf("%s: %v allocations for a page of 50, want at most %v", c.name, got, c.most)
		}
	}
}

// Whatever a walk does with its records once it has them, sorting them above all, is done in place.
func TestWalkAllocatesLittle(t *testing.T) {
	const pages, eachPage = 40, 300 // The request has about 90, and 240 with the race detector.
	client := newClient(t, render(pages*50), nil)
	list, err := client.Walk(t.Context(), nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := testing.AllocsPerRun(5, func() { _, err = client.Walk(t.Context(), nil, list.PBXs, nil) })
	if err != nil || got > pages*eachPage {
		t.Errorf("a walk of %d unchanged pages allocates %v times (error %v), want at most %d a page", pages, got, err, eachPage)
	}
}

func TestUnchangedStringsAreSharedWithTheLastWalk(t *testing.T) {
	client := newClient(t, render(120), nil)
	first, err := client.Walk(t.Context(), nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	first.PBXs[5].Name = "Another"
	second, err := client.Walk(t.Context(), nil, first.PBXs, nil)
	if err != nil {
		t.Fatal(err)
	}
	same := func(a, b string) bool { return unsafe.StringData(a) == unsafe.StringData(b) }
	plans := map[*byte]bool{}
	for i := range second.PBXs {
		before, now := first.PBXs[i], second.PBXs[i]
		if changed := i == 5; same(before.Name, now.Name) == changed || !same(before.URL, now.URL) || !same(before.Region, now.Region) {
			t.Errorf("PBX %d, changed: %v, does not share its strings as it should", i, changed)
		}
		plans[unsafe.StringData(now.Plan)] = true
	}
	if len(plans) > 10 { // One for each garbage collection meanwhile.
		t.Errorf("%d PBXs have %d copies of one plan", len(second.PBXs), len(plans))
	}
}

// The result of a walk is allocated once, and the pages it was read from are let go.
func TestWalkHoldsItsResultAndNothingElse(t *testing.T) {
	const pbxs = 20_000
	client := newClient(t, render(pbxs), nil)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	list, err := client.Walk(t.Context(), nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := cap(list.PBXs); got > pbxs+50 {
		t.Errorf("the result has room for %d PBXs, want %d and a page", got, pbxs)
	}
	for range 2 { // The second collection empties the pools.
		runtime.GC()
	}
	runtime.ReadMemStats(&after)
	size := int64(unsafe.Sizeof(ycmclient.CloudPBX{}))
	each := (int64(after.HeapAlloc) - int64(before.HeapAlloc)) / pbxs
	t.Logf("a record of %d bytes takes %d", size, each)
	if each > size+160 {
		t.Errorf("a PBX takes %d bytes, want its %d and its own texts", each, size)
	}
	runtime.KeepAlive(client) // It holds the rendered pages.
	runtime.KeepAlive(list)
}
