package pbxclient

import (
	"context"

	"github.com/ycm-exporter/ycm_exporter/yeastar"
)

// SystemInformation is what a PBX says of itself ("Query PBX Information").
type SystemInformation struct {
	DeviceName, SN, FirmwareVersion string

	Uptime    yeastar.Int // seconds since the PBX started
	Timestamp yeastar.Int // the PBX's clock, unix seconds
}

const (
	maxUptime = 100 * 365 * 24 * 3600 // more is rubbish
	maxTime   = 1e11                  // the year 5138; from there on a time is in milliseconds
)

// SystemInformation asks the PBX for its name, serial number, firmware and up-time. What it does not tell is empty,
// or yeastar.Absent.
func (c *Client) SystemInformation(ctx context.Context) (SystemInformation, error) {
	type device struct {
		DeviceName      text   `json:"device_name"`
		SN              text   `json:"sn"`
		FirmwareVersion text   `json:"firmware_version"`
		Uptime          number `json:"up_time"`
		Timestamp       number `json:"timestamp"`
	}
	answer, err := fetch[struct {
		Data list[device] `json:"data"`
	}](ctx, c, systemInformation, nil)
	if err != nil {
		return SystemInformation{}, err
	}
	if len(answer.Data.items) != 1 {
		return SystemInformation{}, c.invalid(systemInformation, "the answer does not describe one PBX")
	}
	d := answer.Data.items[0]
	if d.Timestamp.v >= maxTime {
		d.Timestamp.v /= 1000
	}
	return SystemInformation{
		DeviceName:      string(d.DeviceName),
		SN:              string(d.SN),
		FirmwareVersion: string(d.FirmwareVersion),
		Uptime:          d.Uptime.between(0, maxUptime),
		Timestamp:       d.Timestamp.between(1, maxTime),
	}, nil
}
