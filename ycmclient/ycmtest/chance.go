package ycmtest

// world makes the fleet: each PBX is a pure function of the seed, its id and the time.
type world struct {
	seed     uint64
	epoch    int64 // unix seconds
	live     bool
	healthy  bool
	size     int64 // of the fleet at the start
	users    int
	versions [][]string // offered in each region, newest first
}

// topic makes the random numbers of the properties of a PBX independent of each other.
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

// random returns a random number that is always the same for the same seed, topic and numbers.
func (w world) random(t topic, numbers ...int64) uint64 {
	x := mix(w.seed ^ uint64(t)<<56)
	for _, n := range numbers {
		x = mix(x ^ uint64(n))
	}
	return x
}

// below returns a random number from 0 to n-1.
func (w world) below(n int64, t topic, numbers ...int64) int64 {
	return int64(w.random(t, numbers...) % uint64(n))
}

// spokes is the size of the wheel. It is a prime, so that every factor shuffles it.
const spokes = 61

// wheel returns the place of a PBX, from 0 to 60. Of 61 PBXs in a row, from a multiple of 61, each has another place in random
// order: a property of k places is one of k in 61 PBXs, even in a small fleet.
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
