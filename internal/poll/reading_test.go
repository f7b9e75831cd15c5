package poll

import (
	"encoding/json"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// A reading is all that a collector knows: written as JSON, read back and taken over by an account that knows nothing,
// it shows what was shown before.
func TestReadingsCanBeWrittenDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.simulate(t, ycmtest.Options{PBXs: 60, Seed: 1}, everythingOfPBXs())
		b.once(t)
		fresh := NewAccount(b.options)
		for i, j := range b.jobs {
			written, err := json.Marshal(j.Reading())
			if err != nil {
				t.Fatalf("the reading of %s cannot be written: %v", j.Name, err)
			}
			read := reflect.New(reflect.TypeOf(j.Reading()).Elem())
			if err := json.Unmarshal(written, read.Interface()); err != nil {
				t.Fatalf("the reading of %s cannot be read: %v", j.Name, err)
			}
			snapshot := fresh.jobs[i].poller.Restore(read.Interface())
			if snapshot == nil {
				t.Fatalf("nothing is shown of the reading of %s", j.Name)
			}
			if diff := cmp.Diff(exposed(t, b.shelf.serves(j.Name)), exposed(t, snapshot)); diff != "" {
				t.Errorf("%s shows something else after its reading was written and read (-before +after):\n%s", j.Name, diff)
			}
			fresh.jobs[i].expires = time.Now().Add(time.Hour)
		}
	})
}
