package collector

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/exposition"
	"github.com/ycm-exporter/ycm_exporter/internal/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/internal/sweep"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// What a walk of all samples costs, as an uncompressed scrape does it.
func BenchmarkEach(b *testing.B) {
	source := snapshotOf(anyFleet(1, 10_000))
	var emitted int
	b.ReportAllocs()
	for b.Loop() {
		for i := range source.Families() {
			source.Each(i, exposition.Shard{}, func([]string, float64) { emitted++ })
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(emitted), "ns/sample")
}

// What a snapshot of the list adds to the records as the client made them.
func BenchmarkMemoryPerPBX(b *testing.B) {
	const pbxs = 10_000
	list := anyFleet(1, pbxs)
	for b.Loop() {
		before := heap()
		source := snapshotOf(list)
		b.ReportMetric(float64(heap()-before)/pbxs, "B/pbx-in-source")
		runtime.KeepAlive(source)
	}
}

// What a PBX costs in a sweep: at rest, and in making a snapshot.
func BenchmarkSweepSnapshot(b *testing.B) {
	const pbxs = 100_000
	list := anyFleet(1, pbxs)
	for i := range list.PBXs {
		list.PBXs[i].Status = ycmclient.Running
	}
	account := NewAccount("main", nil, nil, true, nil)
	polled := &accountPoller[listReading]{}
	polled.reading.Store(&listReading{List: list})
	account.pollers[CloudPBX] = polled
	account.Schedule = Schedule{Interval: 5 * time.Minute, StaleAfter: time.Hour}
	b.Run("pbx_api", func(b *testing.B) {
		measure(b, pbxAPI().New(account).(*pbxPoller[reachability]), list, func(i int) reachability { return reachability{true, yeastar.IntOf(int64(i))} })
	})
	b.Run("trunks", func(b *testing.B) {
		measure(b, trunks().New(account).(*pbxPoller[trunkReading]), list, func(i int) trunkReading {
			var all []pbxclient.Trunk
			for k := range 3 {
				all = append(all, pbxclient.Trunk{ID: int64(k), Name: fmt.Sprintf("Carrier %d of %d", k, i), Type: "register", Status: 1})
			}
			return trunkReading{Trunks: named(all)}
		})
	})
}

func measure[R any](b *testing.B, p *pbxPoller[R], list ycmclient.List, what func(i int) R) {
	before := heap()
	var results []sweep.Result[R]
	for i, pbx := range list.PBXs {
		results = append(results, sweep.Result[R]{ID: pbx.ID, At: time.Now(), Value: what(i)})
	}
	p.Restore(results)
	results = nil
	filled := heap()
	b.ReportAllocs()
	for b.Loop() {
		p.show(p.Restore(results))
	}
	b.ReportMetric(float64(filled-before)/float64(len(list.PBXs)), "B/pbx-at-rest")
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
