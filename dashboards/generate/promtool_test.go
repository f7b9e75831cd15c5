package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

type (
	unitTest struct {
		Name     string       `json:"name"`
		Interval string       `json:"interval"`
		Input    []input      `json:"input_series"`
		Expected []evaluation `json:"promql_expr_test"`
	}
	input struct {
		Series string `json:"series"`
		Values string `json:"values"`
	}
	evaluation struct {
		Expr    string   `json:"expr"`
		Time    string   `json:"eval_time"`
		Samples []sample `json:"exp_samples"`
	}
	sample struct {
		Labels string  `json:"labels"`
		Value  float64 `json:"value"`
	}
)

// evaluate has promtool evaluate queries of the dashboards, with all accounts, regions and groups chosen and a time range of two days.
func evaluate(t *testing.T, tests ...unitTest) {
	t.Helper()
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not on the PATH: the queries are not evaluated")
	}
	variables := strings.NewReplacer("${account:regex}", "(.*)", "${region:regex}", "(.*)", "${group:regex}", "(.*)", "$__range_s", "172800", "$__range", "2d")
	for i := range tests {
		for j := range tests[i].Expected {
			tests[i].Expected[j].Expr = variables.Replace(tests[i].Expected[j].Expr)
		}
	}
	content, err := json.Marshal(map[string]any{"evaluation_interval": "15s", "tests": tests})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "queries.test.yml")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), promtool, "test", "rules", path).CombinedOutput(); err != nil {
		t.Errorf("promtool: %v\n%s", err, out)
	}
}

func series(values string, names ...string) []input {
	all := make([]input, len(names))
	for i, name := range names {
		all[i] = input{name, values}
	}
	return all
}

// TestBannerNeedsNoProcessMetrics: targets of one account, from the service discovery, export no metrics of the process.
func TestBannerNeedsNoProcessMetrics(t *testing.T) {
	started := append(series("1x40", `up{job="y", instance="h/a"}`, `up{job="y", instance="h/b"}`, `ycm_up{account="a", job="y", instance="h/a"}`,
		`ycm_cloud_pbxs{account="a", job="y", instance="h/a"}`, `ycm_exporter_shard_info{account="a", job="y", instance="h/a"}`),
		input{`ycm_collector_last_success_timestamp_seconds{account="a", collector="cloud_pbx", job="y", instance="h/a"}`, "0+60x40"},
		input{`ycm_exporter_shard_info{account="b", job="y", instance="h/b"}`, "_x4 1x36"})
	late := slices.Concat(started[:len(started)-1], []input{{`ycm_exporter_shard_info{account="b", job="y", instance="h/b"}`, "_x9 1x31"}})
	failing := slices.Concat(started, []input{{`ycm_up{account="b", job="y", instance="h/b"}`, "0x40"}})
	refused := slices.Concat(failing, []input{
		{`ycm_collector_polls_total{account="b", collector="cloud_pbx", result="auth", job="y", instance="h/b"}`, "0+1x40"},
	})
	banner := freshness().Targets[0].Expr
	shows := func(at, problem string, since float64) []evaluation {
		return []evaluation{{banner, at, []sample{{`{account="b", problem="` + problem + `"}`, since}}}}
	}
	red := evaluation{untrusted(), "30m", []sample{{`{account="b"}`, 240_000}}}
	evaluate(t,
		unitTest{"first poll", "1m", started, shows("30m", "first poll in progress since", 240_000)},
		unitTest{"scraped for less than a minute", "30s", late, shows("4m45s", "first poll in progress since", 270_000)},
		unitTest{"failing", "1m", failing, append(shows("30m", "polls failing, no data since", 240_000), red)},
		unitTest{"refused", "1m", refused, append(shows("30m", "login refused, no data since", 240_000), red)},
	)
}

// TestBannerAddsUpPBXs: of many accounts with the same problem the banner shows the earliest time, but the sum of the PBXs.
func TestBannerAddsUpPBXs(t *testing.T) {
	var unscraped, old []input
	for _, a := range []string{"a", "b", "c", "d"} {
		same := `{account="` + a + `", job="y", instance="h/` + a + `"}`
		served := append(series("1x40", `up{job="y", instance="h/`+a+`"}`, "ycm_up"+same, "ycm_exporter_shard_info"+same),
			input{"ycm_cloud_pbxs" + same, "1000x40"},
			input{`ycm:threshold:unscraped_ratio{account="` + a + `"}`, "0.1x40"},
			input{`ycm:threshold:data_age_seconds{account="` + a + `", collector="cloud_pbx"}`, "600x40"})
		last := `ycm_collector_last_success_timestamp_seconds{account="` + a + `", collector="cloud_pbx", job="y", instance="h/` + a + `"}`
		counted := `account_region_group:ycm_cloud_pbxs:count{account="` + a + `", region="r", group="g"}`
		unscraped = append(append(unscraped, served...), input{last, "0+60x40"}, input{counted, "700x40"})
		old = append(append(old, served...), input{last, "60x40"}, input{counted, "1000x40"})
	}
	many := freshness().Targets[1].Expr
	evaluate(t,
		unitTest{"PBXs", "1m", unscraped, []evaluation{{many, "30m", []sample{{`{accounts="4", problem="PBXs not scraped"}`, 1200}}}}},
		unitTest{"times", "1m", old, []evaluation{{many, "30m", []sample{{`{accounts="4", problem="data outdated, last poll"}`, 60_000}}}}},
	)
}

// TestTimeWithoutDataSurvivesChanges: a PBX that was renamed and moved has data under both names.
func TestTimeWithoutDataSurvivesChanges(t *testing.T) {
	const recorded = "cloud_pbx:ycm_cloud_pbx_status:count1h"
	before, after := `{account="a", cloud_pbx_id="1", name="old", region="r", group="g"}`, `{account="a", cloud_pbx_id="1", name="new", region="s", group="h"}`
	present := append(series("1x48", "ycm_cloud_pbx_info"+after), input{"ycm_cloud_pbx_created_timestamp_seconds" + after, "-1000000x48"})
	changed := slices.Concat(present, []input{{recorded + before, "_ 60x22"}, {recorded + after, "_x24 60x24"}})
	missing := slices.Concat(present, []input{{recorded + before, "_ 60x10"}, {recorded + after, "_x24 60x24"}})
	without := func(seconds float64) []evaluation {
		return []evaluation{
			{withoutData(""), "2d", []sample{{"{}", seconds}}},
			{strings.ReplaceAll(withoutData(""), "${region:regex}", "s"), "2d", []sample{{"{}", seconds}}},
			{withoutData("account"), "2d", []sample{{`{account="a"}`, seconds}}},
			{withoutData("region"), "2d", []sample{{`{region="s"}`, seconds}}},
			{withoutData("group"), "2d", []sample{{`{group="h"}`, seconds}}},
			{withoutData(byPBX), "2d", []sample{{`{account="a", cloud_pbx_id="1"}`, seconds}}},
		}
	}
	evaluate(t, unitTest{"changed", "1h", changed, without(0)}, unitTest{"missing", "1h", missing, without(12 * 3600)})
}
