package collector

import (
	"bytes"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"github.com/ycm-exporter/ycm_exporter/exposition"
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

// exposed is the text of a snapshot.
func exposed(t testing.TB, source exposition.Source) string {
	t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(exposition.Collector(source))
	return text(t, registry)
}
