package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// eachDashboard runs a test for every dashboard.
func eachDashboard(t *testing.T, test func(t *testing.T, d Dashboard)) {
	for _, d := range dashboards() {
		t.Run(d.UID, func(t *testing.T) { test(t, d) })
	}
}

// TestCommittedDashboardsAreCurrent keeps what operators import and what this code makes the same.
func TestCommittedDashboardsAreCurrent(t *testing.T) {
	made := t.TempDir()
	if err := write(made, dashboards()); err != nil {
		t.Fatal(err)
	}
	want, err := filepath.Glob(filepath.Join(made, "*.json"))
	if err != nil || len(want) != len(pages) {
		t.Fatalf("%d dashboards were written (%v), want %d", len(want), err, len(pages))
	}
	for _, path := range want {
		name := filepath.Base(path)
		current, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		committed, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(committed, current) {
			t.Errorf("%s is not what the generator makes now: run `go run .` in dashboards/generate", name)
		}
	}
	committed, err := filepath.Glob("../*.json")
	if err != nil || len(committed) != len(want) {
		t.Errorf("%d dashboards are committed (%v), but %d are made: delete those that are no more", len(committed), err, len(want))
	}
}

// TestDashboardsLoadInGrafana10 checks what an import needs to be clean and to stay in place.
func TestDashboardsLoadInGrafana10(t *testing.T) {
	// Those of Grafana 10.0, less the ones that some builds leave out: the gauge and the old graph.
	known := []string{"barchart", "bargauge", "heatmap", "piechart", "row", "stat", "state-timeline", "table", "text", "timeseries"}
	var uids, titles []string
	eachDashboard(t, func(t *testing.T, d Dashboard) {
		if d.SchemaVersion > 38 {
			t.Errorf("schema version %d, but Grafana 10.0 has 38", d.SchemaVersion)
		}
		if !slices.Equal(d.Tags, []string{"ycm"}) || d.Title == "" || d.Description == "" {
			t.Errorf("tags %q, title %q, description %q: want tag ycm and neither of the others empty", d.Tags, d.Title, d.Description)
		}
		uids, titles = append(uids, d.UID), append(titles, d.Title)
		for _, p := range d.all() {
			if !slices.Contains(known, p.Type) {
				t.Errorf("panel %q is a %s, which Grafana 10.0 may not have", p.Title, p.Type)
			}
		}
	})
	for i, p := range pages {
		if !slices.Contains(uids, p.uid) || !slices.Contains(titles, p.title) {
			t.Errorf("page %d, %s (%s), has no dashboard", i, p.uid, p.title)
		}
	}
}

// TestPanelsExplainThemselves checks that nobody has to guess what a number means.
func TestPanelsExplainThemselves(t *testing.T) {
	eachDashboard(t, func(t *testing.T, d Dashboard) {
		for _, p := range d.all() {
			if p.Type == "row" {
				continue
			}
			if p.Title == "" || !strings.HasSuffix(p.Description, ".") {
				t.Errorf("panel %d has the title %q and the description %q, want both, and whole sentences", p.ID, p.Title, p.Description)
			}
			if p.FieldConfig.Defaults.Unit == "" {
				t.Errorf("panel %q shows numbers without a unit", p.Title)
			}
			if label := p.FieldConfig.Defaults.Custom["axisLabel"]; label == "" {
				t.Errorf("panel %q has an axis that says not what it counts", p.Title)
			}
			if p.Type == "table" && !slices.ContainsFunc(p.FieldConfig.Overrides, func(o Override) bool {
				return o.Matcher.Options == "string" && slices.Contains(o.Properties, property("unit", "string"))
			}) {
				t.Errorf("table %q shows ids and names as numbers where they look like some", p.Title)
			}
			if len(p.Targets) == 0 {
				t.Errorf("panel %q has no query", p.Title)
			}
			sources := []*Datasource{p.Datasource}
			var refs []string
			for _, target := range p.Targets {
				sources, refs = append(sources, target.Datasource), append(refs, target.RefID)
				if target.Instant == target.Range {
					t.Errorf("query %s of panel %q must be one of instant and range", target.RefID, p.Title)
				}
			}
			for _, source := range sources {
				if source == nil || *source != (Datasource{Type: "prometheus", UID: "${datasource}"}) {
					t.Errorf("panel %q reads from %v, want the variable datasource", p.Title, source)
				}
			}
			if unique := slices.Compact(slices.Sorted(slices.Values(refs))); len(unique) != len(refs) {
				t.Errorf("the queries of panel %q are named %q, want different names", p.Title, refs)
			}
		}
	})
}

