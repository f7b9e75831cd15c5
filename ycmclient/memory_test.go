package ycmclient_test

import (
	"runtime"
	"testing"
	"unsafe"

	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

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
