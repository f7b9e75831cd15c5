package exposition

import (
	"bytes"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// shardInfoName is the metric by which a Prometheus, and one that reads several, can see which shards are scraped.
const shardInfoName = "ycm_exporter_shard_info"

// ofEveryShard reports which of the exporter's own metrics each shard has, so that any of them shows whether the exporter
// and its accounts work. All others are in shard 0 alone.
func ofEveryShard(name string) bool {
	return name == "ycm_up" || name == "ycm_exporter_build_info" || name == shardInfoName
}

// accountsOf returns all accounts: each is in the exporter's own metrics before its first poll and after a snapshot expired.
func accountsOf(families []*dto.MetricFamily) map[string]bool {
	accounts := map[string]bool{}
	for _, family := range families {
		for _, m := range family.Metric {
			if account, found := accountOf(m); found {
				accounts[account] = true
			}
		}
	}
	return accounts
}

func accountOf(m *dto.Metric) (account string, found bool) {
	for _, label := range m.Label {
		if label.GetName() == accountLabel {
			return label.GetValue(), true
		}
	}
	return "", false
}

// tail renders what follows the published families: the exporter's own metrics that belong to the scrape, and the end of
// the exposition.
func (s *scrape) tail() []byte {
	var out bytes.Buffer
	encoder := expfmt.NewEncoder(&out, s.content)
	for _, family := range s.ownPart() {
		_ = encoder.Encode(family) // Gathered families are valid, and writing to memory does not fail.
	}
	_ = encoder.(io.Closer).Close() // It writes "# EOF".
	s.own = nil                     // They are large, and a client may read slowly.
	return out.Bytes()
}

// ownPart returns the exporter's own metrics that belong to the scrape's shard and account, sorted by name.
func (s *scrape) ownPart() []*dto.MetricFamily {
	var part []*dto.MetricFamily
	for _, family := range append(slices.Clip(s.own), shardInfo(s.shard, s.own)) {
		if s.shard.Index > 0 && !ofEveryShard(family.GetName()) || s.format == openMetrics && collides(family, s.own) {
			continue
		}
		if s.account != "" {
			family = &dto.MetricFamily{Name: family.Name, Help: family.Help, Type: family.Type, Metric: slices.DeleteFunc(slices.Clone(family.Metric), func(m *dto.Metric) bool {
				account, found := accountOf(m)
				return found && account != s.account
			})}
		}
		if len(family.Metric) > 0 {
			part = append(part, family)
		}
	}
	slices.SortStableFunc(part, func(a, b *dto.MetricFamily) int { return strings.Compare(a.GetName(), b.GetName()) })
	return part
}

// collides reports whether a counter has the name of another metric in OpenMetrics, where the suffix _total is not part
// of the name. Go's own metrics have such a pair, go_memstats_alloc_bytes and go_memstats_alloc_bytes_total, and strict
// parsers refuse an exposition with both.
func collides(counter *dto.MetricFamily, own []*dto.MetricFamily) bool {
	name, suffixed := strings.CutSuffix(counter.GetName(), "_total")
	return suffixed && counter.GetType() == dto.MetricType_COUNTER &&
		slices.ContainsFunc(own, func(f *dto.MetricFamily) bool { return f.GetName() == name })
}

// shardInfo reports which shard of how many a scrape is, for each account in the exporter's own metrics.
func shardInfo(shard Shard, own []*dto.MetricFamily) *dto.MetricFamily {
	family := &dto.MetricFamily{
		Name: new(shardInfoName), Type: dto.MetricType_GAUGE.Enum(),
		Help: new("The shard that this scrape is, and of how many; 0 of 1 if it is whole."),
	}
	for _, account := range slices.Sorted(maps.Keys(accountsOf(own))) {
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
