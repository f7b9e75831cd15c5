//go:build e2e

package e2e

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// startGrafana starts a Grafana that is provisioned with the repository's dashboards and requests nothing from the outside.
func (s *stack) startGrafana(t *testing.T) {
	t.Helper()
	e2e, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	home := filepath.Dir(filepath.Dir(tool(t, filepath.Join("grafana", "bin", "grafana"))))
	address, dir := freePort(t), t.TempDir()
	s.grafana = "http://" + address
	env := []string{
		"GF_SERVER_HTTP_ADDR=" + host(address), "GF_SERVER_HTTP_PORT=" + port(address),
		"GF_PATHS_DATA=" + filepath.Join(dir, "data"), "GF_PATHS_LOGS=" + filepath.Join(dir, "logs"),
		"GF_PATHS_PROVISIONING=" + filepath.Join(e2e, "grafana", "provisioning"),
		"GF_AUTH_ANONYMOUS_ENABLED=true", "GF_AUTH_ANONYMOUS_ORG_ROLE=Admin",
		"GF_ANALYTICS_ENABLED=false", "GF_ANALYTICS_REPORTING_ENABLED=false", "GF_ANALYTICS_CHECK_FOR_UPDATES=false",
		"GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES=false", "GF_NEWS_NEWS_FEED_ENABLED=false", "GF_SECURITY_DISABLE_GRAVATAR=true",
		"GF_SECURITY_ANGULAR_SUPPORT_ENABLED=false", "GF_SNAPSHOTS_EXTERNAL_ENABLED=false", "GF_USERS_DEFAULT_THEME=dark",
		"GF_PLUGINS_PLUGIN_ADMIN_ENABLED=false", "GF_PLUGINS_PUBLIC_KEY_RETRIEVAL_DISABLED=true", "GF_LOG_LEVEL=warn",
		"PROMETHEUS_URL=" + s.prometheus, "DASHBOARDS=" + filepath.Join(e2e, "..", "..", "dashboards"),
	}
	launch(t, dir, env, filepath.Join(home, "bin", "grafana"), "server", "--homepath="+home)
	within(t, 2*time.Minute, func() error { _, err := get(s.grafana + "/api/health"); return err })
}

// testPanels opens every dashboard in a browser: each panel must draw, and the screenshots are kept for the README.
func (s *stack) testPanels(t *testing.T) {
	s.startGrafana(t)
	// Rates and forecasts need a few minutes to draw.
	within(t, 10*time.Minute, func() error {
		old, err := s.query(`ycm_exporter_build_info offset 4m`)
		if err == nil && len(old) == 0 {
			err = errors.New("the data is younger than four minutes")
		}
		return err
	})
	account, pbx := s.backfillWeek(t)
	screenshots, folder := t.TempDir(), os.Getenv("E2E_PICTURES")
	if folder != "" {
		screenshots = filepath.Join(folder, "good")
	}
	cmd := exec.CommandContext(t.Context(), "node", "panels.mjs", screenshots)
	cmd.Env = append(os.Environ(), "GRAFANA_URL="+s.grafana, "WEEK=1", "ACCOUNT="+account, "PBX="+pbx)
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatalf("opening the dashboards: %v", err)
	}
	if folder == "" {
		renewScreenshots(t, screenshots)
	}
}

// renewScreenshots replaces the screenshots that the documentation shows.
func renewScreenshots(t *testing.T, from string) {
	t.Helper()
	shown, err := filepath.Glob(filepath.Join("..", "..", "docs", "img", "*.png"))
	if err != nil || len(shown) == 0 {
		t.Fatalf("there are no screenshots in docs/img: %v", err)
	}
	for _, path := range shown {
		screenshot, err := os.ReadFile(filepath.Join(from, filepath.Base(path)))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, screenshot, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
