package collector

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/series"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// pbxFirmware is the type of firmware that PBXs run.
const pbxFirmware = "pbx"

// firmwareSettings is which types of firmware are queried.
type firmwareSettings struct {
	Types []string `yaml:"types"` // of pbx, cluster and cm (the page "Query Available Firmwares")
}

// Check implements Settings.
func (s *firmwareSettings) Check() (problems []Problem) {
	if len(s.Types) == 0 {
		return []Problem{{Path: "types", Message: "is empty; write pbx, cluster or cm, or disable the collector (enabled: false)"}}
	}
	for i, kind := range s.Types {
		path := fmt.Sprintf("types[%d]", i)
		switch {
		case !slices.Contains([]string{pbxFirmware, "cluster", "cm"}, kind):
			problems = append(problems, Problem{Path: path, Message: "must be pbx, cluster or cm"})
		case slices.Contains(s.Types[:i], kind):
			problems = append(problems, Problem{Path: path, Message: "is a duplicate; delete it"})
		}
	}
	return problems
}

// firmwareReading is the result of one poll: regions, and firmware by type.
type firmwareReading struct {
	Regions  []ycmclient.Region
	Firmware map[string][]ycmclient.Firmware
}

// maxFirmware is how many pairs of version and region are exported. A YCM has some hundreds; an answer of a few megabytes could
// make millions of series.
const maxFirmware = 20_000

// firmware queries which firmware is available in which region.
func firmware() Collector {
	c := ofAccount(Firmware, on(time.Hour), firmwareColumns(), queryFirmware, ycmclient.EndpointRegions, ycmclient.EndpointFirmware)
	c.Settings = func() Settings { return &firmwareSettings{Types: []string{pbxFirmware}} }
	return c
}

func queryFirmware(ctx context.Context, a Account) (r firmwareReading, err error) {
	if r.Regions, err = a.YCM.Regions(ctx); err != nil {
		return r, err
	}
	r.Firmware = map[string][]ycmclient.Firmware{}
	types, pairs := a.Settings.(*firmwareSettings).Types, 0
	for i, kind := range types {
		a.Progress(i+1, len(types)+1)
		if r.Firmware[kind], err = a.YCM.Firmware(ctx, kind); err != nil {
			return r, fmt.Errorf("firmware of type %s: %w", kind, err)
		}
		for _, f := range r.Firmware[kind] {
			pairs += len(f.RegionIDs)
		}
	}
	if pairs > maxFirmware {
		return r, &yeastar.Error{
			Account: a.Name, Endpoint: ycmclient.EndpointFirmware, Class: yeastar.Invalid,
			Message: fmt.Sprintf("YCM lists more than %d pairs of firmware version and region", maxFirmware),
		}
	}
	return r, nil
}

// firmwareColumns declares what is known of firmware (Query Available Firmwares) and regions (Query Available Regions).
func firmwareColumns() []series.Column[firmwareReading] {
	return []series.Column[firmwareReading]{
		{
			Name:   "ycm_region_info",
			Help:   "Region for Cloud PBXs, with its id and name; value is always 1.",
			Labels: []string{"region", "region_id"},
			Read: func(r *firmwareReading, labels []string, sample func(float64)) {
				for id, name := range r.names() {
					labels[0], labels[1] = name, decimal(id)
					sample(1)
				}
			},
		},
		{
			Name:   "ycm_firmware_available",
			Help:   "Firmware version available in a region; value is always 1. The label region is empty if YCM lists only the id of the region.",
			Labels: []string{"firmware_type", "region", "region_id", "version", "version_id"},
			Read: func(r *firmwareReading, labels []string, sample func(float64)) {
				names := r.names()
				for kind, listed := range r.Firmware {
					for _, f := range listed {
						for _, id := range f.RegionIDs {
							copy(labels, []string{kind, names[id], decimal(id), f.Version, decimal(f.VersionID)})
							sample(1)
						}
					}
				}
			},
		},
		{
			Name:   "ycm_firmware_latest_info",
			Help:   "Newest firmware version available in a region; value is always 1.",
			Labels: []string{"firmware_type", "region", "region_id", "version"},
			Read: func(r *firmwareReading, labels []string, sample func(float64)) {
				names := r.names()
				for kind, listed := range r.Firmware {
					for id, version := range newest(listed) {
						copy(labels, []string{kind, names[id], decimal(id), version})
						sample(1)
					}
				}
			},
		},
	}
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

// names is the regions by id. Of a region that is listed twice the first name counts.
func (r *firmwareReading) names() map[int64]string {
	names := map[int64]string{}
	for _, region := range r.Regions {
		if names[region.ID] == "" {
			names[region.ID] = region.Name
		}
	}
	return names
}

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
	newestFirst := func(f, g ycmclient.Firmware) int { return -compareVersions(f.Version, g.Version) }
	for _, f := range slices.SortedFunc(slices.Values(listed), newestFirst) {
		for _, id := range f.RegionIDs {
			if _, ok := parseVersion(f.Version); ok && best[id] == "" {
				best[id] = f.Version
			}
		}
	}
	return best
}

// compareVersions orders versions number by number, and those that are no other by their text.
func compareVersions(a, b string) int {
	v, _ := parseVersion(a)
	w, _ := parseVersion(b)
	return cmp.Or(v.compare(w), cmp.Compare(a, b))
}
