package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ycm-exporter/ycm_exporter/collector"
)

var update = flag.Bool("update", false, "rewrite the README's metrics table")

const (
	tableBegins = "<!-- metrics: written by go test . -update -->\n"
	tableEnds   = "<!-- end of metrics -->\n"
)

// The README's table is what users build dashboards on, so it must be what the code serves.
func TestReadmeListsEveryMetric(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(readme), tableBegins)
	table, after, closed := strings.Cut(rest, tableEnds)
	if !found || !closed {
		t.Fatalf("README.md has no metrics table between %q and %q", tableBegins, tableEnds)
	}
	want := metricsTable()
	if *update {
		if err := os.WriteFile("README.md", []byte(before+tableBegins+want+tableEnds+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, table); diff != "" {
		t.Errorf("README.md's metrics table is not what the code serves (-code +README); rewrite it with go test . -update:\n%s", diff)
	}
}

func metricsTable() string {
	rows := []string{}
	for _, f := range collector.Families() {
		rows = append(rows, fmt.Sprintf("| `%s` | `%s` | %s |\n", f.Name, strings.Join(f.Labels, "`, `"), cell(f.Help)))
	}
	slices.Sort(rows)
	return "| metric | labels | meaning |\n|---|---|---|\n" + strings.Join(rows, "")
}

// cell makes text fit into a table's cell.
func cell(help string) string { return strings.ReplaceAll(help, "|", `\|`) }
