//go:build e2e

package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// panel is a panel, or a row with the panels in it.
type panel struct {
	Title, Type string
	Targets     []struct{ RefID, Expr string }
	FieldConfig struct{ Defaults fieldConfig }
	Panels      []panel
}

// boardQuery is one query of a panel, with everything chosen in the variables.
type boardQuery struct {
	board, panel, kind, ref, expr string
	defaults                      fieldConfig
}

// fieldConfig is what of a panel's settings colours a value.
type fieldConfig struct {
	Thresholds struct {
		Steps []struct {
			Color string
			Value *float64
		}
	}
}

// colour is that of a value by the panel's thresholds.
func (q boardQuery) colour(value float64) string {
	colour := ""
	for _, step := range q.defaults.Thresholds.Steps {
		if step.Value == nil || value >= *step.Value {
			colour = step.Color
		}
	}
	return colour
}

// boardQueries are the queries of every panel of every dashboard. The PBX is the one given, the time range an hour.
func boardQueries(t *testing.T, pbx string) []boardQuery {
	t.Helper()
	chosen := strings.NewReplacer("${account:regex}", "(.*)", "${region:regex}", "(.*)", "${group:regex}", "(.*)",
		"${home:regex}", "(.*)", "${pbx}", pbx, "$__rate_interval", "1m", "$__range_s", "3600", "$__from", "0",
		"$__range", "1h", "$__interval", "1h", "${target}", "99.9")
	files, err := filepath.Glob("../../dashboards/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no dashboards: %v", err)
	}
	var queries []boardQuery
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var board struct {
			UID    string
			Panels []panel
		}
		if err := json.Unmarshal(content, &board); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		panels := board.Panels
		for _, row := range board.Panels {
			panels = append(panels, row.Panels...)
		}
		for _, p := range panels {
			for _, target := range p.Targets {
				queries = append(queries, boardQuery{board.UID, p.Title, p.Type, target.RefID, chosen.Replace(target.Expr), p.FieldConfig.Defaults})
			}
		}
	}
	if i := slices.IndexFunc(queries, func(q boardQuery) bool { return strings.Contains(q.expr, "${") }); i >= 0 {
		t.Fatalf("%s: a variable is left in %s", queries[i].board, queries[i].expr)
	}
	return queries
}
