package main

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestImportsRunOneWay lists the imports between the packages of this module, exactly as they are: a new one is a
// decision about the architecture, and CONTRIBUTING.md explains the layout.
func TestImportsRunOneWay(t *testing.T) {
	allowed := map[string]string{
		".":                   "internal/cli",
		"collector":           "internal/crash internal/exposition internal/pbxclient internal/series internal/sweep internal/yeastar ycmclient",
		"internal/app":        "collector internal/capture internal/config internal/crash internal/exposition internal/pbxclient internal/poll internal/storage internal/sweep internal/web internal/yeastar ycmclient",
		"internal/cli":        "collector internal/app internal/capture internal/config internal/doctor internal/exposition internal/pbxclient internal/secret internal/storage internal/web ycmclient ycmclient/ycmtest",
		"internal/capture":    "internal/yeastar",
		"internal/config":     "collector internal/crash internal/secret",
		"internal/crash":      "",
		"internal/doctor":     "collector internal/pbxclient internal/sweep internal/yeastar ycmclient",
		"internal/exposition": "",
		"internal/pbxclient":  "internal/secret internal/yeastar",
		"internal/poll":       "collector internal/crash internal/exposition internal/series internal/sweep internal/yeastar ycmclient",
		"internal/secret":     "internal/crash",
		"internal/series":     "internal/exposition",
		"internal/storage":    "internal/crash",
		"internal/sweep":      "internal/crash internal/pbxclient internal/yeastar ycmclient",
		"internal/web":        "internal/poll internal/storage",
		"internal/yeastar":    "internal/crash internal/secret",
		"test/soak":           "internal/exposition ycmclient/ycmtest",
		"ycmclient":           "internal/crash internal/secret internal/yeastar",
		"ycmclient/ycmtest":   "internal/capture",
	}
	const module = "github.com/ycm-exporter/ycm_exporter"
	out, err := exec.CommandContext(t.Context(), "go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...").Output()
	if err != nil {
		t.Fatalf("the go command cannot list packages: %v", err)
	}
	for line := range strings.Lines(string(out)) {
		var from string
		var imports []string
		for i, path := range strings.Fields(line) {
			path, ours := strings.CutPrefix(path+"/", module+"/")
			switch path = strings.TrimSuffix(path, "/"); {
			case i == 0:
				from = path
			case ours:
				imports = append(imports, path)
			}
		}
		if from == "" {
			from = "."
		}
		if !slices.Equal(imports, strings.Fields(allowed[from])) {
			t.Errorf("package %s imports %q; this test allows %q", from, imports, strings.Fields(allowed[from]))
		}
		delete(allowed, from)
	}
	for gone := range allowed {
		t.Errorf("package %s, which this test lists, does not exist", gone)
	}
}

// The table of dependencies says why each of go.mod is there, and names no other.
func TestContributingListsTheDependencies(t *testing.T) {
	listed := func(file, expression string) (modules []string) {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		text := string(content)
		if _, dependencies, found := strings.Cut(text, "\n## Dependencies\n"); found {
			text = dependencies
		}
		for _, m := range regexp.MustCompile(expression).FindAllStringSubmatch(text, -1) {
			modules = append(modules, m[1])
		}
		slices.Sort(modules)
		return modules
	}
	want, got := listed("go.mod", `(?m)^\t(\S+) v\S+$`), listed("CONTRIBUTING.md", "[|,] `([a-z.]+/[^`]+)`")
	if !slices.Equal(got, want) {
		t.Errorf("CONTRIBUTING.md lists the dependencies %q, want those of go.mod: %q", got, want)
	}
}
