package cli

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// What YCM remembers of the exporter, a killed exporter must not forget.
func TestKilledExporterKeepsToItsBudget(t *testing.T) {
	const burst = 5 // The first polls need more.
	y := simulate(t, 70)
	y.configure(t, strings.ReplaceAll(y.account("main"), "{burst: 1000, rate: 1000,", "{burst: 5, rate: 5,"))
	args := []string{"--config.file=" + y.configFile, "--storage.path=" + filepath.Join(t.TempDir(), "storage")}
	before := process(t, args...)
	before.waitFor(`ycm_api_budget_tokens{account="main"} 0`)
	before.eventually("the budget is used", func() bool { return len(y.Requests()) == burst })
	before.kill()

	after := process(t, args...)
	after.waitFor(`ycm_api_budget_tokens{account="main"} 0`)
	after.eventually("a poll is under way", func() bool { _, page := after.ask("GET", "/status"); return strings.Contains(page, "cloud_pbx") })
	if got := len(y.Requests()); got != burst {
		t.Errorf("after the restart YCM got %d requests, want the %d from before: the minute is not over", got, burst)
	}
}

func TestKilledExporterRemembersRefusedLogins(t *testing.T) {
	y := simulate(t, 10)
	y.SetSecret(demoClientID, "another")
	args := []string{"--config.file=" + y.configFile, "--storage.path=" + filepath.Join(t.TempDir(), "storage")}
	before := process(t, args...)
	before.waitFor(`ycm_up{account="main"} 0`)
	before.kill()
	if got := y.Count(ycmtest.Token); got != 1 {
		t.Fatalf("before the restart there were %d logins, want 1", got)
	}
	after := process(t, args...)
	after.waitFor(`ycm_up{account="main"} 0`)
	if got := y.Count(ycmtest.Token); got != 1 {
		t.Errorf("after the restart there are %d refused logins, want the one from before: the next may come a minute later", got)
	}
}
