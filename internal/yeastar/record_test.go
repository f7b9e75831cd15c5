package yeastar_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

func TestRecordFieldsHasThoseOfNestedObjects(t *testing.T) {
	type quota struct {
		Used yeastar.Int `api:"used"`
	}
	type record struct {
		ID     int64   `api:"id"`
		Name   string  `api:"name,shared"`
		IDs    []int64 `api:"regionIds"`
		Detail quota   `api:"detail."`
		Pack   quota   `api:"pack_"`
		Kept   string
	}
	type trunk struct {
		Status yeastar.Int `api:"status"`
	}
	want := map[string]bool{"id": true, "name": false, "regionIds": true, "detail": false, "used": true, "pack_used": true, "status": true}
	if diff := cmp.Diff(want, yeastar.RecordFields(record{}, trunk{})); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
}
