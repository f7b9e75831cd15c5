package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// each runs a test for every dashboard.
func each(t *testing.T, test func(t *testing.T, d Dashboard)) {
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
	each(t, func(t *testing.T, d Dashboard) {
		if d.SchemaVersion > 38 {
			t.Errorf("schema version %d, but Grafana 10.0 has 38", d.SchemaVersion)
		}
		if !slices.Equal(d.Tags, []string{"ycm"}) || d.Title == "" || d.Description == "" {
			t.Errorf("tags %q, title %q, description %q: want tag ycm and neither of the others empty", d.Tags, d.Title, d.Description)
		}
		uids, titles = append(uids, d.UID), append(titles, d.Title)
		for _, p := range d.Panels {
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
	each(t, func(t *testing.T, d Dashboard) {
		for _, p := range d.Panels {
			if p.Type == "row" {
				continue
			}
			if p.Title == "" || !strings.HasSuffix(p.Description, ".") {
				t.Errorf("panel %d has the title %q and the description %q, want both, and whole sentences", p.ID, p.Title, p.Description)
			}
			if p.FieldConfig.Defaults.Unit == "" {
				t.Errorf("panel %q shows numbers without a unit", p.Title)
			}
			if p.Type == "table" && !slices.ContainsFunc(p.FieldConfig.Overrides, func(o Override) bool {
				return o.Matcher.Options == "string" && slices.Contains(o.Properties, property("unit", "string"))
			}) {
				t.Errorf("table %q shows ids and names as numbers where they look like some", p.Title)
			}
			if len(p.Targets) == 0 {
				t.Errorf("panel %q asks for nothing", p.Title)
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

// TestPanelsFillTheGrid checks that no panel covers another, leaves a hole or shares its number.
func TestPanelsFillTheGrid(t *testing.T) {
	each(t, func(t *testing.T, d Dashboard) {
		taken := map[[2]int]string{}
		numbers := map[int]string{}
		bottom := 0
		for _, p := range d.Panels {
			if other, ok := numbers[p.ID]; ok || p.ID == 0 {
				t.Errorf("panels %q and %q both have the number %d", p.Title, other, p.ID)
			}
			numbers[p.ID] = p.Title
			for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
				for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
					if other, ok := taken[[2]int{x, y}]; ok {
						t.Fatalf("panel %q lies over %q at column %d, row %d", p.Title, other, x, y)
					}
					taken[[2]int{x, y}] = p.Title
				}
			}
			if p.GridPos.W < 1 || p.GridPos.H < 1 || p.GridPos.X+p.GridPos.W > columns {
				t.Errorf("panel %q is at %+v, which is not in %d columns", p.Title, p.GridPos, columns)
			}
			bottom = max(bottom, p.GridPos.Y+p.GridPos.H)
		}
		if len(taken) != columns*bottom {
			t.Errorf("%d of %d places are taken: there is a hole in a line", len(taken), columns*bottom)
		}
	})
}

// TestFleetQueriesAreBounded checks what keeps the dashboards usable with 100,000 PBXs: no query gives a series for each
// PBX, and none is evaluated for more than 168 points over the whole fleet.
func TestFleetQueriesAreBounded(t *testing.T) {
	aggregated := []string{"sum", "count", "avg", "min", "max", "topk", "bottomk", "count_values"}
	each(t, func(t *testing.T, d Dashboard) {
		for _, p := range d.Panels {
			for _, target := range p.Targets {
				if !strings.Contains(target.Expr, "ycm_cloud_pbx") || strings.Contains(target.Expr, "${pbx}") {
					continue
				}
				if !slices.ContainsFunc(aggregated, func(a string) bool {
					return strings.Contains(target.Expr, a+"(") || strings.Contains(target.Expr, a+" by (")
				}) {
					t.Errorf("panel %q draws a series for each PBX: %s", p.Title, target.Expr)
				}
				weekByHours := p.TimeFrom == "7d" && p.Interval == "1h"
				if target.Range && !weekByHours && (p.MaxDataPoints == 0 || p.MaxDataPoints > 168) {
					t.Errorf("panel %q evaluates a query over the fleet for any number of points: %s", p.Title, target.Expr)
				}
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
		for _, p := range d.Panels {
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
