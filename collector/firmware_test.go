package collector

import (
	"slices"
	"testing"

	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// An answer of a few megabytes lists 330 versions in 9,998 regions each: 3.3 million series, if nothing bounds them.
func TestFirmwareOfAHostileAnswerIsBounded(t *testing.T) {
	ids := make([]int64, 9_998)
	for i := range ids {
		ids[i] = int64(i)
	}
	r := firmwareReading{Firmware: map[string][]ycmclient.Firmware{}}
	for _, kind := range []string{"pbx", "cm"} {
		for i := range 330 {
			r.Firmware[kind] = append(r.Firmware[kind], ycmclient.Firmware{VersionID: int64(i), RegionIDs: slices.Clone(ids)})
		}
	}
	r.bound([]string{"pbx", "cm"})
	pairs := 0
	for _, listed := range r.Firmware {
		for _, f := range listed {
			pairs += len(f.RegionIDs)
		}
	}
	if pairs != maxFirmware || !r.Truncated {
		t.Errorf("%d pairs of version and region are kept, truncated %v; want %d and true", pairs, r.Truncated, maxFirmware)
	}

	few := firmwareReading{Firmware: map[string][]ycmclient.Firmware{"pbx": {{RegionIDs: []int64{1, 2, 3}}}}}
	few.bound([]string{"pbx"})
	if few.Truncated || len(few.Firmware["pbx"][0].RegionIDs) != 3 {
		t.Errorf("three pairs became %+v", few)
	}
}
