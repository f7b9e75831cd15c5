package collector

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"testing"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/ycm-exporter/ycm_exporter/config"
	"github.com/ycm-exporter/ycm_exporter/exposition"
	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// replay serves the answers of a simulated YCM, each made once, so that a benchmark measures the reader.
func replay(b *testing.B, pbxs int) *url.URL {
	ycm := ycmtest.New(ycmtest.Options{PBXs: pbxs, Seed: 1})
	answers := map[string][]byte{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if answer, ok := answers[r.RequestURI]; ok {
			_, _ = w.Write(answer)
			return
		}
		recorder := httptest.NewRecorder()
		ycm.ServeHTTP(recorder, r)
		if r.Method == http.MethodGet {
			answers[r.RequestURI] = recorder.Body.Bytes()
		}
		_, _ = w.Write(recorder.Body.Bytes())
	}))
	b.Cleanup(server.Close)
	u, err := url.Parse(server.URL)
	if err != nil {
		b.Fatal(err)
	}
	return u
}

// From the first request of a walk to a snapshot that is served: decoding, joining, verifying.
func BenchmarkPollToSnapshot(b *testing.B) {
	for _, pbxs := range []int{1_000, 10_000} {
		b.Run(fmt.Sprint(pbxs), func(b *testing.B) {
			collectors := config.Collectors{CloudPBX: every(time.Hour, time.Hour)}
			bench := newBench(b)
			bench.options.Out = exposition.NewSet(prometheus.NewRegistry(), log.NewNopLogger())
			bench.connect(b, replay(b, pbxs), &http.Transport{}, collectors)
			if err := bench.Once(context.Background(), nil); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if err := bench.Once(context.Background(), nil); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*pbxs), "µs/pbx")
		})
	}
}

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

// What a snapshot holds at rest: the records as the client made them, and what the source adds.
func BenchmarkMemoryPerPBX(b *testing.B) {
	const pbxs = 10_000
	bench := newBench(b)
	bench.connect(b, replay(b, pbxs), &http.Transport{}, config.Collectors{})
	for b.Loop() {
		empty := heap()
		list, err := bench.options.Client.Walk(context.Background(), nil, nil)
		if err != nil {
			b.Fatal(err)
		}
		walked := heap()
		source := newFleet("main", list, time.Now(), nil)
		b.ReportMetric(float64(walked-empty)/pbxs, "B/record")
		b.ReportMetric(float64(heap()-walked)/pbxs, "B/pbx-in-source")
		runtime.KeepAlive(source)
	}
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
