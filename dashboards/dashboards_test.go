// Package dashboards holds Grafana dashboards; its test keeps them true to the exporter.
package dashboards_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ycm-exporter/ycm_exporter/collector"
	"github.com/ycm-exporter/ycm_exporter/poll"
)

var (
	quoted = regexp.MustCompile("\"(?:[^\"\\\\]|\\\\.)*\"|`[^`]*`")
	metric = regexp.MustCompile(`\bycm_[a-zA-Z0-9_]+`)
	named  = regexp.MustCompile(`fqName: "([^"]+)"`)
)

// A metric that is renamed in the code would leave a panel that shows nothing.
func TestPanelsUseMetricsThatExist(t *testing.T) {
	served := servedNames()
	files, err := filepath.Glob("*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no dashboards are here: %v", err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var dashboard any
		if err := json.Unmarshal(content, &dashboard); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		queries := 0
		eachQuery(dashboard, func(query string) {
			queries++
			for _, name := range metric.FindAllString(quoted.ReplaceAllString(query, `""`), -1) {
				if !served[name] && !served[strings.TrimSuffix(name, "_bucket")] {
					t.Errorf("%s uses %s, which the exporter does not serve, in %s", file, name, query)
				}
			}
		})
		if queries == 0 {
			t.Errorf("%s has no query", file)
		}
	}
}

// eachQuery finds the queries of panels and of variables, wherever they are.
func eachQuery(node any, see func(query string)) {
	switch node := node.(type) {
	case []any:
		for _, child := range node {
			eachQuery(child, see)
		}
	case map[string]any:
		for key, child := range node {
			if query, ok := child.(string); ok && (key == "expr" || key == "query") {
				see(query)
				continue
			}
			eachQuery(child, see)
		}
	}
}

func servedNames() map[string]bool {
	served := map[string]bool{
		"ycm_exporter_build_info":                                   true,
		"ycm_exporter_config_last_reload_successful":                true,
		"ycm_exporter_config_last_reload_success_timestamp_seconds": true,
	}
	for _, f := range collector.Families() {
		served[f.Name] = true
	}
	own := registrations{}
	poll.NewMetrics(own)
	for desc := range own {
		served[named.FindStringSubmatch(desc)[1]] = true
	}
	return served
}

// registrations notes the descriptions of all that is registered.
type registrations map[string]bool

func (r registrations) Register(c prometheus.Collector) error {
	descs := make(chan *prometheus.Desc)
	go func() {
		defer close(descs)
		c.Describe(descs)
	}()
	for desc := range descs {
		r[desc.String()] = true
	}
	return nil
}

func (r registrations) MustRegister(all ...prometheus.Collector) {
	for _, c := range all {
		_ = r.Register(c)
	}
}

func (registrations) Unregister(prometheus.Collector) bool { return false }
