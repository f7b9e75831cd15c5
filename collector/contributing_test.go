package collector_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The example of CONTRIBUTING.md compiles as it is, as files of the packages that it names.
func TestExampleOfContributingCompiles(t *testing.T) {
	text, err := os.ReadFile("../CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	examples := regexp.MustCompile("(?s)`([a-z]+)/seats.go`:\n\n +```go\n(.+?)```").FindAllSubmatch(text, -1)
	if len(examples) != 2 {
		t.Fatalf("CONTRIBUTING.md has %d examples, want a method of ycmclient and a collector", len(examples))
	}
	const module = "github.com/ycm-exporter/ycm_exporter/"
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	for _, example := range examples {
		folder, code := string(example[1]), string(example[2])
		source := "package " + folder + "\n"
		for _, path := range []string{"context", "time", module + "internal/series", module + "internal/yeastar", module + "ycmclient"} {
			if strings.Contains(code, path[strings.LastIndex(path, "/")+1:]+".") {
				source += "import \"" + path + "\"\n"
			}
		}
		file := filepath.Join(t.TempDir(), "seats.go")
		if err := os.WriteFile(file, []byte(source+code), 0o600); err != nil {
			t.Fatal(err)
		}
		place, err := filepath.Abs(filepath.Join("..", folder, "seats.go"))
		if err != nil {
			t.Fatal(err)
		}
		overlay.Replace[place] = file
	}
	list, err := json.Marshal(overlay)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "overlay.json")
	if err := os.WriteFile(file, list, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-overlay", file, ".").CombinedOutput(); err != nil {
		t.Errorf("the example does not compile: %v\n%s", err, out)
	}
}
