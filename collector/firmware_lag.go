package collector

import (
	"slices"
	"strings"

	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// catalogue is the versions of PBX firmware that are listed for each region. It does not change once made. The list
// of PBXs has the names of regions, the list of firmware their ids: regions joins the two.
type catalogue struct {
	versions map[string][]version // of a region by its folded name; from old to new, distinct
}

// newCatalogue joins regions and firmware. Versions that cannot be compared are left out. Two regions whose names are
// the same but for case are one, with the versions of both.
func newCatalogue(regions []ycmclient.Region, firmware []ycmclient.Firmware) *catalogue {
	byID := map[int64][]version{}
	for _, f := range firmware {
		v, ok := parseVersion(f.Version)
		if !ok {
			continue
		}
		for _, id := range f.RegionIDs {
			byID[id] = append(byID[id], v)
		}
	}
	c := &catalogue{versions: map[string][]version{}}
	for _, r := range regions {
		name := fold(r.Name)
		c.versions[name] = append(c.versions[name], byID[r.ID]...)
	}
	for name, versions := range c.versions {
		slices.SortFunc(versions, version.compare)
		c.versions[name] = slices.CompactFunc(versions, slices.Equal)
	}
	return c
}

// fold makes a region's name comparable: the API spells China(GuangDong) also China(Guangdong).
func fold(region string) string { return strings.ToLower(strings.TrimSpace(region)) }

// behind counts the versions listed for the region that are newer than the given one, which need not be listed
// itself. It is not ok where there is nothing to compare with: the region is unknown, nothing is listed for it, or
// the version is not made of numbers.
func (c *catalogue) behind(region, has string) (count int, ok bool) {
	versions := c.versions[fold(region)]
	if len(versions) == 0 {
		return 0, false
	}
	v, ok := parseVersion(has)
	if !ok {
		return 0, false
	}
	older, found := slices.BinarySearchFunc(versions, v, version.compare)
	if found {
		older++
	}
	return len(versions) - older, true
}

// servedFirmware finds the firmware that is being served, and joins it with the regions once.
type servedFirmware struct {
	account   Account
	reading   *firmwareReading // that the catalogue is made of
	catalogue *catalogue
}

// get is the catalogue; nil if no firmware is served, or none of PBXs.
func (f *servedFirmware) get() *catalogue {
	p := f.account.pollers.firmware
	if p == nil || !f.account.serving(Firmware) {
		return nil
	}
	if r := p.reading.Load(); r != f.reading {
		f.reading, f.catalogue = r, nil
		if listed, ok := r.Firmware[pbxFirmware]; ok {
			f.catalogue = newCatalogue(r.Regions, listed)
		}
	}
	return f.catalogue
}

// release is what a PBX's place in the catalogue depends on.
type release struct{ region, version string }

// lag is how many versions behind its region's newest each release of a fleet is. A release that cannot be placed is
// not in it.
type lag map[release]int

// lagOf looks up each release of the fleet once: a large fleet runs few of them. Without a catalogue nothing is known.
func lagOf(c *catalogue, pbxs []ycmclient.CloudPBX) lag {
	if c == nil {
		return nil
	}
	placed, seen := lag{}, map[release]struct{}{}
	for i := range pbxs {
		r := release{pbxs[i].Region, pbxs[i].Version}
		if _, again := seen[r]; again {
			continue
		}
		seen[r] = struct{}{}
		if count, ok := c.behind(r.region, r.version); ok {
			placed[r] = count
		}
	}
	return placed
}
