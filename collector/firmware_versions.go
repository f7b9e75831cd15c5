package collector

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// version is a firmware version as its numbers from left to right, so that 84.8.0 is the same as 84.8. The vendor's have four.
type version [8]uint64

// parseVersion reads numbers with dots between them. Anything else, say with a letter in it, cannot be compared
// and is not ok.
func parseVersion(s string) (v version, ok bool) {
	parts := strings.SplitN(strings.TrimSpace(s), ".", len(v)+1)
	if len(parts) > len(v) {
		return v, false
	}
	for i, part := range parts {
		n, err := strconv.ParseUint(part, 10, 64)
		if err != nil {
			return v, false
		}
		v[i] = n
	}
	return v, true
}

// compare orders versions number by number, so that 84.10 is newer than 84.9.
func (v version) compare(w version) int { return slices.Compare(v[:], w[:]) }

// release is what a PBX runs, and where.
type release struct{ region, version string }

// versionsBehind counts for each release of a fleet the versions listed for its region that are newer; its own need not be
// listed. A release is left out where there is nothing to compare with: no firmware is known, the region is unknown, nothing
// is listed for it, or the version is not made of numbers.
func versionsBehind(r *firmwareReading, pbxs []pbx) map[release]int {
	if r == nil {
		return nil
	}
	byID := map[int64][]version{}
	for _, f := range r.Firmware[pbxFirmware] {
		if v, ok := parseVersion(f.Version); ok {
			for _, id := range f.RegionIDs {
				byID[id] = append(byID[id], v)
			}
		}
	}
	listed := map[string][]version{} // of regions whose names are the same but for case together
	for _, region := range r.Regions {
		name := fold(region.Name)
		listed[name] = append(listed[name], byID[region.ID]...)
	}
	for name, versions := range listed {
		slices.SortFunc(versions, version.compare)
		listed[name] = slices.Compact(versions)
	}
	behind := map[release]int{}
	for i := range pbxs {
		has := release{pbxs[i].Region, pbxs[i].Version}
		if _, known := behind[has]; known { // A large fleet runs few releases.
			continue
		}
		versions := listed[fold(has.region)]
		v, ok := parseVersion(has.version)
		if !ok || len(versions) == 0 {
			continue
		}
		older, found := slices.BinarySearchFunc(versions, v, version.compare)
		if found {
			older++
		}
		behind[has] = len(versions) - older
	}
	return behind
}

// fold makes a region's name comparable: the API spells China(GuangDong) also China(Guangdong).
func fold(region string) string { return strings.ToLower(strings.TrimSpace(region)) }

// newest is the newest version of each region. Versions that cannot be compared do not count; of two ways to write
// the same one, say 84.8 and 84.8.0, it is always the same whatever their order.
func newest(listed []ycmclient.Firmware) map[int64]string {
	best := map[int64]string{}
	for _, f := range listed {
		v, ok := parseVersion(f.Version)
		if !ok {
			continue
		}
		for _, id := range f.RegionIDs {
			has, found := best[id]
			known, _ := parseVersion(has)
			if !found || cmp.Or(v.compare(known), cmp.Compare(f.Version, has)) > 0 {
				best[id] = f.Version
			}
		}
	}
	return best
}
