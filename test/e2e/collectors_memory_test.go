//go:build e2e

package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// unread are the families of PBXs that no alert needs.
const unread = "ycm_cloud_pbx_(feature_enabled|backup_age_seconds|firmware_update_available|first_started_timestamp_seconds|" +
	"template_last_used_timestamp_seconds|uptime_seconds|trunks_truncated|phones_truncated|ai_(capacity|used)_seconds)"

// TestFootprintOfAllCollectors measures the whole process with every collector on, and with what no alert needs excluded:
// series, memory at rest and at its peak, the size and CPU of a scrape. It asserts nothing about time. 100,000 PBXs take most
// of an hour, so YCM_EXPORTER_TEST_PBXS has to request them.
func TestFootprintOfAllCollectors(t *testing.T) {
	pbxs := 1_000
	if _, err := fmt.Sscan(os.Getenv("YCM_EXPORTER_TEST_PBXS"), &pbxs); err == nil {
		t.Logf("with %d PBXs", pbxs)
	}
	t.Run("everything", func(t *testing.T) { footprintOfAll(t, pbxs, "") })
	t.Run("without what no alert needs", func(t *testing.T) { footprintOfAll(t, pbxs, unread) })
}

func footprintOfAll(t *testing.T, pbxs int, exclude string) {
	p, url := measured(t, ycmtest.Options{PBXs: pbxs, Seed: 1, Healthy: true}, fmt.Sprintf(`
collectors:
  cloud_pbx: {interval: 1m}
  users: {enabled: true}
  pbx_api: {enabled: true, interval: 1m}
  trunks: {enabled: true, interval: 1m}
  extensions: {enabled: true, interval: 1m}
  phones: {enabled: true, interval: 1m}
  capacity: {enabled: true, interval: 1m}
  autoprovisioning: {enabled: true, depth: full, required_phones: in_use}
metrics: {exclude: [%q]}
`, exclude))
	started := time.Now()
	sweeping := []string{"pbx_api", "trunks", "extensions", "phones", "capacity"}
	if strings.Contains(exclude, "ai_") {
		sweeping = sweeping[:4]
	}
	within(t, 100*time.Minute, func() error {
		scrape(t, url, "gzip") // as a Prometheus does meanwhile
		time.Sleep(10 * time.Second)
		for _, c := range sweeping {
			var queried float64
			for _, result := range []string{"ok", "not_found", "timeout", "server", "network", "invalid", "denied"} {
				queried += value(t, url, fmt.Sprintf(`ycm_collector_pbx_polls_total{account="main",collector=%q,result=%q}`, c, result))
			}
			if queried < 0.97*float64(pbxs) {
				return fmt.Errorf("collector %s has queried %v of %d PBXs", c, queried, pbxs)
			}
		}
		return nil
	})
	t.Logf("%d PBXs: every collector had queried every PBX once after %v", pbxs, time.Since(started).Round(time.Second))
	time.Sleep(30 * time.Second)
	wire := scrape(t, url, "gzip")
	t.Logf("%d PBXs: %d series, at rest %d MiB, peak %d MiB, %d bytes on the wire with gzip, %d with identity",
		pbxs, seriesOf(t, url), memory(t, p.pid, "VmRSS"), memory(t, p.pid, "VmHWM"), wire, scrape(t, url, "identity"))
	for _, encoding := range []string{"gzip", "identity"} {
		const scrapes = 5
		before, begun := cpu(t, p.pid), time.Now()
		for range scrapes {
			scrape(t, url, encoding)
		}
		t.Logf("%d PBXs: a %s scrape takes %v of CPU, sweeps beside it included, and %v", pbxs, encoding, (cpu(t, p.pid)-before)/scrapes, time.Since(begun)/scrapes)
	}
}

// seriesOf counts the samples of a scrape.
func seriesOf(t *testing.T, url string) (n int) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		if !bytes.HasPrefix(lines.Bytes(), []byte("#")) {
			n++
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return n
}
