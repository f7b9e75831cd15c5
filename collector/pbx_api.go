package collector

import (
	"context"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/internal/series"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// reachability is whether a PBX answers, and its uptime.
type reachability struct {
	Up     bool
	Uptime yeastar.Int // seconds
}

// pbxAPI queries each Running PBX. Any answer of the PBX itself counts as up, also that its API is disabled or not
// permitted. A failure of YCM to forward the request shows nothing of the PBX.
func pbxAPI() Collector {
	query := func(ctx context.Context, c *pbxclient.Client) (reachability, error) {
		system, err := c.SystemInformation(ctx)
		return reachability{err == nil || yeastar.ReachOf(err) == yeastar.Answered, system.Uptime}, err
	}
	return ofEachPBX("pbx_api", off(15*time.Minute), []series.Column[reachability]{
		series.Flag("ycm_cloud_pbx_api_up", func(r *reachability) bool { return r.Up }, "Whether the last request to the PBX's own API got any response, including an error (1), or none (0); absent if the PBX was not queried or YCM did not forward the request."),
		series.Number("ycm_cloud_pbx_uptime_seconds", func(r *reachability) yeastar.Int { return r.Uptime }, "Time since the PBX started, in seconds."),
	}, query, true)
}
