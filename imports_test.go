package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// Imports run one way. Each folder may import what is named here, and nothing else of this module.
func TestImportsRunDownwards(t *testing.T) {
	allowed := map[string]string{
		"":                  "alerts capture collector config crash dashboards doctor exposition pbxclient poll secret storage sweep web yeastar ycmclient ycmclient/ycmtest",
		"web":               "exposition poll",
		"doctor":            "capture collector exposition pbxclient secret sweep ycmclient yeastar",
		"poll":              "collector crash exposition series sweep ycmclient yeastar",
		"config":            "collector secret strictyaml",
		"collector":         "exposition pbxclient series sweep ycmclient yeastar",
		"sweep":             "crash pbxclient ycmclient yeastar",
		"series":            "exposition",
		"exposition":        "",
		"pbxclient":         "crash secret ycmclient yeastar",
		"ycmclient":         "crash yeastar secret",
		"soak":              "exposition ycmclient/ycmtest",
		"ycmclient/ycmtest": "capture",
		"capture":           "yeastar",
		"storage":           "",
		"strictyaml":        "secret",
		"yeastar":           "crash secret",
		"crash":             "",
		"secret":            "",
	}
	const module = "github.com/ycm-exporter/ycm_exporter"
	out, err := exec.CommandContext(t.Context(), "go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...").Output()
	if err != nil {
		t.Fatalf("the go command cannot list packages: %v", err)
	}
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		from := strings.TrimPrefix(strings.TrimPrefix(words[0], module), "/")
		may, known := allowed[from]
		for _, imported := range words[1:] {
			to, ours := strings.CutPrefix(imported, module+"/")
			switch {
			case !ours:
			case !known:
				t.Errorf("folder %s imports %s, but has no place in the house: give it one here and in CONTRIBUTING.md", from, to)
			case !slices.Contains(strings.Fields(may), to):
				t.Errorf("folder %q imports %s; it may import: %s", from, to, may)
			}
		}
	}
}
