package ycmclient_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// clumsy is an observer that panics in the middle of a walk, on one of the walk's own goroutines.
type clumsy struct{ *watch }

func (clumsy) Unexpected(string) { panic("stumbled") }

func TestPanicOfAReaderReachesTheCaller(t *testing.T) {
	s := newScripted(400)
	s.edit = func(page int, d *listData) {
		if page == 3 {
			d.List[20] = map[string]any{"cloudPbxId": s.ids[120], "activeCalls": "many"}
		}
	}
	client := newClient(t, inProcess{s}, func(o *ycmclient.Options) {
		o.PageConcurrency, o.Observer = 4, clumsy{newWatch()}
	})
	defer func() {
		cause := recover()
		if fmt.Sprint(cause) != "stumbled" {
			t.Errorf("the caller recovered %q, want the reader's panic", cause)
		}
		if stacked, ok := cause.(interface{ Stack() []byte }); !ok || !strings.Contains(string(stacked.Stack()), "panic_test.go") {
			t.Error("the panic does not have its reader's stack")
		}
	}()
	list, err := client.Walk(t.Context(), nil, nil, nil)
	t.Errorf("the walk returned %d PBXs and the error %v, want a panic", len(list.PBXs), err)
}
