package exposition

import (
	"bytes"
	"io"
	"slices"
	"strings"

	"github.com/go-kit/log/level"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// gather collects the exporter's own metrics. What can be had is served, whatever else fails.
func (s *Set) gather() []*dto.MetricFamily {
	families, err := s.self.Gather()
	if err != nil {
		level.Warn(s.logger).Log("msg", "Gathering the exporter's own metrics failed in part", "err", err)
	}
	return families
}

// knows reports whether anything here has to do with the account of the scrape: a snapshot, or one of the exporter's
// own metrics. These are there before the first poll and after a snapshot expired.
func (s *scrape) knows() bool {
	return slices.ContainsFunc(s.published, func(p *published) bool { return p.account == s.account }) ||
		slices.ContainsFunc(s.own, func(f *dto.MetricFamily) bool {
			return slices.ContainsFunc(f.Metric, func(m *dto.Metric) bool {
				account, found := accountOf(m)
				return found && account == s.account
			})
		})
}

func accountOf(m *dto.Metric) (account string, found bool) {
	for _, label := range m.Label {
		if label.GetName() == accountLabel {
			return label.GetValue(), true
		}
	}
	return "", false
}

// tail renders what follows the published families: the exporter's own metrics, if the scrape is to have them, and
// the end of the exposition.
func (s *Set) tail(sc *scrape) []byte {
	var out bytes.Buffer
	encoder := expfmt.NewEncoder(&out, sc.content)
	for _, family := range sc.share() {
		if sc.has(family.GetName()) {
			level.Warn(s.logger).Log("msg", "The exporter has a metric of its own with the name of a published one", "metric", family.GetName())
			continue
		}
		whole := out.Len()
		if err := encoder.Encode(family); err != nil {
			out.Truncate(whole)
			level.Warn(s.logger).Log("msg", "Encoding one of the exporter's own metrics failed", "metric", family.GetName(), "err", err)
		}
	}
	if closer, ok := encoder.(io.Closer); ok {
		_ = closer.Close() // It writes "# EOF" to memory.
	}
	return out.Bytes()
}

// share returns the scrape's share of the exporter's own metrics: all of them in shard 0, but only what belongs to every
// shard in the others; and of the accounts the one that is asked for. It is sorted by name.
func (s *scrape) share() []*dto.MetricFamily {
	var share []*dto.MetricFamily
	for _, family := range append(slices.Clip(s.own), shardInfo(s.shard, s.own)) {
		name := family.GetName()
		if s.shard.Index > 0 && !slices.Contains(ofEveryShard(), name) || s.format == openMetrics && collides(family, s.own) {
			continue
		}
		if family = only(family, s.account); len(family.Metric) > 0 {
			share = append(share, family)
		}
	}
	slices.SortStableFunc(share, func(a, b *dto.MetricFamily) int { return strings.Compare(a.GetName(), b.GetName()) })
	return share
}

// collides reports whether OpenMetrics has a counter under the name of another metric, as it counts the suffix _total
// not to the name. Go's own metrics have such a pair, go_memstats_alloc_bytes and go_memstats_alloc_bytes_total, and
// strict parsers refuse an exposition with both.
func collides(counter *dto.MetricFamily, own []*dto.MetricFamily) bool {
	name, suffixed := strings.CutSuffix(counter.GetName(), "_total")
	return suffixed && counter.GetType() == dto.MetricType_COUNTER &&
		slices.ContainsFunc(own, func(f *dto.MetricFamily) bool { return f.GetName() == name })
}

// only returns a family without the samples of other accounts, if one account is asked for.
func only(family *dto.MetricFamily, account string) *dto.MetricFamily {
	if account == "" {
		return family
	}
	part := &dto.MetricFamily{Name: family.Name, Help: family.Help, Type: family.Type, Unit: family.Unit}
	for _, m := range family.Metric {
		if of, found := accountOf(m); !found || of == account {
			part.Metric = append(part.Metric, m)
		}
	}
	return part
}
