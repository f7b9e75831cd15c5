package poll

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"github.com/ycm-exporter/ycm_exporter/internal/exposition"
)

// text is what client_golang makes of what is gathered. It checks names, labels and doubles on the way.
func text(t testing.TB, gatherer prometheus.Gatherer) string {
	t.Helper()
	families, err := gatherer.Gather()
	if err != nil {
		t.Fatalf("client_golang refuses the metrics: %v", err)
	}
	var out bytes.Buffer
	for _, family := range families {
		if _, err := expfmt.MetricFamilyToText(&out, family); err != nil {
			t.Fatal(err)
		}
	}
	return out.String()
}

// exposed is what a scrape shows of a snapshot.
func exposed(t testing.TB, source exposition.Source) string {
	t.Helper()
	set := newSet()
	if err := set.Publish("main", "shown", source, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := set.WriteText(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// sample is a sample as a source emits it.
type sample struct {
	labels []string
	value  float64
}

// samples is what a source emits: labels and value of each sample by family.
func samples(source exposition.Source, shard exposition.Shard) map[string][]sample {
	all := map[string][]sample{}
	for i, f := range source.Families() {
		source.Each(i, shard, func(labels []string, value float64) {
			all[f.Name] = append(all[f.Name], sample{slices.Clone(labels), value})
		})
	}
	return all
}
