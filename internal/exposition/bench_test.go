package exposition

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Wall time on a shared machine means little, so the benchmarks report the CPU time of the process too, garbage
// collection included.

var sizes = []int{1_000, 10_000, 100_000}

var accepts = map[string]string{
	"text":        "text/plain;version=0.0.4",
	"openmetrics": "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8", // as Prometheus requests
	"protobuf":    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
}

// BenchmarkScrape is a scrape without a network, its snapshot rendered and compressed already.
func BenchmarkScrape(b *testing.B) {
	for _, size := range sizes {
		one, three := []*fleet{newFleet("main", size)}, []*fleet{newFleet("a", size/3), newFleet("b", size/3), newFleet("c", size/3)}
		for _, format := range formats {
			for _, fleets := range [][]*fleet{one, three} {
				set := publish(b, fleets...)
				for _, encoding := range encodings {
					b.Run(fmt.Sprintf("%s/%s/accounts=%d/pbxs=%d", format, encoding, len(fleets), size), func(b *testing.B) {
						scrapes(b, set, format, encoding)
					})
				}
			}
		}
	}
}

// BenchmarkBaseline is what exporters usually do: const metrics made at each scrape.
func BenchmarkBaseline(b *testing.B) {
	for _, size := range sizes {
		registry := selfMetrics()
		registry.MustRegister(collectorOf(newFleet("main", size)))
		handler := promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true})
		for _, encoding := range []string{"identity", "gzip"} {
			b.Run(fmt.Sprintf("openmetrics/%s/accounts=1/pbxs=%d", encoding, size), func(b *testing.B) {
				scrapes(b, handler, "openmetrics", encoding)
			})
		}
	}
}

// BenchmarkSameBytes is the floor: a handler that only writes the bytes of a scrape.
func BenchmarkSameBytes(b *testing.B) {
	overHTTP(b, func(set *Set, r *http.Request) http.Handler {
		w := httptest.NewRecorder()
		set.ServeHTTP(w, r)
		body := w.Body.Bytes()
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			_, _ = w.Write(body)
		})
	})
}

// BenchmarkHTTP is a scrape over loopback, with a client that discards it.
func BenchmarkHTTP(b *testing.B) {
	overHTTP(b, func(set *Set, _ *http.Request) http.Handler { return set })
}

func overHTTP(b *testing.B, handler func(*Set, *http.Request) http.Handler) {
	for _, size := range sizes {
		set := publish(b, newFleet("main", size))
		for _, encoding := range encodings {
			b.Run(fmt.Sprintf("openmetrics/%s/accounts=1/pbxs=%d", encoding, size), func(b *testing.B) {
				r := request("openmetrics", encoding)
				serve(set, "openmetrics", encoding)
				server := httptest.NewServer(handler(set, r))
				defer server.Close()
				client := &http.Client{Transport: &http.Transport{DisableCompression: true}}
				defer client.CloseIdleConnections()
				r.RequestURI, r.URL.Scheme, r.URL.Host = "", "http", server.Listener.Addr().String()
				measure(b, func() int64 {
					response, err := client.Do(r)
					if err != nil {
						b.Fatal(err)
					}
					defer response.Body.Close()
					size, err := io.Copy(io.Discard, response.Body)
					if err != nil {
						b.Fatal(err)
					}
					return size
				})
			})
		}
	}
}

// BenchmarkConcurrent is five concurrent scrapes.
func BenchmarkConcurrent(b *testing.B) {
	for _, size := range sizes {
		set := publish(b, newFleet("main", size))
		for _, encoding := range []string{"identity", "gzip"} {
			b.Run(fmt.Sprintf("openmetrics/%s/scrapes=5/pbxs=%d", encoding, size), func(b *testing.B) {
				serve(set, "openmetrics", encoding)
				measure(b, func() int64 {
					var all sync.WaitGroup
					for range 5 {
						all.Go(func() { serve(set, "openmetrics", encoding) })
					}
					all.Wait()
					return 0
				})
			})
		}
	}
}

// BenchmarkPublish publishes a snapshot of which scrapes request one variant: the same again, or with one PBX changed in all
// families.
func BenchmarkPublish(b *testing.B) {
	for _, size := range sizes {
		same, changed := newFleet("main", size), newFleet("main", size)
		changed.pbxs[size/2].name += " and Son"
		for _, encoding := range encodings {
			for name, next := range map[string]*fleet{"same": same, "changed": changed} {
				b.Run(fmt.Sprintf("openmetrics/%s/%s/pbxs=%d", encoding, name, size), func(b *testing.B) {
					set := publish(b, same)
					serve(set, "openmetrics", encoding)
					sources := []*fleet{same, next}
					measure(b, func() int64 {
						sources[0], sources[1] = sources[1], sources[0]
						mustPublish(b, set, "main", "cloud_pbx", sources[0])
						return 0
					})
				})
			}
		}
	}
}

