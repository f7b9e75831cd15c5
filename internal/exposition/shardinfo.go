package exposition

import (
	"maps"
	"slices"
	"strconv"

	dto "github.com/prometheus/client_model/go"
)

// shardInfoName is the metric by which a Prometheus, and who puts several together, can tell which shards it sees.
const shardInfoName = "ycm_exporter_shard_info"

// ofEveryShard names the exporter's own metrics that each shard has, so that whoever scrapes any of them can tell whether
// the exporter and its accounts are well. All others are in shard 0 alone.
func ofEveryShard() []string {
	return []string{"ycm_up", "ycm_exporter_build_info", shardInfoName}
}

// shardInfo tells which shard of how many a scrape is, for each account that the exporter's own metrics tell of.
func shardInfo(shard Shard, own []*dto.MetricFamily) *dto.MetricFamily {
	accounts := map[string]bool{}
	for _, f := range own {
		for _, m := range f.Metric {
			if account, found := accountOf(m); found {
				accounts[account] = true
			}
		}
	}
	family := &dto.MetricFamily{
		Name: new(shardInfoName), Type: dto.MetricType_GAUGE.Enum(),
		Help: new("The shard that this scrape is, and of how many; 0 of 1 if it is whole."),
	}
	for _, account := range slices.Sorted(maps.Keys(accounts)) {
		family.Metric = append(family.Metric, &dto.Metric{
			Label: []*dto.LabelPair{
				{Name: new(accountLabel), Value: new(account)},
				{Name: new("shard"), Value: new(strconv.Itoa(shard.Index))},
				{Name: new("shards"), Value: new(strconv.Itoa(max(1, shard.Count)))},
			},
			Gauge: &dto.Gauge{Value: new(1.0)},
		})
	}
	return family
}
