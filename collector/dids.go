package collector

import (
	"context"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/series"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// dids counts the account's stock of DID numbers (Query All the DID Numbers). No number is read, let alone a label.
func dids() Collector {
	return ofAccount("dids", off(6*time.Hour), []series.Column[ycmclient.DIDs]{{
		Name:   "ycm_dids",
		Help:   "Number of DID numbers of the account, by assignment to a Cloud PBX.",
		Labels: []string{"state"},
		Read: func(d *ycmclient.DIDs, labels []string, sample func(float64)) {
			labels[0] = "assigned"
			sample(float64(d.Assigned))
			labels[0] = "unassigned"
			sample(float64(d.Unassigned))
		},
	}}, func(ctx context.Context, a Account) (ycmclient.DIDs, error) { return a.YCM.DIDs(ctx, a.Progress) }, ycmclient.EndpointDIDs)
}
