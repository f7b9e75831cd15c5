package ycmclient

import (
	"context"
	"net/url"
	"strconv"
	"strings"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// The endpoints of regions and of firmware, as errors and metrics name them.
const (
	EndpointRegions  = "regions"
	EndpointFirmware = "firmware"
)

// Region is where PBXs can be launched. The list of Cloud PBXs names regions, the list of firmwares has their ids.
type Region struct {
	ID   int64
	Name string
}

type regionWire struct {
	ID   yeastar.Number `json:"regionId"`
	Name yeastar.Text   `json:"region"`
}

// Regions asks for the account's regions ("Query Available Regions").
func (c *Client) Regions(ctx context.Context) ([]Region, error) {
	rows, err := fetchList[regionWire](ctx, c, request{endpoint: EndpointRegions, path: "v1/cluster/regions"})
	if err != nil {
		return nil, err
	}
	unexpected := c.observer.Unexpected
	regions := make([]Region, 0, len(rows))
	for i := range rows {
		if id, ok := rows[i].ID.ID("regionId", unexpected); ok {
			regions = append(regions, Region{ID: id, Name: string(rows[i].Name.Get("region", unexpected))})
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

type firmwareWire struct {
	VersionID yeastar.Number               `json:"versionId"`
	Version   yeastar.Text                 `json:"version"`
	RegionIDs yeastar.List[yeastar.Number] `json:"regionIds"`
}

// Firmware asks for the firmwares of a type ("Query Available Firmwares"): pbx, and on a YCM of one's own cluster and
// cm. With regions, only those come that can be had in one of them, each with all its regions. YCM promises no order.
func (c *Client) Firmware(ctx context.Context, typ string, regionIDs ...int64) ([]Firmware, error) {
	query := url.Values{"type": {typ}}
	if len(regionIDs) > 0 {
		ids := make([]string, len(regionIDs))
		for i, id := range regionIDs {
			ids[i] = strconv.FormatInt(id, 10)
		}
		query.Set("regionIds", strings.Join(ids, ","))
	}
	rows, err := fetchList[firmwareWire](ctx, c, request{endpoint: EndpointFirmware, path: "v1/firmware", query: query})
	if err != nil {
		return nil, err
	}
	unexpected := c.observer.Unexpected
	firmwares := make([]Firmware, 0, len(rows))
	for i := range rows {
		id, ok := rows[i].VersionID.ID("versionId", unexpected)
		if !ok {
			continue
		}
		firmware := Firmware{VersionID: id, Version: string(rows[i].Version.Get("version", unexpected))}
		firmware.RegionIDs = readIDs(rows[i].RegionIDs, "regionIds", unexpected)
		firmwares = append(firmwares, firmware)
	}
	return firmwares, nil
}

// readIDs returns the ids of a list. One that is too long has none.
func readIDs(list yeastar.List[yeastar.Number], field string, unexpected yeastar.Unexpected) []int64 {
	if list.Problem() != "" && !list.Absent() {
		unexpected(field)
		return nil
	}
	var all []int64
	for _, n := range list.Items {
		if id, ok := n.ID(field, unexpected); ok {
			all = append(all, id)
		}
	}
	return all
}
