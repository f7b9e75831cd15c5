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

// ofEveryShard are those of the exporter's own metrics that each shard has, so that any of them shows whether the exporter and
// its accounts work. All others are in shard 0 alone.
var ofEveryShard = []string{"ycm_up", "ycm_exporter_build_info", "ycm_exporter_shard_info"}

// accountsOf returns all accounts: each is in the exporter's own metrics before its first poll and after a snapshot expired.
func accountsOf(families []*dto.MetricFamily) map[string]bool {
	accounts := map[string]bool{}
	for _, family := range families {
		for _, m := range family.Metric {
			if account := accountOf(m); account != "" {
				accounts[account] = true
			}
		}
	}
	return accounts
}

// accountOf returns the account that a metric is about, or nothing.
func accountOf(m *dto.Metric) string {
	for _, label := range m.Label {
		if label.GetName() == "account" {
			return label.GetValue()
		}
	}
	return ""
}

// tail renders what follows the published families: the exporter's own metrics that belong to the scrape, sorted by name, and
// the end of the exposition.
func (s *scrape) tail() []byte {
	var out bytes.Buffer
	encoder := expfmt.NewEncoder(&out, s.content)
	families := slices.Concat(s.own, []*dto.MetricFamily{s.shardInfo()})
	s.own = nil // They are large, and a client may read slowly.
	slices.SortStableFunc(families, func(a, b *dto.MetricFamily) int { return strings.Compare(a.GetName(), b.GetName()) })
	for _, family := range families {
		name := family.GetName()
		// In OpenMetrics the suffix _total is not part of a counter's name. Of Go's own metrics one counter would so have
		// the name of the gauge beside it, and strict parsers refuse that.
		if s.shard.Index > 0 && !slices.Contains(ofEveryShard, name) || s.format == openMetrics && name == "go_memstats_alloc_bytes_total" {
			continue
		}
		if s.account != "" {
			family.Metric = slices.DeleteFunc(family.Metric, func(m *dto.Metric) bool {
				account := accountOf(m) // Empty if the metric is of the process, which would count once for each account.
				return account != s.account && (account != "" || name != "ycm_exporter_build_info")
			})
		}
		if len(family.Metric) > 0 {
			_ = encoder.Encode(family) // Gathered families are valid, and writing to memory does not fail.
		}
	}
	_ = encoder.(io.Closer).Close() // It writes "# EOF".
	return out.Bytes()
}

// shardInfo reports which shard of how many a scrape is, for each account, so that a Prometheus, and one that reads several,
// can see which shards are scraped.
func (s *scrape) shardInfo() *dto.MetricFamily {
	family := &dto.MetricFamily{
		Name: new("ycm_exporter_shard_info"), Type: dto.MetricType_GAUGE.Enum(),
		Help: new("Shard of this scrape and number of shards, 0 of 1 without sharding; value is always 1."),
	}
	for _, account := range slices.Sorted(maps.Keys(accountsOf(s.own))) {
		family.Metric = append(family.Metric, &dto.Metric{
			Label: []*dto.LabelPair{
				{Name: new("account"), Value: new(account)},
				{Name: new("shard"), Value: new(strconv.Itoa(s.shard.Index))},
				{Name: new("shards"), Value: new(strconv.Itoa(max(1, s.shard.Count)))},
			},
			Gauge: &dto.Gauge{Value: new(1.0)},
		})
	}
	return family
}
