//go:build e2e

package e2e

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// TestLintersHaveNothingToObjectTo has promtool and, where it can be had, pint look at the rules.
func TestLintersHaveNothingToObjectTo(t *testing.T) {
	rules, err := filepath.Glob(filepath.Join("..", "..", "alerts", "ycm.*.yml"))
	if err != nil || len(rules) == 0 {
		t.Fatalf("no rules are in alerts/: %v", err)
	}
	linters := map[string][]string{tool(t, "promtool"): {"check", "rules", "--lint=all", "--lint-fatal"}}
	if pint, err := exec.LookPath("pint"); err != nil {
		t.Log("SKIPPED: pint is not on the PATH (github.com/cloudflare/pint)")
	} else {
		linters[pint] = []string{"--no-color", "--offline", "lint", "--min-severity=warning", "--fail-on=warning"}
	}
	for linter, arguments := range linters {
		output, err := exec.CommandContext(t.Context(), linter, append(arguments, rules...)...).CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", filepath.Base(linter), err, output)
		}
	}
}
