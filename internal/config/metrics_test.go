package config_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ycm-exporter/ycm_exporter/internal/config"
)

// What is excluded decides who polls: nobody asks for what nobody would see, unless another collector needs it. Whatever is
// probably not meant is told, with its line.
func TestExcludedMetricsDecideWhoPolls(t *testing.T) {
	const minimal = "accounts:\n  - {name: main, base_url: 'https://ycm.example.com', client_id: id, client_secret: s}\n"
	for name, c := range map[string]struct {
		exclude    string   // a list of YAML
		collectors string   // a mapping of YAML
		polled     string   // collectors
		warnings   []string // with where they are, as from metrics.exclude on
	}{
		"nothing": {exclude: "[]", polled: "firmware cloud_pbx subscription"},
		"a whole name is meant": {
			exclude: "[cloud_pbx_status, ycm_cloud_pbx_statu, ycm_cloud_pbx_status]", polled: "firmware cloud_pbx subscription",
			warnings: []string{":4: metrics.exclude[0]: matches no metric", ":4: metrics.exclude[1]: matches no metric"},
		},
		"the exporter's own": {
			exclude: "[ycm_up, go_.*]", polled: "firmware cloud_pbx subscription",
			warnings: []string{":4: metrics.exclude[0]: matches no metric", ":4: metrics.exclude[1]: matches no metric"},
		},
		"all of one": {
			exclude: "[ycm_subscription_.*]", polled: "firmware cloud_pbx",
			warnings: []string{":1: collectors.subscription: is not polled"},
		},
		"all of one that is off": {exclude: "[ycm_user_.*]", polled: "firmware cloud_pbx subscription"},
		"all of one that another needs": {
			exclude: "[ycm_firmware_.*, ycm_region_info]", polled: "firmware cloud_pbx subscription",
		},
		"everything": {
			exclude: "['.*']", polled: "firmware cloud_pbx",
			warnings: []string{":1: collectors.subscription: is not polled"},
		},
		"phones for the catalogue": {
			exclude: "[ycm_cloud_pbx_phones.*]", polled: "firmware cloud_pbx subscription phones autoprovisioning",
			collectors: "{phones: {enabled: true}, autoprovisioning: {enabled: true, required_phones: in_use}}",
		},
		"phones for nobody": {
			exclude: "[ycm_cloud_pbx_phones.*, ycm_autoprovisioning_.*]", polled: "firmware cloud_pbx subscription",
			collectors: "{phones: {enabled: true}, autoprovisioning: {enabled: true, required_phones: in_use}}",
			warnings:   []string{":1: collectors.autoprovisioning: is not polled", ":1: collectors.phones: is not polled"},
		},
		"the list, which is polled all the same": {
			exclude: "[ycm_cloud_pbx.*]", polled: "firmware cloud_pbx subscription",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if c.collectors == "" {
				c.collectors = "{firmware: {enabled: true}}"
			}
			content := fmt.Sprintf("collectors: %s\n%smetrics: {exclude: %s}\n", c.collectors, minimal, c.exclude)
			cfg := load(t, write(t, t.TempDir(), content), config.Options{})
			var polled, warnings []string
			for _, one := range cfg.Collectors {
				if one.Schedule.Enabled {
					polled = append(polled, one.Name)
				}
			}
			if got := strings.Join(polled, " "); got != c.polled {
				t.Errorf("with metrics.exclude: %s, these collectors poll: %s; want %s", c.exclude, got, c.polled)
			}
			for _, w := range cfg.Warnings {
				warnings = append(warnings, w.Error())
			}
			if !slices.EqualFunc(warnings, c.warnings, strings.Contains) {
				t.Errorf("metrics.exclude: %s has the warnings %q, want those that say %q", c.exclude, warnings, c.warnings)
			}
		})
	}
}
