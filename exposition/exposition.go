// Package exposition serves snapshots of metrics to Prometheus: published once, scraped many times.
//
// A snapshot is a Source, an immutable set of gauges that belongs to one account and one collector. A scrape that
// wants plain text walks the source and renders it on the way to the client, so that the text is never held. A scrape
// that wants gzip or zstd gets bytes that were compressed once for the snapshot, family by family, joined to what
// changes at each scrape: the exporter's own metrics.
package exposition

import "github.com/prometheus/client_golang/prometheus"

// A Family is a gauge: its name, its help and the names of its labels. Names are those of the classic data model
// ([a-zA-Z_][a-zA-Z0-9_]*), labels are sorted by name, and the first label is always account.
type Family struct {
	Name, Help string
	Labels     []string
}

// A Source is an immutable set of samples. Its methods may be called by many goroutines at once.
type Source interface {
	// Families returns the families of the source, sorted by name. A family may be without samples.
	Families() []Family
	// Each calls emit for each sample of family i (of Families) that belongs to shard. Samples are distinct and
	// come ordered by their label values, compared byte by byte in the order of the labels. The slice of labels
	// is reused between calls; its strings may be kept. Each call with the same shard gives the same samples.
	Each(i int, shard Shard, emit func(labels []string, value float64))
}

// accountLabel keeps the samples of different accounts apart.
const accountLabel = "account"

// Collector is a source as a prometheus.Collector: what it collects, a registry gathers and expfmt encodes are the
// bytes that a Set serves. It describes nothing, as the sources of several accounts share their families.
func Collector(src Source) prometheus.Collector {
	c := collector{source: src}
	for _, f := range src.Families() {
		c.descs = append(c.descs, prometheus.NewDesc(f.Name, f.Help, f.Labels, nil))
	}
	return c
}

type collector struct {
	source Source
	descs  []*prometheus.Desc
}

func (collector) Describe(chan<- *prometheus.Desc) {}

func (c collector) Collect(out chan<- prometheus.Metric) {
	for i, desc := range c.descs {
		var values []string
		c.source.Each(i, Shard{}, func(labels []string, value float64) {
			values = values[:0]
			for _, label := range labels {
				values = append(values, valid(label))
			}
			metric, err := prometheus.NewConstMetric(desc, prometheus.GaugeValue, value, values...)
			if err != nil {
				metric = prometheus.NewInvalidMetric(desc, err)
			}
			out <- metric
		})
	}
}
