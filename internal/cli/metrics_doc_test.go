package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"

	"github.com/ycm-exporter/ycm_exporter/collector"
	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

const metricsPage = "docs/metrics.md"

// labelValues are the values of labels that have a fixed set of them, by label, or by metric and label where metrics differ.
var labelValues = map[string]string{
	"ycm_cloud_pbx_status status":               "Provisioning Restoring Running Starting Stopped Unknown Upgrading",
	"ycm_cloud_pbx_trunk_status status":         "AccountTrunkUnavailable AuthenticationFailed Busy Disabled Idle IdleUnmonitored Registering RegistrationFailed Unknown Unreachable",
	"ycm_cloud_pbx_feature_enabled feature":     "im passwordless_login provisioning_via_template recording superior_passwordless_login upgrade_in_pbx",
	"ycm_cloud_pbx_ai_capacity_seconds feature": "receptionist transcription",
	"ycm_cloud_pbx_ai_used_seconds feature":     "receptionist transcription",
	"ycm_cloud_pbx_endpoints endpoint":          "fxs_phone linkus_desktop linkus_mobile linkus_web sip_phone",
	"ycm_cloud_pbx_endpoints state":             "offline online",
	"ycm_cloud_pbx_phones state":                "registered unassigned unregistered",
	"ycm_dids state":                            "assigned unassigned",
	"trunk_type":                                "account other peer peer_did peer_port peer_private register webtrunk",
	"quota":                                     "onetime pack",
	"firmware_type":                             "cluster cm pbx",
	"service":                                   "remoteManagementAccount remoteManagementPremiumAccount",
	"result":                                    "auth denied invalid network not_found ok rate_limited server timeout",
	"reason":                                    "network rate_limited server timeout",
	"grant":                                     "client_credentials refresh_token",
}

func valuesOf(metric, label string) []string {
	if values, own := labelValues[metric+" "+label]; own {
		return strings.Fields(values)
	}
	return strings.Fields(labelValues[label])
}

// described is a row of a table of docs/metrics.md.
type described struct {
	name, kind, help string
	labels           []string
}

// What users build dashboards on is documented as it is served.
func TestDocsListEveryMetric(t *testing.T) {
	t.Parallel()
	uses := usersOfMetrics(t)
	var out strings.Builder
	for _, c := range collector.All() {
		when := fmt.Sprintf("Enabled by default, every `%s`", model.Duration(c.Schedule.Interval))
		if !c.Schedule.Enabled {
			when = fmt.Sprintf("Disabled by default; every `%s`", model.Duration(c.Schedule.Interval))
		}
		fmt.Fprintf(&out, "## Collector %s\n\n%s. Requests: %s.\n\n", c.Name, when, pagesRead(t, c.Name))
		var rows []described
		for _, f := range c.Families {
			rows = append(rows, described{f.Name, "gauge", f.Help, f.Labels})
		}
		out.WriteString(metricsTable(rows, uses, true) + "\n")
	}
	compareSection(t, "collectors", out.String())
}

// The exporter's own metrics are those that an exporter serves beside those of the collectors.
func TestDocsListTheExportersOwnMetrics(t *testing.T) {
	t.Parallel()
	ofCollectors := map[string]bool{}
	for _, c := range collector.All() {
		for _, f := range c.Families {
			ofCollectors[f.Name] = true
		}
	}
	y := simulate(t, 5)
	y.pollPBXs(t)
	odd := y.PBXs()[0].ID
	y.UpdateAll(func(p *ycmtest.PBX) {
		if p.ID == odd {
			p.Activation = "Perhaps"
		}
	})
	d := start(t, "--config.file="+y.configFile, "--storage.path="+filepath.Join(t.TempDir(), "storage"))
	for _, late := range []string{"ycm_up{", "ycm_api_demand_requests_per_second{", "ycm_collector_sweep_duration_seconds{", "ycm_collector_pbx_polls_total{", "ycm_exporter_shard_info{", "ycm_api_unexpected_values_total{"} {
		d.waitFor("\n" + late)
	}
	var rows []described
	served := d.metrics()
	for _, found := range regexp.MustCompile(`(?m)^# HELP (ycm_\w+) (.*)\n# TYPE \w+ (\w+)\n(.*)$`).FindAllStringSubmatch(served, -1) {
		if row := (described{name: found[1], help: found[2], kind: found[3]}); !ofCollectors[row.name] {
			for _, label := range regexp.MustCompile(`(\w+)="`).FindAllStringSubmatch(found[4], -1) {
				if label[1] != "le" {
					row.labels = append(row.labels, label[1])
				}
			}
			rows = append(rows, row)
		}
	}
	compareSection(t, "exporter", metricsTable(rows, usersOfMetrics(t), false))
}

