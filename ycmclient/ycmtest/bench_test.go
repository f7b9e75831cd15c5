package ycmtest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
)

// A page costs the same in a fleet of any size, at its start and at its end.
func BenchmarkListPage(b *testing.B) {
	for _, size := range []int{1_000, 100_000} {
		s := New(Options{PBXs: size})
		for _, page := range []int{1, size / 50} {
			b.Run(fmt.Sprintf("pbxs=%d/page=%d", size, page), func(b *testing.B) {
				r := httptest.NewRequest(http.MethodGet, fmt.Sprintf("/dm/open_api/v2/cloud_pbx/instances?pageSize=50&sort=cloudPbxId&pageNumber=%d", page), nil)
				b.ReportAllocs()
				for b.Loop() {
					w := httptest.NewRecorder()
					s.enveloped(s.listCloudPBXs)(w, r)
					if w.Code != http.StatusOK {
						b.Fatalf("the page answers %d: %s", w.Code, w.Body)
					}
				}
			})
		}
	}
}

func BenchmarkNew(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		New(Options{PBXs: 100_000})
	}
}
