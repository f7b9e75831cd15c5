package poll

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// kept is a Keeper that keeps in memory.
type kept struct{ *sync.Map }

func (k kept) Keep(collector string, m Memory) { k.Store(collector, m) }
func (k kept) Recall(collector string, _ any) (Memory, bool) {
	kept, ok := k.Load(collector)
	m, _ := kept.(Memory)
	return m, ok
}
func (k kept) Refuse(string, error) {}

// A snapshot that a restart has brought back is as old as it is: a reload after that gives it the time that is configured
// then, from when it was published, no more and no less.
func TestReloadAfterARestartKeepsTheSnapshotsAge(t *testing.T) {
	for staleAfter, want := range map[time.Duration]bool{4 * time.Minute: false, 10 * time.Minute: true} {
		t.Run(staleAfter.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				b.options.Keeper = kept{new(sync.Map)}
				ycm := b.simulate(t, ycmtest.Options{PBXs: 10}, plan{"cloud_pbx": every(2*time.Minute, 10*time.Minute)})
				stop := start(b.Account)
				after(20 * time.Second)
				stop()
				ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.CloudPBXList, Effect: ycmtest.Hang()})
				after(3 * time.Minute)

				b.Account = NewAccount(b.options)
				b.Recall()
				if b.shelf.serves("cloud_pbx") == nil {
					t.Fatal("nothing is served after the restart")
				}
				b.reload(b.plan.with("cloud_pbx", every(2*time.Minute, staleAfter)))
				after(time.Minute)
				if got := b.shelf.serves("cloud_pbx") != nil; got != want {
					t.Errorf("4m20s after it was published a snapshot that may live for %v is served: %v, want %v", staleAfter, got, want)
				}
			})
		})
	}
}

// A clock that was set back makes what was kept come from the future: it is told to be of now, not of then.
func TestRecallAfterAClockWasSetBackTellsOfNoFuture(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		memory := kept{new(sync.Map)}
		b.options.Keeper = memory
		b.simulate(t, ycmtest.Options{PBXs: 10}, listOnly())
		stop := start(b.Account)
		after(20 * time.Second)
		stop()
		m, _ := memory.Recall("cloud_pbx", nil)
		for _, at := range []*time.Time{&m.LastSuccess, &m.Published, &m.Expires} {
			*at = at.AddDate(1, 0, 0)
		}
		memory.Keep("cloud_pbx", m)
		b.Account = NewAccount(b.options)
		b.Recall()
		if b.shelf.serves("cloud_pbx") == nil {
			t.Fatal("nothing is served after the restart")
		}
		if at := b.Status().Collectors[0].LastSuccess; at.After(time.Now()) {
			t.Errorf("the last success is told to be in %v", time.Until(at))
		}
	})
}

// slow is a disk that takes its time for each file.
type slow struct{ kept }

func (s slow) Keep(string, Memory) { time.Sleep(4 * time.Second) }

// stuck is a disk that hangs.
type stuck struct{ kept }

func (s stuck) Keep(string, Memory) { time.Sleep(time.Hour) }

// A reload or a shutdown does not wait for the disk file by file, and not for ever.
func TestTheEndDoesNotWaitForTheDisk(t *testing.T) {
	for name, c := range map[string]struct {
		keeper Keeper
		took   time.Duration
	}{"slow": {slow{kept{new(sync.Map)}}, 4 * time.Second}, "stuck": {stuck{kept{new(sync.Map)}}, closingTime}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				b.options.Keeper = c.keeper
				b.simulate(t, ycmtest.Options{PBXs: 10}, everything())
				stop := start(b.Account)
				time.Sleep(5 * time.Second)
				began := time.Now()
				stop()
				if took := time.Since(began); took > c.took {
					t.Errorf("the account ended after %v, want %v", took, c.took)
				}
				time.Sleep(2 * time.Hour) // What hangs ends with the test.
			})
		})
	}
}
