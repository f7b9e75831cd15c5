package exposition

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A watched source counts the walks over its families and can be held up in them.
type watched struct {
	Source
	walks atomic.Int64
	hold  chan struct{} // walks wait until it is closed, if there is one
}

func (w *watched) Each(i int, shard Shard, emit func([]string, float64)) {
	w.walks.Add(1)
	if w.hold != nil {
		<-w.hold
	}
	w.Source.Each(i, shard, emit)
}

// expectWalks checks how often the source was walked since the last time.
func (w *watched) expectWalks(t *testing.T, want int64, after string) {
	t.Helper()
	if got := w.walks.Swap(0); got != want {
		t.Errorf("after %s: the source was walked %d times, want %d", after, got, want)
	}
}

func TestManyScrapesWaitForOneMaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set, src := newSet(), &watched{Source: one("ycm_x", "main", 1)}
		mustPublish(t, set, "main", "cloud_pbx", src)
		src.expectWalks(t, 1, "publishing, which verifies")

		src.hold = make(chan struct{})
		var scrapes sync.WaitGroup
		for range 10 {
			scrapes.Go(func() {
				if body := scrapeOf(t, set, "/metrics", "text", "gzip"); !strings.Contains(body, "\nycm_x{") {
					t.Errorf("a scrape that waited got %q", body)
				}
			})
		}
		synctest.Wait()
		close(src.hold)
		scrapes.Wait()
		src.expectWalks(t, 1, "ten scrapes at once")
	})
}

func TestScrapesAreServedWhileTheNextSnapshotIsMade(t *testing.T) {
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
				t.Errorf("%s while the next snapshot is made: got %q, want the present one", encoding, body)
			}
		}
		close(next.hold)
		poll.Wait()
		next.expectWalks(t, 4, "publishing, which verifies, makes what was asked for in gzip and zstd, and measures the plain text")
		if body := scrapeOf(t, set, "/metrics", "text", "gzip"); !strings.HasSuffix(body, " 2\n") {
			t.Errorf("after the swap: got %q, want the new snapshot", body)
		}
		next.expectWalks(t, 0, "a scrape that finds what it asks for")
	})
}

func TestOnlyWhatIsAskedForIsMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := newSet()
		publish := func() *watched {
			src := &watched{Source: one("ycm_x", "main", 1)}
			mustPublish(t, set, "main", "cloud_pbx", src)
			return src
		}
		publish()
		publish().expectWalks(t, 1, "a snapshot that nobody asked for")

		scrapeOf(t, set, "/metrics", "text", "gzip")
		time.Sleep(4 * time.Minute)
		publish().expectWalks(t, 2, "a snapshot that was asked for four minutes ago")
		time.Sleep(2 * time.Minute)
		publish().expectWalks(t, 1, "one that was asked for six minutes ago")

		src := publish()
		scrapeOf(t, set, "/metrics", "text", "gzip")
		src.expectWalks(t, 2, "publishing and one scrape")
		time.Sleep(forgetAfter + time.Second)
		scrapeOf(t, set, "/metrics", "text", "zstd")
		if kept := len(set.present.Load().published[0].variants); kept != 1 {
			t.Errorf("a snapshot that stays long keeps %d variants, want the one that was asked for last", kept)
		}
	})
}

func TestAClientCannotFillTheMemory(t *testing.T) {
	set, src := newSet(), &watched{Source: newFleet("main", 40)}
	mustPublish(t, set, "main", "cloud_pbx", src)
	for _, format := range formats {
		for _, encoding := range encodings {
			for _, count := range []int{1, 3, 64} {
				for index := range count {
					scrapeOf(t, set, fmt.Sprintf("/metrics?shard=%d&shards=%d", index, count), format, encoding)
				}
			}
		}
	}
	snapshot := set.present.Load().published[0].snapshot
	kept := 0.0
	for k := range snapshot.variants {
		kept += 1 / float64(max(1, k.shard.Count))
	}
	if kept < maxVariants || kept >= maxVariants+1 {
		t.Errorf("a client who asks for everything makes a snapshot keep %.2f times itself, want about %d", kept, maxVariants)
	}

	// Who comes too late is served all the same, only that it costs more.
	src.walks.Store(0)
	want := encoded(t, registryOf(t, src.Source), "protobuf")
	if got := scrapeOf(t, set, "/metrics", "protobuf", "zstd"); got != want {
		t.Errorf("a scrape of what is not kept differs:%s", firstDifference(got, want))
	}
	src.expectWalks(t, int64(len(fleetFamilies)), "a scrape of what is not kept")
}

// A source that panics spoils the scrapes that walk it, but nobody waits for what will never be made.
func TestNobodyWaitsForAMakerThatPanicked(t *testing.T) {
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
	expectServed(t, set, "with a sound source", "ycm_x")
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
