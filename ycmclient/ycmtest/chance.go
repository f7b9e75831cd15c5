package ycmtest

// world is what the seed makes: each PBX is a pure function of the seed, its id and the time, and so are its calls
// and its misfortunes.
type world struct {
	seed     uint64
	epoch    int64 // unix seconds
	live     bool
	healthy  bool
	size     int64 // of the fleet at the start
	users    int
	versions [][]string // offered in each region, newest first
}

// topic keeps the throws for one property of a PBX apart from those for another.
type topic uint64

const (
	aboutGap topic = iota + 1
	aboutName
	aboutRegion
	aboutState
	aboutType
	aboutPlan
	aboutPlanEnd
	aboutEnd
	aboutSize
	aboutExtensions
	aboutCalls
	aboutNoise
	aboutRecording
	aboutBackup
	aboutVersion
	aboutGroup
	aboutFeatures
	aboutShape
	aboutStart
	aboutEvent
	aboutUpgrade
	aboutTrunks
	aboutLink
	aboutOwner
	_
	aboutDevices
	aboutSite
	aboutMinutes
)

// throw is a die: the same seed, topic and numbers always fall the same.
func (w world) throw(t topic, numbers ...int64) uint64 {
	x := mix(w.seed ^ uint64(t)<<56)
	for _, n := range numbers {
		x = mix(x ^ uint64(n))
	}
	return x
}

// below is a throw from 0 to n-1.
func (w world) below(n int64, t topic, numbers ...int64) int64 {
	return int64(w.throw(t, numbers...) % uint64(n))
}

// spokes is the size of a wheel. It is a prime, so that every multiplier shuffles it.
const spokes = 61

// wheel gives each PBX a place from 0 to 60. Any 61 PBXs that follow one another from a multiple of 61 have one
// place each, in an order of chance: so what is given to k places is true of k in 61, even in a small fleet.
func (w world) wheel(t topic, ordinal int64) int64 {
	turn, place := ordinal/spokes, ordinal%spokes
	factor, shift := 1+w.below(spokes-1, t, turn, 1), w.below(spokes, t, turn, 2)
	return (place*factor + shift) % spokes
}

// mix is the finalizer of SplitMix64.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
