package pbxclient

import (
	"context"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

const (
	systemInformation path = "system/information"
	systemCapacity    path = "system/capacity"
)

// SystemInformation is what a PBX reports about itself ("Query PBX Information").
type SystemInformation struct {
	FirmwareVersion string      `api:"firmware_version"`
	Uptime          yeastar.Int `api:"up_time"` // seconds since the PBX started
}

// SystemInformation queries the firmware and up-time of the PBX. What it does not report is empty, or yeastar.Absent.
func (c *Client) SystemInformation(ctx context.Context) (SystemInformation, error) {
	return fetchOne[SystemInformation](ctx, c, systemInformation)
}

// Capacity is what a PBX has of the AI functions and how much of it is used ("Query PBX Capacity"), in seconds: given once, and in
// packs that were bought. What the PBX does not report is yeastar.Absent.
type Capacity struct {
	TranscriptionOnetime Quota `api:"ai_transcription_onetime_"`
	TranscriptionPack    Quota `api:"ai_transcription_pack_"`
	ReceptionistOnetime  Quota `api:"ai_receptionist_onetime_"`
	ReceptionistPack     Quota `api:"ai_receptionist_pack_"`
}

// Quota is how much there is of something, and how much of it is used.
type Quota struct {
	Capacity yeastar.Int `api:"capacity"`
	Used     yeastar.Int `api:"used"`
}

// Capacity queries the capacity of the PBX.
func (c *Client) Capacity(ctx context.Context) (Capacity, error) {
	return fetchOne[Capacity](ctx, c, systemCapacity)
}
