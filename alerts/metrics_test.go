package alerts_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/ycm-exporter/ycm_exporter/collector"
	"github.com/ycm-exporter/ycm_exporter/internal/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/internal/poll"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

var (
	quoted   = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|\[[^]]*\]`) // and ranges
	word     = regexp.MustCompile(`[a-zA-Z_:][a-zA-Z0-9_:]*`)
	selector = regexp.MustCompile(`\b(ycm_[a-z_]+)\{([^}]*)\}`)
	matcher  = regexp.MustCompile(`([a-z_]+)\s*(?:=~|!~|!=|=)\s*"([^"]*)"`)
)

// A metric that is renamed in the code would leave a rule that never fires.
func TestRulesUseMetricsThatExist(t *testing.T) {
	labels := servedLabels()
	recorded := map[string]bool{}
	for _, r := range rules(t) {
		recorded[r.Record] = true
	}
	for _, r := range rules(t) {
		name := r.Alert + r.Record
		for _, w := range word.FindAllString(quoted.ReplaceAllString(r.Expr, `""`), -1) {
			switch {
			case strings.Contains(w, ":") && !recorded[w]:
				t.Errorf("%s uses %s, which no rule records", name, w)
			case strings.HasPrefix(w, "ycm_") && labels[w] == nil:
				t.Errorf("%s uses %s, which the exporter does not serve", name, w)
			}
		}
		for _, s := range selector.FindAllStringSubmatch(r.Expr, -1) {
			for _, m := range matcher.FindAllStringSubmatch(s[2], -1) {
				if known := labels[s[1]]; known != nil && !slices.Contains(known, m[1]) {
					t.Errorf("%s selects %s by %s, which is none of its labels %v", name, s[1], m[1], known)
				}
			}
		}
	}
}

// Rules, or dashboards and their rules.
func TestEveryRecordedSeriesIsUsed(t *testing.T) {
	used := map[string]bool{}
	for _, r := range rules(t) {
		for _, w := range word.FindAllString(quoted.ReplaceAllString(r.Expr, `""`), -1) {
			used[w] = true
		}
	}
	boards, err := filepath.Glob("../dashboards/*.json")
	if err != nil || len(boards) == 0 {
		t.Fatalf("there are no dashboards: %v", err)
	}
	for _, path := range append(boards, "ycm.dashboards.yml") {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range word.FindAllString(string(content), -1) {
			used[w] = true
		}
	}
	for _, r := range rules(t) {
		if r.Record != "" && !used[r.Record] && !strings.HasSuffix(r.Record, "1h") { // read by users; see docs/availability.md
			t.Errorf("%s is recorded, but nothing uses it", r.Record)
		}
	}
}

// The recorded ycm_cloud_pbx_info has all labels: a missing one would be missing wherever it is joined.
func TestRecordedInfoHasAllLabels(t *testing.T) {
	want := slices.Sorted(slices.Values(servedLabels()["ycm_cloud_pbx_info"]))
	for _, r := range rules(t) {
		if r.Record != "cloud_pbx:ycm_cloud_pbx_info:max" {
			continue
		}
		by := regexp.MustCompile(`max by \(([^)]*)\)`).FindStringSubmatch(r.Expr)
		if by == nil {
			t.Fatalf("%s takes no maximum by labels: %s", r.Record, r.Expr)
		}
		if diff := cmp.Diff(want, slices.Sorted(strings.SplitSeq(by[1], ", "))); diff != "" {
			t.Errorf("%s has the wrong labels (-want +got):\n%s", r.Record, diff)
		}
		return
	}
	t.Error("cloud_pbx:ycm_cloud_pbx_info:max is not recorded: this test checks nothing")
}

// Two exporters of one account give each PBX twice: a join that keeps instance or job apart from the other side, or one by
// name, would find several partners.
func TestJoinsAreByAccountAndPBX(t *testing.T) {
	for _, r := range rules(t) {
		if strings.Contains(r.Expr, "ignoring") {
			t.Errorf("%s joins by ignoring labels, which keeps exporters apart: %s", r.Alert+r.Record, r.Expr)
		}
	}
}

// A misspelled status would match nothing.
func TestRulesKnowTheStatuses(t *testing.T) {
	known := map[string][]string{}
	for _, s := range ycmclient.Statuses() {
		known["ycm_cloud_pbx_status"] = append(known["ycm_cloud_pbx_status"], s.String())
	}
	for _, s := range pbxclient.TrunkStatuses() {
		known["ycm_cloud_pbx_trunk_status"] = append(known["ycm_cloud_pbx_trunk_status"], s.String())
	}
	for _, recorded := range []string{"cloud_pbx:ycm_cloud_pbx_status:not_running", "cloud_pbx:ycm_cloud_pbx_status:overdue", "cloud_pbx_size:ycm_cloud_pbx_status:overdue", "account_region_status:ycm_cloud_pbxs:count"} {
		known[recorded] = known["ycm_cloud_pbx_status"]
	}
	for _, r := range rules(t) {
		for metric, statuses := range known {
			for _, s := range regexp.MustCompile(`(?:^|[^\w:])`+metric+`\{([^}]*)\}`).FindAllStringSubmatch(r.Expr, -1) {
				for _, m := range matcher.FindAllStringSubmatch(s[1], -1) {
					for status := range strings.SplitSeq(m[2], "|") {
						if m[1] == "status" && !slices.Contains(statuses, status) {
							t.Errorf("%s: %s has no status %s; it has %v", r.Alert+r.Record, metric, status, statuses)
						}
					}
				}
			}
		}
	}
}

// servedLabels is every metric that the exporter serves, with its labels.
func servedLabels() map[string][]string {
	served := map[string][]string{
		"ycm_exporter_build_info":                    {"branch", "goarch", "goos", "goversion", "revision", "tags", "version"},
		"ycm_exporter_config_last_reload_successful": {},
		"ycm_exporter_shard_info":                    {"account", "shard", "shards"},
		"ycm_exporter_storage_write_failures_total":  {},
	}
	for _, c := range collector.All() {
		for _, f := range c.Families {
			served[f.Name] = f.Labels
		}
	}
	// Not exported yet: the rules are ready for them.
	served["ycm_cloud_pbx_trunk_up"] = []string{"account", "cloud_pbx_id", "name", "region", "trunk", "trunk_type"}
	served["ycm_api_demand_requests_per_second"] = []string{"account"}
	self := descriptions{}
	poll.NewMetrics(self)
	described := regexp.MustCompile(`fqName: "([^"]+)".*variableLabels: \{([^}]*)\}`)
	for desc := range self {
		d := described.FindStringSubmatch(desc)
		served[d[1]] = strings.Split(d[2], ",")
	}
	return served
}

// descriptions is a registry that keeps the descriptions of metrics.
type descriptions map[string]bool

func (d descriptions) Register(c prometheus.Collector) error {
	described := make(chan *prometheus.Desc)
	go func() {
		c.Describe(described)
		close(described)
	}()
	for desc := range described {
		d[desc.String()] = true
	}
	return nil
}

func (d descriptions) MustRegister(all ...prometheus.Collector) {
	for _, c := range all {
		_ = d.Register(c)
	}
}

func (d descriptions) Unregister(prometheus.Collector) bool { return false }
