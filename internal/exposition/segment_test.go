package exposition

import (
	"runtime"
	"slices"
	"testing"
)

// trunks is a source with seven samples for each PBX of a fleet, like a collector that sweeps PBXs and publishes many times
// per sweep.
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

func TestUnchangedFamiliesAreNotCompressedAgain(t *testing.T) {
	const pbxs = 300
	for name, c := range map[string]struct {
		change  func(*fleet)
		changed []string // families
	}{
		"nothing changes":       {func(*fleet) {}, nil},
		"a PBX stops":           {func(f *fleet) { f.pbxs[pbxs/2].status = 4 }, []string{"ycm_cloud_pbx_status"}},
		"two PBXs swap numbers": {func(f *fleet) { f.pbxs[0].numbers[1], f.pbxs[pbxs-1].numbers[1] = 7, 8 }, []string{"ycm_cloud_pbx_active_calls"}},
	} {
		t.Run(name, func(t *testing.T) {
			set := newSet()
			published := func(f *fleet) []segment {
				mustPublish(t, set, "main", "cloud_pbx", f)
				scrapeOf(t, set, "/metrics", "text", "gzip")
				return set.snapshots[owner{"main", "cloud_pbx"}].variants[key{format: text}].segments
			}
			first, next := newFleet("main", pbxs), newFleet("main", pbxs)
			first.pbxs[0].numbers[1], first.pbxs[pbxs-1].numbers[1] = 8, 7
			next.pbxs[0].numbers[1], next.pbxs[pbxs-1].numbers[1] = 8, 7
			c.change(next)
			before := published(first)
			defer segmentWriters.Put(segmentWriters.Get()) // Another writer must recognise what is unchanged too.
			after := published(next)
			var changed []string
			for i, f := range next.Families() {
				if &before[i].bytes[0] != &after[i].bytes[0] {
					changed = append(changed, f.Name)
				}
			}
			if !slices.Equal(changed, c.changed) {
				t.Errorf("families %q were compressed again, want %q", changed, c.changed)
			}
			if got, want := scrapeOf(t, set, "/metrics", "text", "gzip"), encoded(t, registryOf(t, next), "text"); got != want {
				t.Errorf("the scrape is not the next snapshot:%s", firstDifference(got, want))
			}
		})
	}
}

// A garbage collection takes time by all that is served, so not each small snapshot brings one.
func TestMemoryIsReturnedByWhatWasPublished(t *testing.T) {
	collections := func(publish func()) uint32 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		publish()
		runtime.ReadMemStats(&after)
		return after.NumForcedGC - before.NumForcedGC
	}
	set, large, small := newSet(), newFleet("main", 10_000), trunks{newFleet("main", 7_500)}
	mustPublish(t, set, "main", "cloud_pbx", large)
	if got := collections(func() { mustPublish(t, set, "main", "cloud_pbx", large) }); got != 1 {
		t.Errorf("a poll of 300,000 samples returned memory %d times, want once", got)
	}
	got := collections(func() {
		for range 10 {
			mustPublish(t, set, "main", "trunks", small)
		}
	})
	if got != 5 {
		t.Errorf("ten times 52,500 samples returned memory %d times, want 5", got)
	}
}
