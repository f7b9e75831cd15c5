package exposition

import (
	"bytes"
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

// counting is a compressor that counts what it is given.
type counting struct {
	compressor
	writes int
}

func (c *counting) Write(p []byte) (int, error) {
	c.writes++
	return c.compressor.Write(p)
}

// What is the same in the next snapshot is not compressed again, wherever it moved; and what is served is the next
// snapshot to the byte.
func TestOnlyWhatChangedIsCompressedAgain(t *testing.T) {
	const pbxs = 2_500
	for name, c := range map[string]struct {
		change func(*fleet)
		anew   int // pieces that are compressed, at most
	}{
		"nothing":             {func(*fleet) {}, 0},
		"a PBX that stops":    {func(f *fleet) { f.pbxs[pbxs/2].status = 4 }, 1},
		"a PBX that is gone":  {func(f *fleet) { f.pbxs = slices.Delete(f.pbxs, pbxs/3, pbxs/3+1) }, 2},
		"the first PBX gone":  {func(f *fleet) { f.pbxs = f.pbxs[1:] }, 2},
		"a PBX of a new name": {func(f *fleet) { f.pbxs[7].name = `The "Other" one` }, 2},
		"a PBX that is new": {func(f *fleet) {
			added := f.pbxs[pbxs/2]
			added.label += "0"
			f.pbxs = slices.Insert(f.pbxs, pbxs/2+1, added)
		}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			set := newSet()
			k := key{format: text, encoding: gzipped}
			published := func(f *fleet) *snapshot {
				mustPublish(t, set, "main", "trunks", trunks{f})
				scrapeOf(t, set, "/metrics", "text", "gzip")
				return set.present.Load().find("main", "trunks").snapshot
			}
			next := newFleet("main", pbxs)
			c.change(next)
			before, after := published(newFleet("main", pbxs)), published(next)
			if got, want := scrapeOf(t, set, "/metrics", "text", "gzip"), encoded(t, registryOf(t, trunks{next}), "text"); got != want {
				t.Errorf("the scrape is not the next snapshot:%s", firstDifference(got, want))
			}

			sw := set.codecs[k.encoding].take()
			counter := &counting{compressor: sw.compressor}
			sw.compressor, sw.known = counter, before.variants[k].known()
			again := sw.segment(after, 0, k)
			if counter.writes > c.anew || len(again.pieces) < 10 {
				t.Errorf("%d of %d pieces were compressed anew, want at most %d of at least 10", counter.writes, len(again.pieces), c.anew)
			}
			if kept := after.variants[k].segments[0]; !bytes.Equal(again.bytes, kept.bytes) || again.checksum != kept.checksum {
				t.Error("the segment that is kept was made otherwise")
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
	set, large, small := newSet(), newFleet("main", 20_000), trunks{newFleet("main", 15_000)}
	mustPublish(t, set, "main", "cloud_pbx", large)
	if got := collections(func() { mustPublish(t, set, "main", "cloud_pbx", large) }); got != 1 {
		t.Errorf("a poll of 600,000 samples gave memory back %d times, want once", got)
	}
	got := collections(func() {
		for range 10 {
			mustPublish(t, set, "main", "trunks", small)
		}
	})
	if got < 1 || got > 3 {
		t.Errorf("ten times 105,000 samples beside 600,000 gave memory back %d times, want 1 to 3", got)
	}
}