// TestNothingIsKnownFromNothing holds what an operator relies on at night: a zero, and green, is only where data is, and what
// is recorded counts only while it is. A constant vector is there even when nothing is scraped.
func TestNothingIsKnownFromNothing(t *testing.T) {
	eachDashboard(t, func(t *testing.T, d Dashboard) {
		for _, query := range d.queries() {
			if regexp.MustCompile(`\b(vector|absent|absent_over_time)\(`).MatchString(strings.ReplaceAll(query, noRow, "")) {
				t.Errorf("this query answers although nothing is known: %s", query)
			}
		}
		for _, p := range d.all() {
			if p.Type == "row" {
				continue
			}
			for _, target := range p.Targets {
				recorded := regexp.MustCompile(`[a-z_]+:ycm_[a-z_]+(:[a-z_]+)?\{[^}]*\}( and on \(account\) ycm_cloud_pbxs\{|\[)?`)
				for _, series := range recorded.FindAllStringSubmatch(regexp.MustCompile(`\$\{[^}]*\}`).ReplaceAllString(target.Expr, ""), -1) {
					if p.Type != "timeseries" && p.ID != 1 && series[2] == "" && target.Instant {
						t.Errorf("panel %q shows %s as long as it is recorded, which is longer than anything is scraped", p.Title, series[0])
					}
				}
			}
			for _, step := range p.FieldConfig.Defaults.Thresholds.Steps[1:] {
				if !slices.Contains([]float64{least, 0, some, 1}, *step.Value) && p.Title != "Requests failed" {
					t.Errorf("panel %q changes its colour at %v, beside the thresholds of the rules", p.Title, *step.Value)
				}
			}
			if text := p.FieldConfig.Defaults.NoValue; !slices.Contains([]string{noData, "no data", neverScraped}, text) {
				t.Errorf("panel %q says %q without data, which claims to know something", p.Title, text)
			}
			if base := p.FieldConfig.Defaults.Thresholds.Steps[0].Color; p.Type == "stat" && base != unknown {
				t.Errorf("tile %q is %s without a value, want grey", p.Title, base)
			}
		}
		if first := d.Panels[0]; first.Title != "Data freshness" {
			t.Errorf("the first panel is %q, want the data freshness", first.Title)
		}
	})
}

// TestPanelsNameTheCollectorThatIsOff checks that a panel which needs a collector does not stay empty without a word where that is not enabled.
func TestPanelsNameTheCollectorThatIsOff(t *testing.T) {
	needed := regexp.MustCompile(`Needs the collectors? (\w+)`)
	eachDashboard(t, func(t *testing.T, d Dashboard) {
		for _, p := range d.all() {
			collector := needed.FindStringSubmatch(p.Description)
			if collector == nil || p.Type == "state-timeline" {
				continue
			}
			encoded, err := json.Marshal(p)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(encoded), "off: collector "+collector[1]) {
				t.Errorf("panel %q does not show that the collector %s is off", p.Title, collector[1])
			}
		}
	})
}

// TestRegionsAreAddedUpAsOnePlace checks that no table has two rows for a region that YCM spells in two ways.
func TestRegionsAreAddedUpAsOnePlace(t *testing.T) {
	aggregation := regexp.MustCompile(`\b(?:sum|count|max|min|avg) by \(([^)]*)\)`)
	eachDashboard(t, func(t *testing.T, d Dashboard) {
		for _, p := range d.all() {
			for _, target := range p.Targets {
				for _, m := range aggregation.FindAllStringSubmatch(target.Expr, -1) {
					labels := strings.Split(m[1], ", ")
					if p.Type == "table" && slices.Contains(labels, "region") && !slices.Contains(labels, "account") && !slices.Contains(labels, "cloud_pbx_id") {
						t.Errorf("table %q has a row for each spelling of a region (%s): %s", p.Title, m[0], target.Expr)
					}
				}
			}
		}
	})
}

// TestNumbersLeadToTheirLists checks that a number and the table that it opens are made of the same vector.
func TestNumbersLeadToTheirLists(t *testing.T) {
	all := dashboards()
	lists := 0
	for _, d := range all {
		for _, p := range d.all() {
			if p.list == "" {
				continue
			}
			lists++
			links := p.FieldConfig.Defaults.Links
			if len(links) != 1 {
				t.Errorf("%s: the number %q has %d links, want one, to the list %q", d.UID, p.Title, len(links), p.list)
				continue
			}
			to := regexp.MustCompile(`^/d/([a-z-]+)\?viewPanel=(\d+)&`).FindStringSubmatch(links[0].URL)
			if to == nil {
				t.Errorf("%s: the number %q leads to %s, want a panel", d.UID, p.Title, links[0].URL)
				continue
			}
			for _, other := range all {
				for _, table := range other.all() {
					if other.UID != to[1] || strconv.Itoa(table.ID) != to[2] {
						continue
					}
					counted := strings.TrimPrefix(strings.Split(p.Targets[0].Expr, ") or 0 * count(")[0], "count(")
					if table.Title != p.list || p.Title == p.list && p.list != "Alerts firing" && !strings.Contains(table.Targets[0].Expr, counted) {
						t.Errorf("%s: %q counts %s, but opens %q, which lists %s", d.UID, p.Title, counted, table.Title, table.Targets[0].Expr)
					}
				}
			}
		}
	}
	if lists == 0 {
		t.Error("no number leads to a list: this test has lost its subject")
	}
}

