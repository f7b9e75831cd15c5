package exposition

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"
)

// collectorOf is a source as a prometheus.Collector: what a registry gathers of it and expfmt encodes are the bytes
// that a Set must serve. It describes nothing, as the sources of several accounts share their families.
func collectorOf(src Source) prometheus.Collector {
	c := constMetrics{source: src}
	for _, f := range src.Families() {
		c.descs = append(c.descs, prometheus.NewDesc(f.Name, f.Help, f.Labels, nil))
	}
	return c
}

type constMetrics struct {
	source Source
	descs  []*prometheus.Desc
}

func (constMetrics) Describe(chan<- *prometheus.Desc) {}

func (c constMetrics) Collect(out chan<- prometheus.Metric) {
	for i, desc := range c.descs {
		c.source.Each(i, Shard{}, func(labels []string, value float64) {
			metric, err := prometheus.NewConstMetric(desc, prometheus.GaugeValue, value, slices.Clone(labels)...)
			if err != nil {
				metric = prometheus.NewInvalidMetric(desc, err)
			}
			out <- metric
		})
	}
}