// BenchmarkRender is the renderer alone, to the time of one sample.
func BenchmarkRender(b *testing.B) {
	source := newFleet("main", 10_000)
	samples := 0
	for i := range fleetFamilies {
		source.Each(i, Shard{}, func([]string, float64) { samples++ })
	}
	for name, f := range map[string]format{"text": text, "openmetrics": openMetrics, "protobuf": protobuf} {
		b.Run(name, func(b *testing.B) {
			r, s := new(renderer), publish(b, source).snapshots[owner{"main", "cloud_pbx"}]
			before := cpu()
			for b.Loop() {
				r.start(io.Discard, f)
				for i, family := range fleetFamilies {
					r.family(family.Family)
					r.each(s, i, Shard{})
				}
			}
			b.ReportMetric(float64((cpu()-before).Nanoseconds())/float64(b.N*samples), "cpu-ns/sample")
		})
	}
}

// BenchmarkMemory is the resident memory of the process: at rest, and at its peak while new snapshots are read and
// published and five clients scrape all the time. Run it alone and once.
func BenchmarkMemory(b *testing.B) {
	for _, size := range sizes {
		for _, encoding := range encodings {
			b.Run(fmt.Sprintf("openmetrics/%s/pbxs=%d", encoding, size), func(b *testing.B) {
				for b.Loop() {
					set := publish(b, newFleet("main", size))
					serve(set, "openmetrics", encoding)
					b.ReportMetric(resident(b, "VmRSS"), "rest-MiB")
					debug.FreeOSMemory()
					b.ReportMetric(resident(b, "VmRSS"), "least-MiB")

					resetPeak(b)
					done := make(chan struct{})
					var clients sync.WaitGroup
					for range 5 {
						clients.Go(func() {
							for {
								select {
								case <-done:
									return
								default:
									serve(set, "openmetrics", encoding)
								}
							}
						})
					}
					for range 3 {
						mustPublish(b, set, "main", "cloud_pbx", newFleet("main", size))
					}
					close(done)
					clients.Wait()
					b.ReportMetric(resident(b, "VmHWM"), "peak-MiB")
					runtime.KeepAlive(set)
				}
			})
		}
	}
}

// resident reads a line of /proc/self/status, in MiB.
func resident(b *testing.B, name string) float64 {
	b.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Skipf("the resident memory of the process cannot be read on this system: %v", err)
	}
	for line := range strings.Lines(string(status)) {
		if fields := strings.Fields(line); fields[0] == name+":" {
			kib, err := strconv.ParseFloat(fields[1], 64)
			if err != nil {
				b.Fatal(err)
			}
			return kib / 1024
		}
	}
	b.Fatalf("/proc/self/status has no %s", name)
	return 0
}

// resetPeak resets VmHWM.
func resetPeak(b *testing.B) {
	b.Helper()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		b.Skipf("the peak of the memory cannot be reset on this system: %v", err)
	}
}

func scrapes(b *testing.B, handler http.Handler, format, encoding string) {
	if _, ours := handler.(*Set); ours {
		serve(handler, format, encoding) // The first scrape makes what the others find.
	}
	measure(b, func() int64 { return serve(handler, format, encoding) })
}

// measure repeats an operation and reports its CPU time, and the size that it returns if that is not 0.
func measure(b *testing.B, operation func() (size int64)) {
	b.Helper()
	b.ReportAllocs()
	runtime.GC()
	var size int64
	before := cpu()
	for b.Loop() {
		size = operation()
	}
	b.ReportMetric(float64((cpu()-before).Nanoseconds())/float64(b.N), "cpu-ns/op")
	if size > 0 {
		b.ReportMetric(float64(size), "wire-B/op")
	}
}

// publish makes a set that serves fleets, and the metrics of a process beside them.
func publish(tb testing.TB, fleets ...*fleet) *Set {
	tb.Helper()
	set := NewSet(selfMetrics(), log.NewNopLogger())
	for _, f := range fleets {
		if err := set.Publish(f.account, "cloud_pbx", f, far()); err != nil {
			tb.Fatal(err)
		}
	}
	return set
}

// selfMetrics is what any Go process exports about itself, and about as much as the exporter adds for one account.
func selfMetrics() *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	requests := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "ycm_api_requests_total", Help: "Requests sent to YCM."}, []string{"account", "endpoint", "result"})
	durations := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "ycm_api_request_duration_seconds", Help: "How long requests took."}, []string{"account", "endpoint"})
	registry.MustRegister(requests, durations)
	for _, account := range []string{"main"} {
		for e := range 5 {
			endpoint := "endpoint_" + strconv.Itoa(e)
			requests.WithLabelValues(account, endpoint, "ok").Add(1234)
			durations.WithLabelValues(account, endpoint).Observe(0.123)
		}
	}
	return registry
}

func request(format, encoding string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	r.Header.Set("Accept", accepts[format])
	r.Header.Set("Accept-Encoding", encoding)
	return r
}

// serve scrapes without a network and returns the size of what came.
func serve(handler http.Handler, format, encoding string) int64 {
	w := sink{header: http.Header{}}
	handler.ServeHTTP(&w, request(format, encoding))
	return w.size
}

// A sink is a response that is dropped.
type sink struct {
	header http.Header
	size   int64
}

func (s *sink) Header() http.Header              { return s.header }
func (s *sink) WriteHeader(int)                  {}
func (s *sink) SetWriteDeadline(time.Time) error { return nil }

func (s *sink) Write(p []byte) (int, error) {
	s.size += int64(len(p))
	return len(p), nil
}

// cpu returns the CPU time that the process has used.
func cpu() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
