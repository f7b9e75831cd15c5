package exposition

import (
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A watched source counts the passes over its families and can block them.
type watched struct {
	Source
	passes atomic.Int64
	hold   chan struct{} // passes wait until it is closed, if there is one
}

func (w *watched) Each(i int, shard Shard, emit func([]string, float64)) {
	w.passes.Add(1)
	if w.hold != nil {
		<-w.hold
	}
	w.Source.Each(i, shard, emit)
}

// expectPasses checks how often families were read since the last time.
func (w *watched) expectPasses(t *testing.T, want int64, after string) {
	t.Helper()
	if got := w.passes.Swap(0); got != want {
		t.Errorf("after %s: families were read %d times, want %d", after, got, want)
	}
}

func TestConcurrentScrapesCompressOnce(t *testing.T) {
	set, src := newSet(), &watched{Source: one("ycm_x", "main", 1)}
	mustPublish(t, set, "main", "cloud_pbx", src)
	src.expectPasses(t, 1, "publishing, which verifies")

	src.hold = make(chan struct{})
	var scrapes sync.WaitGroup
	for range 10 {
		scrapes.Go(func() {
			if body := scrapeOf(t, set, "/metrics", "text", "gzip"); !strings.Contains(body, "\nycm_x{") {
				t.Errorf("a scrape that waited got %q", body)
			}
		})
	}
	for src.passes.Load() == 0 {
		runtime.Gosched()
	}
	close(src.hold)
	scrapes.Wait()
	src.expectPasses(t, 2, "ten concurrent scrapes, of which the first sums up and compresses")
}

func TestScrapesAreServedWhileTheNextSnapshotIsRendered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := newSet()
		mustPublish(t, set, "main", "cloud_pbx", one("ycm_x", "main", 1))
		scrapeOf(t, set, "/metrics", "text", "gzip")

		next := &watched{Source: one("ycm_x", "main", 2), hold: make(chan struct{})}
		var poll sync.WaitGroup
		poll.Go(func() { mustPublish(t, set, "main", "cloud_pbx", next) })
		synctest.Wait()
		for _, encoding := range encodings {
			if body := scrapeOf(t, set, "/metrics", "text", encoding); !strings.HasSuffix(body, " 1\n") {
				t.Errorf("%s while the next snapshot is rendered: got %q, want the present one", encoding, body)
			}
		}
		close(next.hold)
		poll.Wait()
		next.expectPasses(t, 3, "publishing, which verifies, compares with the present segment, and compresses")
		if body := scrapeOf(t, set, "/metrics", "text", "gzip"); !strings.HasSuffix(body, " 2\n") {
			t.Errorf("after the swap: got %q, want the new snapshot", body)
		}
		next.expectPasses(t, 0, "a scrape that finds its variant")
	})
}

func TestOnlyRequestedVariantsAreMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := newSet()
		publish := func() *watched {
			src := &watched{Source: one("ycm_x", "main", 1)}
			mustPublish(t, set, "main", "cloud_pbx", src)
			return src
		}
		publish()
		publish().expectPasses(t, 1, "a snapshot that was not scraped")

		scrapeOf(t, set, "/metrics", "text", "gzip")
		time.Sleep(4 * time.Minute)
		publish().expectPasses(t, 2, "a snapshot that was scraped four minutes ago, and did not change")
		time.Sleep(2 * time.Minute)
		publish().expectPasses(t, 1, "one that was scraped six minutes ago")

		src := publish()
		scrapeOf(t, set, "/metrics", "text", "gzip")
		src.expectPasses(t, 3, "publishing, and one scrape that sums up and compresses")
		time.Sleep(forgetAfter + time.Second)
		scrapeOf(t, set, "/metrics", "protobuf", "identity")
		if kept := len(set.snapshots[owner{"main", "cloud_pbx"}].variants); kept != 1 {
			t.Errorf("a snapshot that stays long keeps %d variants, want the one that was requested last", kept)
		}
	})
}

func TestClientCannotFillTheMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := newSet()
		mustPublish(t, set, "main", "cloud_pbx", newFleet("main", 20))
		scrapeOf(t, set, "/metrics", "text", "gzip")
		refused := 0
		for _, format := range formats {
			for _, count := range []int{1, 2, 3, 64} {
				for index := range count {
					response, body := get(t, set, fmt.Sprintf("/metrics?shard=%d&shards=%d", index, count), accepts[format], "gzip")
					switch response.StatusCode {
					case http.StatusOK:
					case http.StatusServiceUnavailable:
						refused++
						if !strings.Contains(string(body), "too many formats and shards") || response.Header.Get("Retry-After") != "30" {
							t.Errorf("a client that requests too much gets %q and Retry-After %q", body, response.Header.Get("Retry-After"))
						}
					default:
						t.Fatalf("shard %d of %d in %s: status %d", index, count, format, response.StatusCode)
					}
				}
			}
		}
		kept := 0.0
		for k := range set.snapshots[owner{"main", "cloud_pbx"}].variants {
			kept += 1 / float64(max(1, k.shard.Count))
		}
		if kept < maxVariants || kept > maxVariants+1.01 || refused == 0 {
			t.Errorf("after a client requested everything a snapshot keeps %.2f times itself, and refused %d scrapes; want about %d times", kept, refused, maxVariants)
		}
		scrapeOf(t, set, "/metrics", "text", "gzip") // A client from before is still served.
		time.Sleep(forgetAfter + time.Second)
		scrapeOf(t, set, "/metrics?shard=7&shards=9", "text", "gzip") // So is a client that comes later.
	})
}

// A source that panics fails the scrapes that read it, but none of them hangs.
func TestNoScrapeHangsAfterAPanic(t *testing.T) {
	set, src := newSet(), &fragile{Source: one("ycm_x", "main", 1)}
	mustPublish(t, set, "main", "cloud_pbx", src)
	src.broken = true
	for range 3 {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("a scrape of a broken source does not fail")
				}
			}()
			record(set, request("text", "gzip"))
		}()
	}
	mustPublish(t, set, "main", "cloud_pbx", one("ycm_x", "main", 2))
	expectServed(t, set, "with another source", "ycm_x")
}

type fragile struct {
	Source
	broken bool
}

func (f *fragile) Each(i int, shard Shard, emit func([]string, float64)) {
	if f.broken {
		panic("broken")
	}
	f.Source.Each(i, shard, emit)
}
