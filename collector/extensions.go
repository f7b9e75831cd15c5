package collector

import (
	"context"
	"slices"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/internal/series"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// extensionsReading counts the endpoints of a PBX's extensions. It is small, because a fleet has many.
type extensionsReading struct {
	Endpoints [pbxclient.Endpoints]struct{ Online, Offline int32 }
	Reachable yeastar.Int // absent where the PBX reports no endpoint at all
}

// extensions queries which endpoints of the extensions of each Running PBX are online.
func extensions() Collector {
	return ofEachPBX(Extensions, off(15*time.Minute), extensionsColumns(), queryExtensions, false)
}

func queryExtensions(ctx context.Context, c *pbxclient.Client) (r extensionsReading, err error) {
	list, err := c.Extensions(ctx)
	reachable, reported := int64(0), len(list) == 0
	for _, extension := range list {
		for e, state := range extension {
			switch state {
			case pbxclient.Online:
				r.Endpoints[e].Online++
			case pbxclient.Offline:
				r.Endpoints[e].Offline++
			case pbxclient.Unreported:
			}
		}
		best := slices.Max(extension[:])
		reported = reported || best != pbxclient.Unreported
		if best == pbxclient.Online {
			reachable++
		}
	}
	if reported {
		r.Reachable = yeastar.IntOf(reachable)
	}
	return r, err
}

// extensionsColumns declares what is known of extensions (Query Extension List).
func extensionsColumns() []series.Column[extensionsReading] {
	var endpoints []pbxclient.Endpoint
	for e := range pbxclient.Endpoints {
		endpoints = append(endpoints, pbxclient.Endpoint(e))
	}
	byLabel(endpoints)
	return []series.Column[extensionsReading]{
		{
			Name:   "ycm_cloud_pbx_endpoints",
			Help:   "Number of extensions by kind and state of their endpoint. An endpoint with several registrations counts once, as online if any is. Absent if the PBX reports no endpoint of the kind.",
			Labels: []string{"endpoint", "state"},
			Read: func(r *extensionsReading, labels []string, sample func(float64)) {
				for _, e := range endpoints {
					count := r.Endpoints[e]
					if count.Online+count.Offline == 0 {
						continue
					}
					labels[0], labels[1] = e.String(), "offline"
					sample(float64(count.Offline))
					labels[1] = "online"
					sample(float64(count.Online))
				}
			},
		},
		series.Number("ycm_cloud_pbx_extensions_reachable", func(r *extensionsReading) yeastar.Int { return r.Reachable }, "Number of extensions with at least one endpoint online; absent if the PBX reports no endpoint."),
	}
}
