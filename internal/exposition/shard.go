package exposition

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
)

// MaxShards is the most shards that a scrape may request.
const MaxShards = 64

// A Shard is one of Count parts of a source. The zero value, like any with a Count below 2, is all of it.
type Shard struct{ Index, Count int }

// Has reports whether a PBX belongs to the shard. What is not per PBX belongs to the shard with Index 0.
func (s Shard) Has(account string, id int64) bool {
	return s.Count < 2 || Hash(account, id)%uint32(s.Count) == uint32(s.Index)
}

// Hash spreads PBXs over shards. It is part of the contract: it never changes, as a PBX that moved to another shard
// would leave its series behind at the Prometheus that had it. It is FNV-1a over the account's bytes, a zero byte
// and the eight bytes of the id, least significant first, with its bits mixed at the end.
func Hash(account string, id int64) uint32 {
	const offset, prime = 2166136261, 16777619
	h := uint32(offset)
	for i := range len(account) {
		h = (h ^ uint32(account[i])) * prime
	}
	h *= prime
	for range 8 {
		h = (h ^ uint32(id&0xff)) * prime
		id >>= 8
	}
	// FNV's low bits depend on the low bits of its input alone; these shifts mix in the high ones.
	h = (h ^ h>>16) * 0x85ebca6b
	h = (h ^ h>>13) * 0xc2b2ae35
	return h ^ h>>16
}

// parse reads the parameters of a scrape. Unknown ones are ignored, because they may be meant for a proxy.
func parse(rawQuery string) (*scrape, error) {
	query, err := url.ParseQuery(rawQuery)
	if err != nil {
		return nil, fmt.Errorf("invalid query: %w", err)
	}
	s := &scrape{account: query.Get("account")}
	if query.Has("account") && (s.account == "" || len(query["account"]) > 1) {
		return nil, errors.New("account must name one account: ?account=NAME; omit it for all accounts")
	}
	if query.Has("shard") || query.Has("shards") {
		index, indexErr := strconv.Atoi(query.Get("shard"))
		count, countErr := strconv.Atoi(query.Get("shards"))
		if indexErr != nil || countErr != nil || index < 0 || index >= count || count > MaxShards || len(query["shard"]) > 1 || len(query["shards"]) > 1 {
			return nil, fmt.Errorf("shards must be from 1 to %d, and shard from 0 to shards - 1, for example ?shard=0&shards=4", MaxShards)
		}
		if count > 1 {
			s.shard = Shard{Index: index, Count: count}
		}
	}
	return s, nil
}
