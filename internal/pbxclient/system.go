package pbxclient

import (
	"context"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

const systemInformation path = "system/information"

// SystemInformation is what a PBX reports about itself ("Query PBX Information").
type SystemInformation struct {
	FirmwareVersion string
	Uptime          yeastar.Int // seconds since the PBX started
}

type deviceRecord struct {
	FirmwareVersion yeastar.Text  `json:"firmware_version"`
	Uptime          yeastar.Count `json:"up_time"`
}

var deviceFields = yeastar.FieldsOf[deviceRecord, SystemInformation]()

// SystemInformation queries the firmware and up-time of the PBX. What it does not report is empty, or yeastar.Absent.
func (c *Client) SystemInformation(ctx context.Context) (system SystemInformation, err error) {
	device, err := fetchOne[deviceRecord](ctx, c, systemInformation)
	if err != nil {
		return system, err
	}
	deviceFields.Copy(&system, &device, nil)
	const longest = 100 * 365 * 24 * 3600 // More than a hundred years is not plausible.
	if system.Uptime > longest {
		system.Uptime = yeastar.Absent
	}
	return system, nil
}
