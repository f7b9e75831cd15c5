package exposition

import (
	"runtime"
	"slices"
	"testing"
)

// trunks is a source with seven samples for each PBX of a fleet, as a collector has that asks PBXs one after the other
// and publishes what it knows many times in between.
type trunks struct{ *fleet }

func (trunks) Families() []Family {
	return []Family{{"ycm_cloud_pbx_trunk_status", "The status.", []string{"account", "cloud_pbx_id", "name", "region", "status", "trunk", "trunk_type"}}}
}

func (t trunks) Each(_ int, shard Shard, emit func([]string, float64)) {
	for n := range t.pbxs {
		p := &t.pbxs[n]
		if !shard.Has(t.account, p.id) {
			continue
		}
		for k, status := range statuses {
			value := 0.0
			if k == p.status {
				value = 1
			}
			emit([]string{t.account, p.label, p.name, p.region, status, "SIP main", "peer"}, value)
		}
	}
}

// segmentsOf are the segments that the set keeps of the trunks, in gzip.
func segmentsOf(t *testing.T, set *Set) []segment {
	t.Helper()
	variant := set.present.Load().find("main", "trunks").variants[key{format: text, encoding: gzipped}]
	if variant == nil {
		t.Fatal("no variant in gzip is kept")
	}
	return variant.segments[0]
}

// What is the same in the next snapshot is not compressed again, wherever it moved; and what is served is the next
// snapshot to the byte.
func TestOnlyWhatChangedIsCompressedAgain(t *testing.T) {
	const pbxs = 5_000
	for name, c := range map[string]struct {
		change func(*fleet)
		anew   int // segments that are made anew, at most
	}{
		"nothing":             {func(*fleet) {}, 0},
		"a PBX that stops":    {func(f *fleet) { f.pbxs[pbxs/2].status = 4 }, 1},
		"a PBX that is gone":  {func(f *fleet) { f.pbxs = slices.Delete(f.pbxs, pbxs/3, pbxs/3+1) }, 2},
		"the first PBX gone":  {func(f *fleet) { f.pbxs = f.pbxs[1:] }, 2},
		"a PBX of a new name": {func(f *fleet) { f.pbxs[7].name = `The "Other" one` }, 1},
		"a PBX that is new": {func(f *fleet) {
			added := f.pbxs[pbxs/2]
			added.label += "0"
			f.pbxs = slices.Insert(f.pbxs, pbxs/2+1, added)
		}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			set := newSet()
			mustPublish(t, set, "main", "trunks", trunks{newFleet("main", pbxs)})
			scrapeOf(t, set, "/metrics", "text", "gzip")
			before := segmentsOf(t, set)

			next := newFleet("main", pbxs)
			c.change(next)
			mustPublish(t, set, "main", "trunks", trunks{next})
			anew := 0
			after := segmentsOf(t, set)
			for _, s := range after {
				if !slices.ContainsFunc(before, func(b segment) bool { return &b.bytes[0] == &s.bytes[0] }) {
					anew++
				}
			}
			if len(after) < 20 || anew > c.anew {
				t.Errorf("%d of %d segments were made anew, want at most %d of at least 20", anew, len(after), c.anew)
			}
			if got, want := scrapeOf(t, set, "/metrics", "text", "gzip"), encoded(t, registryOf(t, trunks{next}), "text"); got != want {
				t.Errorf("the scrape is not the next snapshot:%s", firstDifference(got, want))
			}
		})
	}
}

// A collection of garbage takes time by all that is served, so small snapshots do not bring one each.
func TestMemoryIsGivenBackByWhatWasPublished(t *testing.T) {
	collections := func(publish func()) uint32 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		publish()
		runtime.ReadMemStats(&after)
		return after.NumForcedGC - before.NumForcedGC
	}
	set, large, small := newSet(), newFleet("main", 30_000), trunks{newFleet("main", 15_000)}
	mustPublish(t, set, "main", "cloud_pbx", large)
	if got := collections(func() { mustPublish(t, set, "main", "cloud_pbx", large) }); got != 1 {
		t.Errorf("a poll of 900,000 samples gave memory back %d times, want once", got)
	}
	got := collections(func() {
		for range 10 {
			mustPublish(t, set, "main", "trunks", small)
		}
	})
	if got < 1 || got > 2 {
		t.Errorf("ten times 105,000 samples beside 900,000 gave memory back %d times, want 1 or 2", got)
	}
}
