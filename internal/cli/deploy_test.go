package cli

import (
	"os"
	"os/exec"
	"path"
	"regexp"
	"strings"
	"testing"
)

// Image, service and chart set flags through the environment, where a flag that does not exist would go unnoticed.
func TestDeploymentsSetFlagsThatExist(t *testing.T) {
	help := &output{}
	if code := Run(t.Context(), []string{"--help"}, help, help); code != 0 {
		t.Fatalf("--help: exit code %d, want 0; it printed:\n%s", code, help)
	}
	variable := regexp.MustCompile(`YCM_EXPORTER_[A-Z_]*[A-Z]`)
	for _, file := range []string{
		"Dockerfile", "deploy/systemd/ycm_exporter.service", "deploy/systemd/ycm_exporter.default",
		"deploy/helm/ycm-exporter/values.yaml", "deploy/helm/ycm-exporter/templates/statefulset.yaml", "docs/install.md",
	} {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range variable.FindAllString(string(content), -1) {
			if !strings.Contains(help.String(), "$"+name+")") {
				t.Errorf("%s sets %s, but no flag is read from it", file, name)
			}
		}
	}
}

// The demo, in the image, with Compose or the chart, runs with the flags that the image sets.
func TestDemoRunsWithWhatTheImageSets(t *testing.T) {
	content, err := os.ReadFile("Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	set := regexp.MustCompile(`(?m)(YCM_EXPORTER_\w+)=(\S+)`).FindAllStringSubmatch(string(content), -1)
	if len(set) == 0 {
		t.Fatal("the Dockerfile sets no flag in the environment, want those that the image needs")
	}
	for _, variable := range set {
		t.Setenv(variable[1], variable[2])
	}
	d := start(t, "--demo", "--demo.pbxs=10")
	d.waitFor("\nycm_cloud_pbxs{account=\"demo\"} 10\n")
}

// What is kept out of the build of the image must be no part of the program, or the image cannot be built.
func TestImageIsBuiltOfTheWholeProgram(t *testing.T) {
	const format = `{{$dir := .ImportPath}}{{range .GoFiles}}{{$dir}}/{{.}}
{{end}}{{range .EmbedFiles}}{{$dir}}/{{.}}
{{end}}`
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", format, ".")
	list.Env = append(os.Environ(), "GOOS=linux")
	out, err := list.Output()
	if err != nil {
		t.Fatal("listing what the program is made of: ", err)
	}
	needed := []string{"go.mod", "go.sum", "Makefile", "VERSION", "LICENSE", "scripts/licenses.sh"}
	for file := range strings.Lines(string(out)) {
		if own, is := strings.CutPrefix(strings.TrimSpace(file), "github.com/ycm-exporter/ycm_exporter/"); is {
			needed = append(needed, own)
		}
	}
	ignored, err := os.ReadFile(".dockerignore")
	if err != nil {
		t.Fatal(err)
	}
	for pattern := range strings.Lines(string(ignored)) {
		if pattern = strings.TrimSpace(pattern); pattern == "" || pattern[0] == '#' {
			continue
		}
		for _, file := range needed {
			if keptOut(t, pattern, file) {
				t.Errorf(".dockerignore keeps %s out of the image's build with %q, but the program is made of it", file, pattern)
			}
		}
	}
	if len(needed) < 100 {
		t.Errorf("the program is made of %d files, want all of them", len(needed))
	}
}

// keptOut reports whether a pattern of .dockerignore matches a file, or a folder that it is in.
func keptOut(t *testing.T, pattern, file string) bool {
	t.Helper()
	anywhere, deep := strings.CutPrefix(pattern, "**/")
	for at := file; at != "."; at = path.Dir(at) {
		against := at
		if deep {
			pattern, against = anywhere, path.Base(at)
		}
		matched, err := path.Match(pattern, against)
		if err != nil {
			t.Fatalf(".dockerignore has %q: %v", pattern, err)
		}
		if matched {
			return true
		}
	}
	return false
}
