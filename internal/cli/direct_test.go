package cli

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// pollPBXs has the exporter poll every PBX every second, and one of them directly. It returns the name of that one.
func (y *ycm) pollPBXs(t *testing.T) string {
	t.Helper()
	y.UpdateAll(func(p *ycmtest.PBX) {
		p.Status, p.Activation, p.Version, p.APIError, p.Silent = ycmtest.Running, "Activated", "84.19.0.22", 0, false
	})
	y.configure(t, y.account("main")+fmt.Sprintf(`
    pbxs:
      - {url: %s/pbx/%s, client_id: demo-pbx-client-id, client_secret: demo-pbx-client-secret}
collectors:
  pbx_api: {enabled: true, interval: 1s}
  trunks: {enabled: true, interval: 1s}
  autoprovisioning: {enabled: true, interval: 1s, required_phones: [{vendor: yealink, model: vp59}]}
`, y.url, y.PBXs()[0].URL))
	return strings.TrimPrefix(y.url, "http://")
}

// tokensLeft is how many tokens a PBX gave that were not given back.
func (y *ycm) tokensLeft() (left int) {
	for _, r := range y.Requests() {
		switch {
		case strings.HasSuffix(r.Path, "/get_token"):
			left++
		case strings.HasSuffix(r.Path, "/del_token"):
			left--
		}
	}
	return left
}

// Metrics of PBXs are exported both with direct access and through YCM, no secret of either shows, and none of the PBX's few tokens is left behind.
func TestPBXsArePolledDirectlyAndThroughYCM(t *testing.T) {
	t.Parallel()
	y := simulate(t, 5)
	name := y.pollPBXs(t)
	d := start(t, "--config.file="+y.configFile)
	d.waitFor(fmt.Sprintf("\nycm_cloud_pbx_api_up{account=\"main\",cloud_pbx_id=\"\",name=\"%s\",region=\"\"} 1\n", name))
	for _, p := range y.PBXs() {
		d.waitFor(fmt.Sprintf("\nycm_cloud_pbx_uptime_seconds{account=\"main\",cloud_pbx_id=\"%d\"", p.ID))
		d.waitFor(fmt.Sprintf("\nycm_cloud_pbx_trunks_truncated{account=\"main\",cloud_pbx_id=\"%d\"", p.ID))
	}
	d.waitFor("\nycm_autoprovisioning_phone_supported{account=\"main\",model=\"vp59\",vendor=\"yealink\",version=\"84.19.0.22\"} 1\n")
	d.waitFor(`ycm_collector_pbx_polls_total{account="main",collector="trunks",result="ok"}`)
	shown := d.metrics()
	_, page := d.request("GET", "/status")
	began := time.Now()
	if code := d.stop(); code != 0 {
		t.Errorf("the program ended with exit code %d, want 0", code)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %v to end, want 10 s at most", took)
	}
	shown += page + d.out.String()
	if got := y.tokensLeft(); got != 0 {
		t.Errorf("%d tokens of the PBX are left behind", got)
	}
	for _, secret := range append(y.Tokens(), demoClientSecret, "demo-pbx-client-secret", "access_token=") {
		if strings.Contains(shown, secret) {
			t.Errorf("a secret or token is shown: %s", secret)
		}
	}
	for _, violation := range y.Violations() {
		t.Errorf("the simulator saw what an exporter must not do: %s", violation)
	}
}

// A reload that changes a collector keeps the series, and does not leave tokens behind either.
func TestReloadKeepsPBXSeries(t *testing.T) {
	t.Parallel()
	y := simulate(t, 5)
	name := y.pollPBXs(t)
	d := start(t, "--config.file="+y.configFile, "--web.enable-lifecycle")
	series := fmt.Sprintf("ycm_cloud_pbx_trunks_truncated{account=\"main\",cloud_pbx_id=\"\",name=\"%s\"", name)
	d.waitFor(series)
	y.configure(t, y.account("main")+fmt.Sprintf(`
    pbxs:
      - {url: %s/pbx/%s, client_id: demo-pbx-client-id, client_secret: demo-pbx-client-secret}
collectors:
  trunks: {enabled: true, interval: 1h}
`, y.url, y.PBXs()[0].URL))
	if status, body := d.request("POST", "/-/reload"); status != 200 {
		t.Fatalf("reloading: got %d %q, want 200", status, body)
	}
	shown := d.metrics()
	if !strings.Contains(shown, series) {
		t.Error("the trunks are gone after a reload that changed their interval")
	}
	if strings.Contains(shown, "\nycm_cloud_pbx_api_up{") {
		t.Error("the series of a collector that was switched off are still served")
	}
	d.stop()
	if got := y.tokensLeft(); got != 0 {
		t.Errorf("%d tokens of the PBX are left behind", got)
	}
}