// No label has a value that the documentation does not list for it, and every label is described.
func TestDocsListLabelValues(t *testing.T) {
	t.Parallel()
	var metrics output
	if code := Run(t.Context(), []string{"--demo", "--demo.incidents", "--demo.pbxs=100", "--once"}, &metrics, io.Discard); code != 0 {
		t.Fatalf("polling the demo once ended with exit code %d, want 0", code)
	}
	page, err := os.ReadFile(metricsPage)
	if err != nil {
		t.Fatal(err)
	}
	_, glossary, _ := strings.Cut(string(page), "\n## Labels\n")
	glossary, _, _ = strings.Cut(glossary, "\n## ")
	checked := map[string]bool{}
	for _, sample := range regexp.MustCompile(`(?m)^(ycm_\w+)\{(.*)\} `).FindAllStringSubmatch(metrics.String(), -1) {
		for _, label := range regexp.MustCompile(`(\w+)="([^"\\]*)`).FindAllStringSubmatch(sample[2], -1) {
			if checked[sample[1]+label[0]] {
				continue
			}
			checked[sample[1]+label[0]] = true
			if values := valuesOf(sample[1], label[1]); len(values) > 0 {
				if !slices.Contains(values, label[2]) {
					t.Errorf("%s has %s=%q, want one of %q", sample[1], label[1], label[2], values)
				}
			} else if label[1] != "le" && !checked[label[1]] && !regexp.MustCompile("(?m)^\\| .*`"+label[1]+"`.* \\|").MatchString(glossary) {
				checked[label[1]] = true
				t.Errorf("%s does not describe the label %s, of %s", metricsPage, label[1], sample[1])
			}
		}
	}
}

// compareSection compares or rewrites what is generated on the page.
func compareSection(t *testing.T, name, want string) {
	t.Helper()
	begin, end := "<!-- "+name+": written by go test ./internal/cli -update -->\n", "<!-- end of "+name+" -->\n"
	text, err := os.ReadFile(metricsPage)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), begin)
	got, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("%s has nothing between %q and %q", metricsPage, begin, end)
	}
	if *update {
		if err := os.WriteFile(metricsPage, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s is not what the code serves (-code +file); rewrite it with go test ./internal/cli -run Docs -parallel 1 -update:\n%s", metricsPage, diff)
	}
}

// metricsTable has a row for each metric, sorted by name; with api, a column has the fields of the API.
func metricsTable(rows []described, uses map[string][]string, api bool) string {
	head := "| metric | type | labels | description | used by |\n|---|---|---|---|---|\n"
	if api {
		head = "| metric | type | labels | description | API field | used by |\n|---|---|---|---|---|---|\n"
	}
	var lines []string
	for _, r := range rows {
		var labels []string
		for _, label := range r.labels {
			shown := "`" + label + "`"
			if values := valuesOf(r.name, label); len(values) > 0 {
				shown += ": `" + strings.Join(values, "`, `") + "`"
			}
			labels = append(labels, shown)
		}
		field := ""
		if api {
			field = apiFields[r.name] + " | "
		}
		line := fmt.Sprintf("| `%s` | %s | %s | %s | %s%s |\n", r.name, r.kind, strings.Join(labels, "; "),
			strings.ReplaceAll(strings.TrimSuffix(r.help, "."), "|", `\|`), field, strings.Join(uses[r.name], ", "))
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return head + strings.Join(lines, "")
}

// pagesRead names the pages of the API that a collector reads, which are those of its golden test.
func pagesRead(t *testing.T, name string) string {
	var pages []string
	for folder, of := range map[string]string{"api": "", "pbx": " of each PBX"} {
		root := filepath.Join("collector", "testdata", name, folder)
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			page := strings.TrimPrefix(filepath.ToSlash(path), filepath.ToSlash(root)+"/")
			// The name of a file continues with what is requested, behind a dot.
			file := strings.LastIndex(page, "/") + 1
			base, _, _ := strings.Cut(page[file:], ".")
			pages = append(pages, "`"+number.ReplaceAllString(page[:file], "/{id}/")+base+"`"+of)
			return nil
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	slices.Sort(pages)
	if len(pages) == 0 {
		t.Errorf("collector/testdata/%s has neither api/ nor pbx/: what does the collector %s read?", name, name)
	}
	return strings.Join(slices.Compact(pages), ", ")
}

var number = regexp.MustCompile(`/\d+/`)
