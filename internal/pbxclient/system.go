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
	FirmwareVersion string
	Uptime          yeastar.Int // seconds since the PBX started
}

type deviceRecord struct {
	FirmwareVersion yeastar.Text   `json:"firmware_version"`
	Uptime          yeastar.Number `json:"up_time"`
}

// ignore drops the names of fields that cannot be read: they are absent.
func ignore(string) {}

// SystemInformation queries the firmware and up-time of the PBX. What it does not report is empty, or yeastar.Absent.
func (c *Client) SystemInformation(ctx context.Context) (system SystemInformation, err error) {
	device, err := fetchOne[deviceRecord](ctx, c, systemInformation)
	if err != nil {
		return system, err
	}
	return SystemInformation{FirmwareVersion: device.FirmwareVersion.String(), Uptime: device.Uptime.Count("", ignore)}, nil
}

// Capacity is what a PBX has of the AI functions and how much of it is used ("Query PBX Capacity"), in seconds: given once, and in
// packs that were bought. What the PBX does not report is yeastar.Absent.
type Capacity struct {
	TranscriptionOnetime, TranscriptionPack, ReceptionistOnetime, ReceptionistPack Quota
}

// Quota is how much there is of something, and how much of it is used.
type Quota struct{ Capacity, Used yeastar.Int }

type capacityRecord struct {
	TranscriptionOnetimeCapacity yeastar.Number `json:"ai_transcription_onetime_capacity"`
	TranscriptionOnetimeUsed     yeastar.Number `json:"ai_transcription_onetime_used"`
	TranscriptionPackCapacity    yeastar.Number `json:"ai_transcription_pack_capacity"`
	TranscriptionPackUsed        yeastar.Number `json:"ai_transcription_pack_used"`
	ReceptionistOnetimeCapacity  yeastar.Number `json:"ai_receptionist_onetime_capacity"`
	ReceptionistOnetimeUsed      yeastar.Number `json:"ai_receptionist_onetime_used"`
	ReceptionistPackCapacity     yeastar.Number `json:"ai_receptionist_pack_capacity"`
	ReceptionistPackUsed         yeastar.Number `json:"ai_receptionist_pack_used"`
}

// Capacity queries the capacity of the PBX.
func (c *Client) Capacity(ctx context.Context) (Capacity, error) {
	f, err := fetchOne[capacityRecord](ctx, c, systemCapacity)
	if err != nil {
		return Capacity{}, err
	}
	quota := func(capacity, used yeastar.Number) Quota {
		return Quota{capacity.Count("", ignore), used.Count("", ignore)}
	}
	return Capacity{
		TranscriptionOnetime: quota(f.TranscriptionOnetimeCapacity, f.TranscriptionOnetimeUsed),
		TranscriptionPack:    quota(f.TranscriptionPackCapacity, f.TranscriptionPackUsed),
		ReceptionistOnetime:  quota(f.ReceptionistOnetimeCapacity, f.ReceptionistOnetimeUsed),
		ReceptionistPack:     quota(f.ReceptionistPackCapacity, f.ReceptionistPackUsed),
	}, nil
}
