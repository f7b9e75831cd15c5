package exposition

import "testing"

func TestShardsSpreadPBXsEvenly(t *testing.T) {
	const pbxs = 20_000
	for name, id := range map[string]func(i int64) int64{
		"consecutive ids": func(i int64) int64 { return 100_000 + i },
		"every 64th id":   func(i int64) int64 { return i * 64 },
		"large ids":       func(i int64) int64 { return i << 40 },
	} {
		for count := 2; count <= MaxShards; count++ {
			sizes := make([]int, count)
			for i := range int64(pbxs) {
				owners := 0
				for index := range count {
					if (Shard{index, count}).Has("main", id(i)) {
						sizes[index]++
						owners++
					}
				}
				if owners != 1 {
					t.Fatalf("%s: PBX %d is in %d of %d shards, want 1", name, id(i), owners, count)
				}
				if count > 8 && i > pbxs/8 {
					break // This is enough to see that they are distinct; sizes are checked for fewer shards.
				}
			}
			for index, size := range sizes {
				if even := pbxs / count; count <= 8 && (size < even*9/10 || size > even*11/10) {
					t.Errorf("%s: shard %d of %d has %d PBXs, want about %d", name, index, count, size, even)
				}
			}
		}
	}
	if !(Shard{}).Has("main", 1) || !(Shard{0, 1}).Has("main", 1) {
		t.Error("the only shard lacks a PBX")
	}
}

// A PBX must not move to another shard with another version of the exporter.
func TestShardHashNeverChanges(t *testing.T) {
	for _, c := range []struct {
		account string
		id      int64
		want    uint32
	}{{"", 0, 0x2525cd83}, {"main", 0, 0xd7ff6fb9}, {"main", 1, 0x376e5370}, {"main", 100_000, 0x5483cc0f}, {"main", -1, 0x4e74c3f0}, {"main2", 1, 0xbab30b67}, {"Zürich", 1 << 40, 0xa9261dce}} {
		if got := Hash(c.account, c.id); got != c.want {
			t.Errorf("Hash(%q, %d) = %#08x, want %#08x", c.account, c.id, got, c.want)
		}
	}
}
