package collector

import (
	"cmp"
	"context"
	"fmt"
	"strconv"

	"github.com/ycm-exporter/ycm_exporter/exposition"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// pbxFirmware is the type of firmware that PBXs run.
const pbxFirmware = "pbx"

// firmware asks which firmware can be had where.
type firmware struct {
	account string
	client  *ycmclient.Client
	known   *knowledge
	types   []string
}

// offer is what one poll learned: regions, and firmware by type.
type offer struct {
	regions  []ycmclient.Region
	firmware map[string][]ycmclient.Firmware
}

// Poll asks for the regions and for the firmware of each type, and remembers what PBXs can be upgraded to, if that was
// asked for.
func (f *firmware) Poll(ctx context.Context, progress func(done, total int)) (exposition.Source, error) {
	regions, err := f.client.Regions(ctx)
	if err != nil {
		return nil, err
	}
	o := offer{regions: regions, firmware: map[string][]ycmclient.Firmware{}}
	for i, kind := range f.types {
		progress(i+1, len(f.types)+1)
		if o.firmware[kind], err = f.client.Firmware(ctx, kind); err != nil {
			return nil, fmt.Errorf("firmware of type %s: %w", kind, err)
		}
	}
	var c *catalogue
	if listed, ok := o.firmware[pbxFirmware]; ok {
		c = newCatalogue(regions, listed)
	}
	f.known.firmware.Store(c)
	return newSheet(f.account, firmwareColumns(), &o), nil
}

// firmwareColumns declares what is known of firmware (Query Available Firmwares) and regions (Query Available Regions).
func firmwareColumns() []column[offer] {
	return []column[offer]{
		{
			name:   "ycm_region_info",
			help:   "A region in which Cloud PBXs can be, always 1, with its id (regionId) and name (region).",
			labels: []string{"region", "region_id"},
			read: func(o *offer, labels []string, sample func(float64)) {
				for id, name := range o.names() {
					labels[0], labels[1] = name, decimal(id)
					sample(1)
				}
			},
		},
		{
			name:   "ycm_firmware_available",
			help:   "A firmware version (version, versionId) that can be had in a region (regionIds), always 1; the region is empty where only its id is known.",
			labels: []string{"firmware_type", "region", "region_id", "version", "version_id"},
			read: func(o *offer, labels []string, sample func(float64)) {
				names := o.names()
				for kind, listed := range o.firmware {
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
			name:   "ycm_firmware_latest_info",
			help:   "The newest firmware version (version) that can be had in a region, compared number by number, always 1.",
			labels: []string{"firmware_type", "region", "region_id", "version"},
			read: func(o *offer, labels []string, sample func(float64)) {
				names := o.names()
				for kind, listed := range o.firmware {
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
func (o *offer) names() map[int64]string {
	names := map[int64]string{}
	for _, r := range o.regions {
		if names[r.ID] == "" {
			names[r.ID] = r.Name
		}
	}
	return names
}

// newest is the newest version of each region. Versions that cannot be compared do not count; of two ways to write
// the same one, say 84.8 and 84.8.0, it is always the same whatever their order.
func newest(listed []ycmclient.Firmware) map[int64]string {
	type candidate struct {
		numbers version
		text    string
	}
	best := map[int64]candidate{}
	for _, f := range listed {
		numbers, ok := parseVersion(f.Version)
		if !ok {
			continue
		}
		for _, id := range f.RegionIDs {
			b, found := best[id]
			if !found || cmp.Or(numbers.compare(b.numbers), cmp.Compare(f.Version, b.text)) > 0 {
				best[id] = candidate{numbers, f.Version}
			}
		}
	}
	texts := make(map[int64]string, len(best))
	for id, b := range best {
		texts[id] = b.text
	}
	return texts
}
