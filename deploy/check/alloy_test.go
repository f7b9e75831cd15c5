package check

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/grafana/alloy/syntax/parser"
)

// Grafana Alloy can parse the examples.
func TestAlloyReadsTheExample(t *testing.T) {
	files, err := filepath.Glob("../../docs/examples/*.alloy")
	if err != nil || len(files) == 0 {
		t.Fatalf("got no example for Alloy (%v), want one in docs/examples/", err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parser.ParseFile(file, content); err != nil {
			t.Error(err)
		}
		if _, err := parser.ParseFile(file, append(content, "}\n"...)); err == nil {
			t.Errorf("%s with a brace too many was read, want an error", file)
		}
	}
}
