package yeastar_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

func TestWireFieldsFindsFieldsOfAllStructs(t *testing.T) {
	type record struct {
		Used   yeastar.Number                            `json:"used"`
		Name   yeastar.Text                              `json:"name,omitempty"`
		IDs    yeastar.List[yeastar.Number]              `json:"regionIds"`
		Detail *yeastar.Object[struct{ A yeastar.Text }] `json:"detail"`
	}
	type answer struct {
		Status yeastar.Text         `json:"status"`
		Data   yeastar.List[record] `json:"data"`
	}
	type trunk struct {
		Status yeastar.Number `json:"status"`
	}
	want := map[string]bool{"used": true, "name": false, "regionIds": true, "detail": false, "status": true, "data": false}
	if diff := cmp.Diff(want, yeastar.WireFields(answer{}, [2]trunk{})); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
}
