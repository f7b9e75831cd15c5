package collector

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/ycm-exporter/ycm_exporter/config"
	"github.com/ycm-exporter/ycm_exporter/pbxclient"
)

// trunks is what a PBX told of its trunks.
type trunks struct {
	lines  []line // by name, distinct
	capped bool   // it has more than it may have here
}

// line is one trunk, kept small: a fleet has many.
type line struct {
	name   string
	kind   pbxclient.TrunkType
	status pbxclient.TrunkStatus
}

// newTrunks asks each Running PBX for its trunks. A PBX that does not tell them has no series of them once the last
// that it told are too old.
func newTrunks(a *Account, schedule config.Schedule) *round[trunks] {
	ask := func(ctx context.Context, c *pbxclient.Client) (trunks, error) {
		list, err := c.Trunks(ctx)
		return trunks{linesOf(list.Trunks), list.Capped}, err
	}
	return newRound(a, trunksName, schedule, trunksColumns, ask, func(err error) bool { return err == nil })
}

// linesOf gives each trunk of a PBX a name of its own: of several with one name, all but the first get their id behind
// it, and so does one without a name. The trunks are in the order of their ids, so the names stay.
func linesOf(list []pbxclient.Trunk) []line {
	lines := make([]line, len(list))
	taken := make(map[string]bool, len(list))
	for i, t := range list {
		name := shorten(t.Name)
		for name == "" || taken[name] {
			name = strings.TrimSpace(fmt.Sprintf("%s #%d", name, t.ID))
		}
		taken[name] = true
		lines[i] = line{name, t.Type, t.Status}
	}
	slices.SortFunc(lines, func(a, b line) int { return cmp.Compare(a.name, b.name) })
	return lines
}

// longestName is how many bytes of a name that an operator of a PBX chose go into a label.
const longestName = 128

// shorten cuts a name between two characters.
func shorten(name string) string {
	if len(name) <= longestName {
		return name
	}
	end := longestName
	for !utf8.RuneStart(name[end]) {
		end--
	}
	return strings.TrimSpace(name[:end])
}

// trunksColumns declares what is known of trunks (Query Trunk List).
func trunksColumns() []column[told[trunks]] {
	states := pbxclient.TrunkStatuses()
	slices.SortFunc(states, func(a, b pbxclient.TrunkStatus) int { return strings.Compare(a.String(), b.String()) })
	return []column[told[trunks]]{
		{
			name:   "ycm_cloud_pbx_trunk_status",
			help:   "Status of a trunk (name, type, status): 1 for the present one, 0 for the others; Unknown is any that the API does not document. Trunks with one name have their id added (#7). " + background,
			labels: []string{"status", "trunk", "trunk_type"},
			read: func(t *told[trunks], labels []string, sample func(float64)) {
				for _, s := range states {
					for _, l := range t.value.lines {
						labels[0], labels[1], labels[2] = s.String(), l.name, string(l.kind)
						sample(boolean(l.status == s))
					}
				}
			},
		},
		{
			name: "ycm_cloud_pbx_trunks_truncated",
			help: fmt.Sprintf("Whether the PBX has more than %d trunks (1), of which the others have no series, or not (0).", pbxclient.MaxTrunks),
			read: func(t *told[trunks], _ []string, sample func(float64)) { sample(boolean(t.value.capped)) },
		},
	}
}