// TestFleetQueriesAreBounded checks what keeps the dashboards usable with 100,000 PBXs: whatever is drawn over time reads
// the recorded sums, or one PBX.
func TestFleetQueriesAreBounded(t *testing.T) {
	eachDashboard(t, func(t *testing.T, d Dashboard) {
		for _, p := range d.all() {
			for _, target := range p.Targets {
				// Some have few series, only those of PBXs that are not Running or do not respond, or few samples, one per hour; or are read once.
				few := regexp.MustCompile(`cloud_pbx:ycm_cloud_pbx_[a-z_]+:(since|not_answering|sum1h|count1h)\{|ycm_cloud_pbx_info\{[^@]*\} @ end\(\)`)
				if target.Range && regexp.MustCompile(`(?:^|[^:a-z_])(?:ycm_cloud_pbx_|cloud_pbx:)`).MatchString(few.ReplaceAllString(target.Expr, "{")) && !strings.Contains(target.Expr, "${pbx}") {
					t.Errorf("panel %q reads a series for each PBX at every point in time: %s", p.Title, target.Expr)
				}
			}
		}
	})
}

// TestAxesAreLabelled checks that nobody has to guess what a height means.
func TestAxesAreLabelled(t *testing.T) {
	eachDashboard(t, func(t *testing.T, d Dashboard) {
		for _, p := range d.all() {
			if p.Type == "timeseries" && (p.FieldConfig.Defaults.Custom["axisLabel"] == "" || p.FieldConfig.Defaults.Custom["scaleDistribution"] != nil) {
				t.Errorf("panel %q has an axis without a label, or one that is not linear", p.Title)
			}
		}
	})
}

// TestQueriesAreListed checks what other checks of the project rely on: every query, one a line.
func TestQueriesAreListed(t *testing.T) {
	var printed bytes.Buffer
	printQueries(&printed, dashboards())
	lines := strings.Split(strings.TrimSuffix(printed.String(), "\n"), "\n")
	want := 0
	for _, d := range dashboards() {
		for _, v := range d.Templating.List {
			if v.Type == "query" {
				want++
			}
		}
		for _, p := range d.all() {
			want += len(p.Targets)
		}
	}
	if len(lines) != want {
		t.Errorf("%d lines for %d queries", len(lines), want)
	}
	if !slices.ContainsFunc(lines, func(l string) bool { return strings.Contains(l, "ycm_autoprovisioning_phone_supported") }) {
		t.Error("the query for required phones is not among them")
	}
}

// TestOverridesMeetWhatIsShown checks that what is coloured or given a unit by its name is there: an override whose name
// nothing has is silently without effect.
func TestOverridesMeetWhatIsShown(t *testing.T) {
	placeholder := regexp.MustCompile(`\\\{\\\{\w+\\\}\\\}`)
	eachDashboard(t, func(t *testing.T, d Dashboard) {
		for _, p := range d.all() {
			var shown []string
			if x, ok := p.Options["xField"].(string); ok {
				shown = append(shown, x)
			}
			for _, target := range p.Targets {
				shown = append(shown, placeholder.ReplaceAllString(regexp.QuoteMeta(target.LegendFormat), ".+"))
			}
			for _, tr := range p.Transformations {
				if headed, ok := tr.Options["applyTo"].(Option); ok {
					shown = append(shown, regexp.QuoteMeta(headed.Options.(string)))
				}
				if titles, ok := tr.Options["renameByName"].(map[string]string); ok {
					for field, title := range titles {
						shown = append(shown, regexp.QuoteMeta(field), regexp.QuoteMeta(title))
					}
				}
				if field, ok := tr.Options["byField"].(string); ok {
					shown = append(shown, regexp.QuoteMeta(field))
				}
			}
			if p.FieldConfig == nil {
				continue
			}
			for _, o := range p.FieldConfig.Overrides {
				name, ok := o.Matcher.Options.(string)
				if o.Matcher.ID == "byName" && ok && !slices.ContainsFunc(shown, func(s string) bool {
					return regexp.MustCompile("^(?:" + s + ")$").MatchString(name)
				}) {
					t.Errorf("panel %q changes how %q is shown, but shows only %q", p.Title, name, shown)
				}
			}
		}
	})
}
