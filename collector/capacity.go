package collector

import (
	"context"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/internal/series"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// capacity queries the capacity of each Running PBX, and how much of it is used.
func capacity() Collector {
	return ofEachPBX("capacity", off(time.Hour), capacityColumns(), func(ctx context.Context, c *pbxclient.Client) (pbxclient.Capacity, error) {
		return c.Capacity(ctx)
	}, false)
}

// capacityColumns declares what a PBX reports of its AI functions (Query PBX Capacity).
func capacityColumns() []series.Column[pbxclient.Capacity] {
	column := func(name, help string, figure func(pbxclient.Quota) yeastar.Int) series.Column[pbxclient.Capacity] {
		return series.Column[pbxclient.Capacity]{
			Name: name, Help: help + ", in seconds; feature is transcription or receptionist, quota is onetime or pack (ai_transcription_onetime, ai_transcription_pack, ai_receptionist_onetime, ai_receptionist_pack). Absent where the firmware does not report it.",
			Labels: []string{"feature", "quota"},
			Read: func(r *pbxclient.Capacity, labels []string, sample func(float64)) {
				for _, q := range []struct {
					feature, quota string
					figures        pbxclient.Quota
				}{
					{"receptionist", "onetime", r.ReceptionistOnetime},
					{"receptionist", "pack", r.ReceptionistPack},
					{"transcription", "onetime", r.TranscriptionOnetime},
					{"transcription", "pack", r.TranscriptionPack},
				} {
					if seconds, ok := figure(q.figures).Get(); ok {
						labels[0], labels[1] = q.feature, q.quota
						sample(float64(seconds))
					}
				}
			},
		}
	}
	return []series.Column[pbxclient.Capacity]{
		column("ycm_cloud_pbx_ai_capacity_seconds", "AI transcription and receptionist that the Cloud PBX may use, given once and bought in packs",
			func(q pbxclient.Quota) yeastar.Int { return q.Capacity }),
		column("ycm_cloud_pbx_ai_used_seconds", "AI transcription and receptionist that the Cloud PBX has used of what was given once and bought in packs",
			func(q pbxclient.Quota) yeastar.Int { return q.Used }),
	}
}
