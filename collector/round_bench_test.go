package collector

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/ycm-exporter/ycm_exporter/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
	"github.com/ycm-exporter/ycm_exporter/yeastar"
)

// learn makes a round know something of every PBX of a fleet that runs whole.
func learn[R any](r *round[R], pbxs int, what func(i int) R) (*roster, int64) {
	list := anyFleet(1, pbxs)
	for i := range list.PBXs {
		list.PBXs[i].Status = ycmclient.Running
	}
	present := newRoster(&list, nil)
	before := heap()
	for i, p := range list.PBXs {
		r.results[p.ID] = result[R]{what(i), time.Second}
	}
	return present, before
}

// What a PBX costs in a round: at rest, and in making the snapshot of a pulse.
func BenchmarkRoundSnapshot(b *testing.B) {
	const pbxs = 100_000
	account := newBench(b).Account
	schedule := every(5*time.Minute, time.Hour)
	b.Run("pbx_api", func(b *testing.B) {
		r := newPBXAPI(account, schedule)
		present, before := learn(r, pbxs, func(i int) reachability { return reachability{true, yeastar.Int(i)} })
		measure(b, r, present, before, pbxs)
	})
	b.Run("trunks", func(b *testing.B) {
		r := newTrunks(account, schedule)
		present, before := learn(r, pbxs, func(i int) trunks {
			var list []pbxclient.Trunk
			for k := range 3 {
				list = append(list, pbxclient.Trunk{ID: int64(k), Name: fmt.Sprintf("Carrier %d of %d", k, i), Type: pbxclient.TrunkRegister, Status: pbxclient.TrunkIdle})
			}
			return trunks{lines: linesOf(list)}
		})
		measure(b, r, present, before, pbxs)
	})
}

func measure[R any](b *testing.B, r *round[R], present *roster, before int64, pbxs int) {
	learned := heap()
	runtime.KeepAlive(present)
	b.ReportAllocs()
	for b.Loop() {
		r.snapshot(present)
	}
	b.ReportMetric(float64(learned-before)/float64(pbxs), "B/pbx-at-rest")
}

// Finding whom to ask next is quick, also where few of many PBXs run.
func BenchmarkNextOfRound(b *testing.B) {
	list := anyFleet(1, 100_000)
	for i := range list.PBXs {
		list.PBXs[i].Status = ycmclient.Stopped
		if i%50 == 0 {
			list.PBXs[i].Status = ycmclient.Running
		}
	}
	present := newRoster(&list, []*contact{{host: "pbx.example.com", name: "pbx.example.com"}})
	l := newLane(false)
	for b.Loop() {
		s, _, ok := l.next(present, time.Minute)
		if !ok {
			b.Fatal("nobody is left to ask")
		}
		l.leave(s, 0)
		l.flying = 0
	}
}
