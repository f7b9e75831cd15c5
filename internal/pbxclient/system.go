package pbxclient

import (
	"context"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

const systemInformation path = "system/information"

// SystemInformation is what a PBX says of itself ("Query PBX Information").
type SystemInformation struct {
	DeviceName, SN, FirmwareVersion string

	Uptime    yeastar.Int // seconds since the PBX started
	Timestamp yeastar.Int // the PBX's clock, unix seconds
}

// maxUptime is a hundred years. More is rubbish.
const maxUptime = 100 * 365 * 24 * 3600

type deviceRecord struct {
	DeviceName      yeastar.Text   `json:"device_name"`
	SN              yeastar.Text   `json:"sn"`
	FirmwareVersion yeastar.Text   `json:"firmware_version"`
	Uptime          yeastar.Number `json:"up_time"`
	Timestamp       yeastar.Number `json:"timestamp"`
}

// SystemInformation asks the PBX for its name, serial number, firmware and up-time. What it does not tell is empty,
// or yeastar.Absent.
func (c *Client) SystemInformation(ctx context.Context) (SystemInformation, error) {
	d, err := fetchOne[deviceRecord](ctx, c, systemInformation)
	if err != nil {
		return SystemInformation{}, err
	}
	uptime := d.Uptime.Count("up_time", nil)
	if uptime > maxUptime {
		uptime = yeastar.Absent
	}
	return SystemInformation{
		DeviceName:      d.DeviceName.String(),
		SN:              d.SN.String(),
		FirmwareVersion: d.FirmwareVersion.String(),
		Uptime:          uptime,
		Timestamp:       d.Timestamp.Time("timestamp", nil),
	}, nil
}
