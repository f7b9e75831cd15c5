package ycmclient

import (
	"context"
	"net/url"
	"strconv"
	"strings"
)

// Region is where PBXs can be launched. The list of Cloud PBXs names regions, the list of firmwares has their ids.
type Region struct {
	ID   int64
	Name string
}

// Regions asks for the account's regions ("Query Available Regions").
func (c *Client) Regions(ctx context.Context) ([]Region, error) {
	type wire struct {
		ID   number `json:"regionId"`
		Name text   `json:"region"`
	}
	rows, err := fetchList[wire](ctx, c, question{endpoint: endpointRegions, path: "v1/cluster/regions"})
	if err != nil {
		return nil, err
	}
	odd := c.observer.Unexpected
	regions := make([]Region, 0, len(rows))
	for i := range rows {
		if id, ok := rows[i].ID.id("regionId", odd); ok {
			regions = append(regions, Region{ID: id, Name: string(rows[i].Name.get("region", odd))})
		}
	}
	return regions, nil
}

// Firmware is a version that can be had in some regions.
type Firmware struct {
	VersionID int64
	Version   string
	RegionIDs []int64 // In no order, as YCM has them.
}

// Firmware asks for the firmwares of a type ("Query Available Firmwares"): pbx, and on a YCM of one's own cluster and
// cm. With regions, only those come that can be had in one of them, each with all its regions. YCM promises no order.
func (c *Client) Firmware(ctx context.Context, typ string, regionIDs ...int64) ([]Firmware, error) {
	type wire struct {
		VersionID number  `json:"versionId"`
		Version   text    `json:"version"`
		RegionIDs numbers `json:"regionIds"`
	}
	query := url.Values{"type": {typ}}
	if len(regionIDs) > 0 {
		ids := make([]string, len(regionIDs))
		for i, id := range regionIDs {
			ids[i] = strconv.FormatInt(id, 10)
		}
		query.Set("regionIds", strings.Join(ids, ","))
	}
	rows, err := fetchList[wire](ctx, c, question{endpoint: endpointFirmware, path: "v1/firmware", query: query})
	if err != nil {
		return nil, err
	}
	odd := c.observer.Unexpected
	firmwares := make([]Firmware, 0, len(rows))
	for i := range rows {
		id, ok := rows[i].VersionID.id("versionId", odd)
		if !ok {
			continue
		}
		firmware := Firmware{VersionID: id, Version: string(rows[i].Version.get("version", odd))}
		for _, region := range rows[i].RegionIDs {
			if id, ok := region.id("regionIds", odd); ok {
				firmware.RegionIDs = append(firmware.RegionIDs, id)
			}
		}
		firmwares = append(firmwares, firmware)
	}
	return firmwares, nil
}
