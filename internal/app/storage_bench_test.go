package app

import (
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/ycm-exporter/ycm_exporter/collector"
	"github.com/ycm-exporter/ycm_exporter/internal/poll"
	"github.com/ycm-exporter/ycm_exporter/internal/secret"
	"github.com/ycm-exporter/ycm_exporter/internal/storage"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// What it costs to write and to read the list of a fleet of 100,000 PBXs: time, and heap beyond what the list has.
func BenchmarkStorageOfAFleet(b *testing.B) {
	const pbxs = 100_000
	server := httptest.NewServer(ycmtest.New(ycmtest.Options{PBXs: pbxs, Seed: 1}))
	defer server.Close()
	address, err := url.Parse(server.URL)
	if err != nil {
		b.Fatal(err)
	}
	c := collector.All()[0]
	for _, one := range collector.All() {
		if one.Name == collector.CloudPBX {
			c = one
		}
	}
	client := ycmclient.New(ycmclient.Options{
		Servers: ycmclient.NewServers(nil),
		Account: "main", BaseURL: address, ClientID: "demo-client-id", Secret: secret.Static(secret.New("demo-client-secret")),
		RateLimit: ycmclient.RateLimit{Burst: 100_000, Rate: 100_000, Interval: time.Minute}, Timeout: time.Minute,
		PageConcurrency: 1, UserAgent: "test", Logger: log.NewNopLogger(),
		Observer: poll.NewMetrics(prometheus.NewRegistry()).Observer("main"),
	})
	defer client.Close()
	account := collector.NewAccount("main", client, nil, true, func(string) bool { return false })
	poller := c.New(account)
	if _, err := poller.Poll(b.Context(), func(int, int) {}); err != nil {
		b.Fatal(err)
	}
	path := filepath.Join(b.TempDir(), "storage")
	open := func() *storage.Store {
		s, err := storage.Open(b.Context(), path, false, prometheus.NewRegistry(), log.NewLogfmtLogger(os.Stderr))
		if err != nil {
			b.Fatal(err)
		}
		return s
	}
	b.Run("write", func(b *testing.B) {
		peak, cpu := watchHeap(), watchCPU()
		for b.Loop() {
			s := open()
			s.Save(c.Name, poller.Save)
			s.Close()
		}
		b.ReportMetric(peak(), "MiB-more")
		b.ReportMetric(cpu()/float64(b.N), "cpu-s/op")
	})
	b.Run("read", func(b *testing.B) {
		peak, cpu := watchHeap(), watchCPU()
		for b.Loop() {
			b.StopTimer()
			runtime.GC() // A start reads once: what the read before has left is not a part of it.
			b.StartTimer()
			s := open()
			if !s.Load(c.Name, func(next func(any) error) error { _, err := c.New(account).Load(next); return err }) {
				b.Fatal("nothing was stored")
			}
			s.Close()
		}
		b.ReportMetric(peak(), "MiB-more")
		b.ReportMetric(cpu()/float64(b.N), "cpu-s/op")
	})
}

// watchHeap looks at the heap again and again; the function that it returns says how much it has grown at most, in MiB.
func watchHeap() func() float64 {
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	var most atomic.Uint64
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for tick := time.NewTicker(20 * time.Millisecond); ; {
			select {
			case <-end:
				tick.Stop()
				return
			case <-tick.C:
				var now runtime.MemStats
				runtime.ReadMemStats(&now)
				most.Store(max(most.Load(), now.HeapInuse))
			}
		}
	}()
	return func() float64 {
		close(end)
		<-ended
		return (float64(most.Load()) - float64(before.HeapInuse)) / (1 << 20)
	}
}

// watchCPU begins to count the seconds of CPU that the process uses.
func watchCPU() func() float64 {
	used := func() float64 {
		var r syscall.Rusage
		_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r)
		return time.Duration(r.Utime.Nano() + r.Stime.Nano()).Seconds()
	}
	before := used()
	return func() float64 { return used() - before }
}
