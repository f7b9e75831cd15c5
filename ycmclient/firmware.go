package ycmclient

import (
	"context"
	"net/url"
	"strconv"
	"strings"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// The names of the endpoints of regions and firmware in errors and metrics.
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

// Regions queries the account's regions ("Query Available Regions").
func (c *Client) Regions(ctx context.Context) ([]Region, error) {
	rows, err := fetchData[yeastar.List[regionWire]](ctx, c, request{endpoint: EndpointRegions, path: "v1/cluster/regions"})
	if err != nil {
		return nil, err
	}
	unexpected := c.observer.Unexpected
	var regions []Region
	for _, row := range rows.Items {
		if id, ok := row.ID.ID("regionId", unexpected); ok {
			regions = append(regions, Region{ID: id, Name: string(row.Name.Get("region", unexpected))})
		}
	}
	return regions, nil
}

// Firmware is a version that is available in some regions.
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

// Firmware queries the firmwares of a type ("Query Available Firmwares"): pbx, and on a self-hosted YCM cluster and cm. With regions,
// only those come that are available in one of them, each with all its regions. YCM promises no order.
func (c *Client) Firmware(ctx context.Context, typ string, regionIDs ...int64) ([]Firmware, error) {
	query := url.Values{"type": {typ}}
	if len(regionIDs) > 0 {
		ids := make([]string, len(regionIDs))
		for i, id := range regionIDs {
			ids[i] = strconv.FormatInt(id, 10)
		}
		query.Set("regionIds", strings.Join(ids, ","))
	}
	rows, err := fetchData[yeastar.List[firmwareWire]](ctx, c, request{endpoint: EndpointFirmware, path: "v1/firmware", query: query})
	if err != nil {
		return nil, err
	}
	unexpected := c.observer.Unexpected
	var firmwares []Firmware
	for _, row := range rows.Items {
		id, ok := row.VersionID.ID("versionId", unexpected)
		if !ok {
			continue
		}
		firmware := Firmware{VersionID: id, Version: string(row.Version.Get("version", unexpected))}
		if row.RegionIDs.Problem() != "" && !row.RegionIDs.Absent() {
			unexpected("regionIds")
			row.RegionIDs.Items = nil
		}
		for _, n := range row.RegionIDs.Items {
			if id, ok := n.ID("regionIds", unexpected); ok {
				firmware.RegionIDs = append(firmware.RegionIDs, id)
			}
		}
		firmwares = append(firmwares, firmware)
	}
	return firmwares, nil
}
