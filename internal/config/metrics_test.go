package config_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// A family that is excluded is not created, and an expression that excludes none is warned about.
func TestExcludedMetrics(t *testing.T) {
	const noMatch = "matches no metric"
	for exclude, c := range map[string]struct {
		excluded int      // families
		warnings []string // with where they are
	}{
		"[]": {},
		"[ycm_cloud_pbx_status, cloud_pbx_status, ycm_cloud_pbx_statu]": {1, []string{":4: metrics.exclude[1]: " + noMatch, ":4: metrics.exclude[2]: " + noMatch}},
		"[ycm_up, go_.*]": {0, []string{":4: metrics.exclude[0]: " + noMatch, ":4: metrics.exclude[1]: " + noMatch}},
		"[ycm_cloud_pbx_status|ycm_cloud_pbx_stat, ycm_cloud_pbx_stat|ycm_cloud_pbx_status]": {excluded: 1},
		"[ycm_subscription_expiration.*, ycm_subscription_expiration_timestamp_seconds]":     {excluded: 1},
	} {
		const minimal = "accounts:\n  - {name: main, base_url: 'https://ycm.example.com', client_id: id, client_secret: s}\n"
		cfg := load(t, write(t, t.TempDir(), fmt.Sprintf("#\n%smetrics: {exclude: %s}\n", minimal, exclude)), false)
		excluded := 0
		for _, one := range cfg.Collectors {
			excluded += len(one.Excluded)
		}
		var warnings []string
		for _, w := range cfg.Warnings {
			warnings = append(warnings, w.Error())
		}
		if excluded != c.excluded || !slices.EqualFunc(warnings, c.warnings, strings.Contains) {
			t.Errorf("metrics.exclude: %s excludes %d families with the warnings %q, want %d and those with %q", exclude, excluded, warnings, c.excluded, c.warnings)
		}
	}
}
