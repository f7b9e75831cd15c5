package poll

import (
	"encoding/json"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// memory is a Store that holds records as they would be in a file.
type memory struct {
	mu    sync.Mutex
	files map[string][][]byte
	saves int
}

func newMemory() *memory { return &memory{files: map[string][][]byte{}} }

func (m *memory) Save(name string, records func(write func(any) error) error) {
	var file [][]byte
	err := records(func(record any) error {
		content, err := json.Marshal(record)
		file = append(file, content)
		return err
	})
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.saves++; err == nil {
		m.files[name] = file
	}
}

func (m *memory) Load(name string, load func(next func(any) error) error) bool {
	m.mu.Lock()
	left, ok := m.files[name]
	m.mu.Unlock()
	return ok && load(func(record any) error {
		if len(left) == 0 {
			return io.ErrUnexpectedEOF
		}
		first := left[0]
		left = left[1:]
		return json.Unmarshal(first, record)
	}) == nil
}

// restart replaces the account, which has ended, by that of another process.
func (b *bench) restart() {
	b.Account = NewAccount(b.options)
	b.Restore()
}

// What is saved is all that a collector knows: an account that knows nothing serves of it what was served before.
func TestEverySnapshotPersistsAcrossARestart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.options.Store = newMemory()
		b.simulate(t, ycmtest.Options{PBXs: 60, Seed: 1}, everythingOfPBXs())
		b.once(t)
		before := map[string]string{}
		for _, j := range b.jobs {
			before[j.Name] = exposed(t, b.shelf.serves(j.Name))
			b.shelf.Withdraw("main", j.Name)
		}
		b.restart()
		for _, j := range b.jobs {
			snapshot := b.shelf.serves(j.Name)
			if snapshot == nil {
				t.Fatalf("nothing is served of %s after the restart", j.Name)
			}
			if diff := cmp.Diff(before[j.Name], exposed(t, snapshot)); diff != "" {
				t.Errorf("%s serves something else after the restart (-before +after):\n%s", j.Name, diff)
			}
		}
		if !b.Ready() {
			t.Error("an account whose list was restored is not ready")
		}
	})
}

// A restored snapshot keeps its age: neither the restart nor a reload after it gives it more time, or less.
func TestReloadAfterARestartKeepsTheSnapshotsAge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.options.Store = newMemory()
		b.simulate(t, ycmtest.Options{PBXs: 10}, plan{"cloud_pbx": every(2*time.Minute, 10*time.Minute)})
		stop := start(b.Account)
		after(20 * time.Second)
		stop()
		after(3 * time.Minute)
		b.restart()
		b.reload(b.plan)
		after(6 * time.Minute)
		if b.shelf.serves("cloud_pbx") == nil {
			t.Error("9m20s after it was published a snapshot that may be served for 10 minutes is gone")
		}
		after(time.Minute)
		if b.shelf.serves("cloud_pbx") != nil {
			t.Error("10m20s after it was published a snapshot that may be served for 10 minutes is served")
		}
	})
}

func TestExpiredSnapshotIsNotRestored(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.options.Store = newMemory()
		b.simulate(t, ycmtest.Options{PBXs: 10}, plan{"cloud_pbx": every(2*time.Minute, 10*time.Minute)})
		b.once(t)
		after(10 * time.Minute)
		b.restart()
		if b.shelf.serves("cloud_pbx") != nil || b.Ready() || b.Status().Collectors[0].Restored {
			t.Error("a snapshot that had expired before the restart is served after it")
		}
	})
}

// With a clock that was set back, what was saved comes from the future: it is exported as of now.
func TestRestoreAfterAClockWasSetBackExportsNoFuture(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		store := newMemory()
		b.options.Store = store
		b.simulate(t, ycmtest.Options{PBXs: 10}, listOnly())
		b.once(t)
		var s saved
		if err := json.Unmarshal(store.files["cloud_pbx"][0], &s); err != nil {
			t.Fatal(err)
		}
		for _, at := range []*time.Time{&s.LastSuccess, &s.Expires} {
			*at = at.AddDate(1, 0, 0)
		}
		content, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		store.files["cloud_pbx"][0] = content
		b.restart()
		if b.shelf.serves("cloud_pbx") == nil {
			t.Fatal("nothing is served after the restart")
		}
		if at := b.Status().Collectors[0].LastSuccess; at.After(time.Now()) {
			t.Errorf("the last success is in %v", time.Until(at))
		}
		after(time.Hour)
		if b.shelf.serves("cloud_pbx") != nil {
			t.Error("an hour later the snapshot is still served")
		}
	})
}

func TestEachSnapshotIsSaved(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		store := newMemory()
		b.options.Store = store
		ycm := b.simulate(t, ycmtest.Options{PBXs: 10}, plan{"cloud_pbx": every(10*time.Second, 10*time.Minute)})
		defer start(b.Account)()
		after(55 * time.Second)
		if store.saves != 6 {
			t.Errorf("in 55 s the list was saved %d times, want with each of 6 polls", store.saves)
		}
		ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.CloudPBXList, Effect: ycmtest.Status(403)})
		after(time.Minute)
		if store.saves != 6 {
			t.Errorf("polls that failed were saved, %d times", store.saves-6)
		}
	})
}
