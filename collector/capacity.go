package collector

import (
	"context"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/internal/series"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// capacity queries the capacity of the AI functions of each Running PBX, and how much of it is used (Query PBX Capacity).
func capacity() Collector {
	column := func(name, help string, figure func(pbxclient.Quota) yeastar.Int) series.Column[pbxclient.Capacity] {
		return series.Column[pbxclient.Capacity]{
			Name: name, Help: help + ", in seconds, by feature and quota (given once, or bought in packs); absent if the firmware does not report it.",
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
	return ofEachPBX("capacity", off(time.Hour), []series.Column[pbxclient.Capacity]{
		column("ycm_cloud_pbx_ai_capacity_seconds", "AI transcription and receptionist time that the Cloud PBX can use",
			func(q pbxclient.Quota) yeastar.Int { return q.Capacity }),
		column("ycm_cloud_pbx_ai_used_seconds", "AI transcription and receptionist time that the Cloud PBX has used",
			func(q pbxclient.Quota) yeastar.Int { return q.Used }),
	}, func(ctx context.Context, c *pbxclient.Client) (pbxclient.Capacity, error) { return c.Capacity(ctx) }, false)
}
