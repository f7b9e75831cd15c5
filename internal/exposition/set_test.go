package exposition

import (
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"weak"
)

// expectServed checks which families a scrape has, in each encoding.
func expectServed(t *testing.T, set *Set, when string, want ...string) {
	t.Helper()
	for _, encoding := range encodings {
		if got := strings.Join(names(scrapeOf(t, set, "/metrics", "text", encoding)), " "); got != strings.Join(want, " ") {
			t.Errorf("%s, %s: families %q are served, want %q", when, encoding, got, want)
		}
	}
}

func TestExpiredSnapshotIsNotServedAndFreed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := newSet()
		publish := func() weak.Pointer[watched] {
			src := &watched{Source: one("ycm_x", "main", 1)}
			if err := set.Publish("main", "cloud_pbx", src, time.Now().Add(10*time.Minute)); err != nil {
				t.Fatal(err)
			}
			return weak.Make(src)
		}
		src := publish()
		mustPublish(t, set, "main", "firmware", one("ycm_y", "main", 1))
		time.Sleep(10*time.Minute - time.Nanosecond)
		expectServed(t, set, "before it expires", "ycm_x", "ycm_y")
		time.Sleep(time.Nanosecond)
		expectServed(t, set, "as it expires", "ycm_y")
		runtime.GC()
		if src.Value() != nil {
			t.Error("the expired source is still held")
		}
	})
}

func TestSnapshotsAreWithdrawn(t *testing.T) {
	set := newSet()
	mustPublish(t, set, "a", "cloud_pbx", one("ycm_x", "a", 1))
	mustPublish(t, set, "a", "users", one("ycm_y", "a", 1))
	mustPublish(t, set, "b", "cloud_pbx", one("ycm_z", "b", 1))
	set.Withdraw("a", "users")
	set.Withdraw("a", "trunks") // There is none.
	expectServed(t, set, "one collector withdrawn", "ycm_x", "ycm_z")
	set.Withdraw("a", "cloud_pbx")
	expectServed(t, set, "all of an account withdrawn", "ycm_z")
}

func TestDuplicateSeriesIsRefusedAndTheLastSnapshotStays(t *testing.T) {
	for name, ids := range map[string][]string{
		"a duplicate":          {"1", "2", "2"},
		"samples out of order": {"2", "1"},
	} {
		t.Run(name, func(t *testing.T) {
			bad := literalFamily{Family: Family{"ycm_x", "Help.", []string{"account", "id"}}}
			for _, id := range ids {
				bad.rows = append(bad.rows, row{[]string{"main", id}, 1})
			}
			set := newSet()
			mustPublish(t, set, "main", "cloud_pbx", one("ycm_good", "main", 1))
			err := set.Publish("main", "cloud_pbx", append(one("ycm_a", "main", 1), bad), far())
			if err == nil || !strings.Contains(err.Error(), "publishing cloud_pbx of account main: sample") || !strings.Contains(err.Error(), "of ycm_x") {
				t.Errorf("got error %v, want one that names account, collector and family", err)
			}
			expectServed(t, set, "after the error", "ycm_good")
		})
	}
}

func TestFamilyIsSharedByAccounts(t *testing.T) {
	set := newSet()
	mustPublish(t, set, "b", "cloud_pbx", one("ycm_x", "b", 2))
	mustPublish(t, set, "a", "cloud_pbx", one("ycm_x", "a", 1))
	want := "# HELP ycm_x Help.\n# TYPE ycm_x gauge\nycm_x{account=\"a\"} 1\nycm_x{account=\"b\"} 2\n"
	for _, encoding := range encodings {
		if got := scrapeOf(t, set, "/metrics", "text", encoding); got != want {
			t.Errorf("%s: got %q, want %q", encoding, got, want)
		}
	}
	var out strings.Builder
	if err := set.WriteText(&out); err != nil || out.String() != want {
		t.Errorf("WriteText: got %q and error %v, want %q", out.String(), err, want)
	}
}
