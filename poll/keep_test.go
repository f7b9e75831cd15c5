package poll

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// kept is a Keeper that keeps in memory.
type kept map[string]Memory

func (k kept) Keep(collector string, m Memory)               { k[collector] = m }
func (k kept) Recall(collector string, _ any) (Memory, bool) { m, ok := k[collector]; return m, ok }
func (k kept) Refuse(string, error)                          {}

// A snapshot that a restart has brought back is as old as it is: a reload after that gives it the time that is configured
// then, from when it was published, no more and no less.
func TestReloadAfterARestartKeepsTheSnapshotsAge(t *testing.T) {
	for staleAfter, want := range map[time.Duration]bool{4 * time.Minute: false, 10 * time.Minute: true} {
		t.Run(staleAfter.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				b.options.Keeper = kept{}
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
