package yeastar_test

import (
	"encoding/json"
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

func TestRecordReportsAFieldOnce(t *testing.T) {
	var r yeastar.Record[struct {
		Name string `api:"name"`
	}]
	if err := json.Unmarshal([]byte(`{"name":{},"name":[],"name":{}}`), &r); err != nil || len(r.Unexpected) != 1 {
		t.Errorf("the unexpected fields are %v and the error %v, want one", r.Unexpected, err)
	}
}

func TestRecordHasNoFieldsThatCannotBeRead(t *testing.T) {
	for name, decode := range map[string]func(){
		"a type without a case": func() {
			_ = json.Unmarshal([]byte(`{}`), new(yeastar.Record[struct {
				On bool `api:"on"`
			}]))
		},
		"an unexported field": func() {
			_ = json.Unmarshal([]byte(`{}`), new(yeastar.Record[struct {
				name string `api:"name"`
			}]))
		},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("it is accepted")
				}
			}()
			decode()
		})
	}
}
