package collector

import (
	"context"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/internal/series"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// reachability is what a PBX told of itself, or that it did not answer.
type reachability struct {
	Up     bool
	Uptime yeastar.Int // seconds
}

// pbxAPI asks each Running PBX whether it serves. Whatever the PBX itself answers counts as up, be it that its API
// is off or closed to the exporter. A failure of YCM to pass the question on tells nothing of the PBX.
func pbxAPI() Collector {
	learned := func(err error) bool { return yeastar.ReachOf(err) != yeastar.NotAsked }
	return ofEachPBXAlso("pbx_api", off(5*time.Minute), pbxAPIColumns(), askReachability, learned)
}

func askReachability(ctx context.Context, c *pbxclient.Client) (reachability, error) {
	system, err := c.SystemInformation(ctx)
	if err != nil {
		return reachability{yeastar.ReachOf(err) == yeastar.Answered, yeastar.Absent}, err
	}
	return reachability{true, system.Uptime}, nil
}

// pbxAPIColumns declares what a PBX tells of itself (Query PBX Information).
func pbxAPIColumns() []series.Column[reachability] {
	return []series.Column[reachability]{
		{
			Name: "ycm_cloud_pbx_api_up",
			Help: "Whether the PBX itself answered when it was last asked (1), if only to refuse, or not (0): Running in YCM's list does not prove that it serves. Absent where it was not asked, or YCM did not pass the question on. " + background,
			Read: func(r *reachability, _ []string, sample func(float64)) { sample(series.Boolean(r.Up)) },
		},
		series.Number("ycm_cloud_pbx_uptime_seconds", "Time since the PBX started (up_time). "+background,
			func(r *reachability) yeastar.Int { return r.Uptime }),
	}
}
