package collector

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"
	"unique"

	"github.com/ycm-exporter/ycm_exporter/internal/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/internal/series"
	"github.com/ycm-exporter/ycm_exporter/internal/sweep"
)

const (
	// maxPairs is how many pairs of vendor and model a PBX has series of at most.
	maxPairs = 300
	// maxInUse is how many of them an account's required phones are at most.
	maxInUse = 500
)

// phonesReading counts the phones of a PBX.
type phonesReading struct {
	Pairs  []phonesOfModel // by model and vendor
	Capped bool            // it has more than it may have here
}

// phonesOfModel counts the phones of one model by their states.
type phonesOfModel struct {
	Vendor, Model string
	Count         [pbxclient.PhoneStates + 1]int32 // the last of no state, which is not exported
}

// phones queries the phones that each Running PBX provisions.
func phones() Collector {
	return ofEachPBX(Phones, off(6*time.Hour), phonesColumns(), queryPhones, false)
}

// queryPhones keeps of too many pairs those of most phones.
func queryPhones(ctx context.Context, c *pbxclient.Client) (r phonesReading, err error) {
	list, err := c.Phones(ctx)
	type pair struct{ vendor, model string }
	place := map[pair]int{}
	for _, phone := range list {
		p := pair{shorten(phone.Vendor), shorten(phone.Model)}
		i, known := place[p]
		if !known {
			i = len(r.Pairs)
			place[p] = i
			// A fleet has few models, and many phones of each.
			r.Pairs = append(r.Pairs, phonesOfModel{Vendor: unique.Make(p.vendor).Value(), Model: unique.Make(p.model).Value()})
		}
		r.Pairs[i].Count[phone.State]++
	}
	r.Capped = len(r.Pairs) > maxPairs
	slices.SortFunc(r.Pairs, func(a, b phonesOfModel) int { return cmp.Or(cmp.Compare(b.all(), a.all()), byModel(a, b)) })
	r.Pairs = slices.Clip(r.Pairs[:min(maxPairs, len(r.Pairs))])
	slices.SortFunc(r.Pairs, byModel)
	return r, err
}

func byModel(a, b phonesOfModel) int {
	return cmp.Or(cmp.Compare(a.Model, b.Model), cmp.Compare(a.Vendor, b.Vendor))
}

func (p phonesOfModel) all() (n int32) {
	for _, count := range p.Count {
		n += count
	}
	return n
}

// inUse is the pairs of vendor and model that an account's PBXs have; of too many, those of most phones.
func inUse(results []sweep.Result[phonesReading]) []RequiredPhone {
	sums := map[RequiredPhone]int32{}
	for _, pbx := range results {
		for _, p := range pbx.Value.Pairs {
			if p.Vendor != "" && p.Model != "" {
				sums[RequiredPhone{Vendor: p.Vendor, Model: p.Model}] += p.all()
			}
		}
	}
	required := slices.SortedFunc(maps.Keys(sums), func(a, b RequiredPhone) int {
		return cmp.Or(cmp.Compare(sums[b], sums[a]), cmp.Compare(a.Model, b.Model), cmp.Compare(a.Vendor, b.Vendor))
	})
	return required[:min(maxInUse, len(required))]
}

// phonesColumns declares what is known of the phones (Search Specific IP Phones).
func phonesColumns() []series.Column[phonesReading] {
	return []series.Column[phonesReading]{
		{
			Name:   "ycm_cloud_pbx_phones",
			Help:   "Number of phones that the Cloud PBX provisions, by vendor, model and state. An unassigned phone has no extension.",
			Labels: []string{"model", "state", "vendor"},
			Read: func(r *phonesReading, labels []string, sample func(float64)) {
				for pairs := r.Pairs; len(pairs) > 0; {
					n := 1 // how many pairs have the first one's model: two vendors may have a phone of one name
					for n < len(pairs) && pairs[n].Model == pairs[0].Model {
						n++
					}
					for state := range pbxclient.PhoneStates {
						for _, p := range pairs[:n] {
							labels[0], labels[1], labels[2] = p.Model, pbxclient.PhoneState(state).String(), p.Vendor
							sample(float64(p.Count[state]))
						}
					}
					pairs = pairs[n:]
				}
			},
		},
		series.Flag("ycm_cloud_pbx_phones_truncated", func(r *phonesReading) bool { return r.Capped },
			fmt.Sprintf("Whether the PBX has phones of more than %d models (1) or not (0); the least frequent models are not exported.", maxPairs)),
	}
}
