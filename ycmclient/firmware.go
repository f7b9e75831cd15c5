package ycmclient

import (
	"context"
	"net/url"

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
	ID   identifier   `json:"regionId"`
	Name yeastar.Text `json:"region"`
}

var regionRows = rows[regionWire, Region]{fieldsOf[regionWire, Region](), func(r *Region) int64 { return r.ID }}

// Regions queries the account's regions ("Query Available Regions").
func (c *Client) Regions(ctx context.Context) ([]Region, error) {
	return fetchRows(ctx, c, request{endpoint: EndpointRegions, path: "v1/cluster/regions"}, regionRows)
}

// Firmware is a version that is available in some regions.
type Firmware struct {
	VersionID int64
	Version   string
	RegionIDs []int64 // In no order, as YCM has them.
}

type firmwareWire struct {
	VersionID identifier   `json:"versionId"`
	Version   yeastar.Text `json:"version"`
	RegionIDs identifiers  `json:"regionIds"`
}

var firmwareRows = rows[firmwareWire, Firmware]{fieldsOf[firmwareWire, Firmware](), func(f *Firmware) int64 { return f.VersionID }}

// Firmware queries the firmwares of a type ("Query Available Firmwares"): pbx, and on a self-hosted YCM cluster and cm. YCM promises no
// order.
func (c *Client) Firmware(ctx context.Context, typ string) ([]Firmware, error) {
	return fetchRows(ctx, c, request{endpoint: EndpointFirmware, path: "v1/firmware", query: url.Values{"type": {typ}}}, firmwareRows)
}
