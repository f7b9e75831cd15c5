package collector

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/internal/series"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// trunkReading is the trunks of a PBX.
type trunkReading struct {
	Trunks []trunk // by name, distinct
	Capped bool    // it has more than it may have here
}

// trunk is one trunk, kept small: a fleet has many.
type trunk struct {
	Name   string
	Type   pbxclient.TrunkType
	Status pbxclient.TrunkStatus
}

// trunks queries the trunks of each Running PBX.
func trunks() Collector {
	return ofEachPBX("trunks", off(15*time.Minute), trunksColumns(), func(ctx context.Context, c *pbxclient.Client) (trunkReading, error) {
		list, err := c.Trunks(ctx)
		return trunkReading{named(list.Trunks), list.Capped}, err
	}, false)
}

// named gives each trunk of a PBX a name of its own: of several with one name, all but the first get their id behind
// it, and so does one without a name. The trunks are in the order of their ids, so the names stay.
func named(list []pbxclient.Trunk) []trunk {
	trunks := make([]trunk, len(list))
	taken := make(map[string]bool, len(list))
	for i, t := range list {
		name := shorten(t.Name)
		for name == "" || taken[name] {
			name = strings.TrimSpace(fmt.Sprintf("%s #%d", name, t.ID))
		}
		taken[name] = true
		trunks[i] = trunk{name, t.Type, t.Status}
	}
	slices.SortFunc(trunks, func(a, b trunk) int { return cmp.Compare(a.Name, b.Name) })
	return trunks
}

// maxName is how many bytes of a name that an operator of a PBX chose go into a label.
const maxName = 128

// shorten cuts a name between two characters.
func shorten(name string) string {
	if len(name) <= maxName {
		return name
	}
	return strings.TrimSpace(yeastar.Cut(name, maxName))
}

// trunksColumns declares what is known of trunks (Query Trunk List).
func trunksColumns() []series.Column[trunkReading] {
	states := byLabel(pbxclient.TrunkStatuses())
	return []series.Column[trunkReading]{
		{
			Name:   "ycm_cloud_pbx_trunk_status",
			Help:   "Current status of a trunk; value is always 1. Undocumented values are reported as Unknown. Duplicate trunk names have the id appended, such as #7.",
			Labels: []string{"status", "trunk", "trunk_type"},
			Read: func(r *trunkReading, labels []string, sample func(float64)) {
				for _, s := range states {
					for _, t := range r.Trunks {
						if t.Status == s {
							labels[0], labels[1], labels[2] = s.String(), t.Name, string(t.Type)
							sample(1)
						}
					}
				}
			},
		},
		{
			Name:   "ycm_cloud_pbx_trunk_up",
			Help:   "Whether a trunk can carry calls (1: its status is Idle, Busy or IdleUnmonitored) or not (0); absent if its status is Unknown.",
			Labels: []string{"trunk", "trunk_type"},
			Read: func(r *trunkReading, labels []string, sample func(float64)) {
				for _, t := range r.Trunks {
					if up, known := t.Status.Up(); known {
						labels[0], labels[1] = t.Name, string(t.Type)
						sample(series.Boolean(up))
					}
				}
			},
		},
		series.Flag("ycm_cloud_pbx_trunks_truncated", func(r *trunkReading) bool { return r.Capped },
			fmt.Sprintf("Whether the PBX has more than %d trunks (1) or not (0); the others are not exported.", pbxclient.MaxTrunks)),
	}
}
