package pbxclient

import (
	"context"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

const systemCapacity path = "system/capacity"

// Capacity is the capacity of a PBX and how much of it is used ("Query PBX Capacity"). What it does not report is yeastar.Absent.
type Capacity struct {
	Extensions, Calls Quota
	// The AI functions, in seconds: once for all, and in packs that were bought.
	TranscriptionOnetime, TranscriptionPack, ReceptionistOnetime, ReceptionistPack Quota
}

// Quota is how much there is of something, and how much of it is used.
type Quota struct{ Capacity, Used yeastar.Int }

type capacityRecord struct {
	ExtensionCapacity            yeastar.Number `json:"extension_capacity"`
	ExtensionUsed                yeastar.Number `json:"extension_used"`
	CallCapacity                 yeastar.Number `json:"cc_capacity"`
	CallUsed                     yeastar.Number `json:"cc_used"`
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
	quota := func(capacity, used yeastar.Number) Quota { return Quota{capacity.Count("", nil), used.Count("", nil)} }
	return Capacity{
		Extensions:           quota(f.ExtensionCapacity, f.ExtensionUsed),
		Calls:                quota(f.CallCapacity, f.CallUsed),
		TranscriptionOnetime: quota(f.TranscriptionOnetimeCapacity, f.TranscriptionOnetimeUsed),
		TranscriptionPack:    quota(f.TranscriptionPackCapacity, f.TranscriptionPackUsed),
		ReceptionistOnetime:  quota(f.ReceptionistOnetimeCapacity, f.ReceptionistOnetimeUsed),
		ReceptionistPack:     quota(f.ReceptionistPackCapacity, f.ReceptionistPackUsed),
	}, nil
}
