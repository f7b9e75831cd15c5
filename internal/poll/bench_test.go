package poll

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

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
			collectors := plan{"cloud_pbx": every(time.Hour, time.Hour)}
			bench := newBench(b)
			bench.options.Publisher = newSet()
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
