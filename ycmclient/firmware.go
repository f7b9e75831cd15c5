package ycmclient

import (
	"context"
	"net/url"
)

// The names of the endpoints of regions and firmware in errors and metrics.
const (
	EndpointRegions  = "regions"
	EndpointFirmware = "firmware"
)

// Region is where PBXs can be launched. The list of Cloud PBXs names regions, the list of firmwares has their ids.
type Region struct {
	ID   int64  `api:"regionId"`
	Name string `api:"region"`
}

// Regions queries the account's regions ("Query Available Regions").
func (c *Client) Regions(ctx context.Context) ([]Region, error) {
	return fetchList[Region](ctx, c, request{endpoint: EndpointRegions, path: "v1/cluster/regions"})
}

// Firmware is a version that is available in some regions.
type Firmware struct {
	VersionID int64   `api:"versionId"`
	Version   string  `api:"version"`
	RegionIDs []int64 `api:"regionIds"` // In no order, as YCM has them.
}

// Firmware queries the firmwares of a type ("Query Available Firmwares"): pbx, and on a self-hosted YCM cluster and cm. YCM promises no
// order.
func (c *Client) Firmware(ctx context.Context, typ string) ([]Firmware, error) {
	return fetchList[Firmware](ctx, c, request{endpoint: EndpointFirmware, path: "v1/firmware", query: url.Values{"type": {typ}}})
}
