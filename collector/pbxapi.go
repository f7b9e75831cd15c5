package collector

import (
	"context"

	"github.com/ycm-exporter/ycm_exporter/config"
	"github.com/ycm-exporter/ycm_exporter/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/yeastar"
)

// reachability is what a PBX told of itself, or that it did not answer.
type reachability struct {
	up     bool
	uptime yeastar.Int // seconds
}

// newPBXAPI asks each Running PBX whether it serves. Whatever the PBX itself answers counts as up, be it that its API
// is off or closed to the exporter. A failure of YCM to pass the question on tells nothing of the PBX.
func newPBXAPI(a *Account, schedule config.Schedule) *round[reachability] {
	ask := func(ctx context.Context, c *pbxclient.Client) (reachability, error) {
		system, err := c.SystemInformation(ctx)
		if err != nil {
			return reachability{yeastar.ReachOf(err) == yeastar.Answered, yeastar.Absent}, err
		}
		return reachability{true, system.Uptime}, nil
	}
	learned := func(err error) bool { return yeastar.ReachOf(err) != yeastar.NotAsked }
	return newRound(a, pbxAPIName, schedule, pbxAPIColumns, ask, learned)
}

// pbxAPIColumns declares what a PBX tells of itself (Query PBX Information).
func pbxAPIColumns() []column[told[reachability]] {
	return []column[told[reachability]]{
		{
			name: "ycm_cloud_pbx_api_up",
			help: "Whether the PBX itself answered when it was last asked (1), if only to refuse, or not (0): Running in YCM's list does not prove that it serves. Absent where it was not asked, or YCM did not pass the question on. " + background,
			read: func(t *told[reachability], _ []string, sample func(float64)) { sample(boolean(t.value.up)) },
		},
		number("ycm_cloud_pbx_uptime_seconds", "Time since the PBX started (up_time). "+background,
			func(t *told[reachability]) yeastar.Int { return t.value.uptime }),
	}
}
