//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestServiceDiscoverySharesTheFleet lets Prometheus find its targets by /sd, with the configuration that the
// documentation shows: each PBX is scraped once, whatever the number of shards.
func TestServiceDiscoverySharesTheFleet(t *testing.T) {
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	s := &stack{}
	s.startExporter(t, root, "--web.sd-shards=3")
	config := fmt.Sprintf(`
global: {scrape_interval: 2s}
scrape_configs:
  - job_name: ycm_exporter
    http_sd_configs:
      - url: %s/sd
        refresh_interval: 5s
`, s.exporter)
	dir, address := t.TempDir(), freePort(t)
	if err := os.WriteFile(filepath.Join(dir, "prometheus.yml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	s.prometheus = "http://" + address
	launch(t, dir, nil, tool(t, "prometheus"), "--config.file=prometheus.yml", "--storage.tsdb.path=data", "--web.listen-address="+address)
	within(t, 60*time.Second, func() error { _, err := get(s.prometheus + "/-/ready"); return err })

	for _, c := range []struct{ query, want string }{
		{`count(up == 1)`, "3"},
		{`count(ycm_cloud_pbx_info)`, "200"},
		{`count(count by (cloud_pbx_id) (ycm_cloud_pbx_info))`, "200"},
		{`count(ycm_cloud_pbxs)`, "1"},
		{`count(go_goroutines)`, "1"},
	} {
		within(t, time.Minute, func() error {
			got, err := s.query(c.query)
			if err == nil && (len(got) != 1 || fmt.Sprint(got[0].Value[1]) != c.want) {
				err = fmt.Errorf("%s is %v, want %s", c.query, got, c.want)
			}
			return err
		})
	}
}
