package cli

import (
	"context"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	shell   = regexp.MustCompile("(?ms)^ *```sh\n(.*?)^ *```")
	inline  = regexp.MustCompile("`(?:\\./)?(ycm_exporter --[^`]*)`")
	comment = regexp.MustCompile(`(^|\s+)#.*$`)
)

// provedElsewhere are commands of the documentation (or, with a space at the end, how they begin), each with the file that runs it, and how it is written there.
var provedElsewhere = []struct{ command, file, written string }{
	{"make test", ".github/workflows/test.yml", "run: make test\n"},
	{"make demo", "internal/cli/daemon_test.go", `"--demo", "--demo.pbxs`},
	{"make build", "Dockerfile", "make build "},
	{"cd dashboards/generate", "Makefile", "cd dashboards/generate && $(GO) test ./..."},
	{"go test ./...", "Makefile", "cd dashboards/generate && $(GO) test ./..."},
	{"sudo dpkg -i ", "deploy/package/test/inside.sh", "dpkg --install "},
	{"sudo systemctl enable --now ycm_exporter", "deploy/package/test/inside.sh", "systemctl enable --now ycm_exporter"},
}

// notRun are the commands of a page (or how they begin) that no test runs, because they need root, a network, a cluster or another
// program.
var notRun = map[string][]string{
	"README.md":                          {"docker run", "helm install", "sudo install"},
	"SECURITY.md":                        {"sha256sum", "gh attestation verify"},
	"alerts/README.md":                   {"amtool"},
	"dashboards/README.md":               {"go run ."},
	"deploy/compose/README.md":           {"docker compose", "mkdir ycm", "printf", "sudo chown", "YCM_CONFIG_DIR=./ycm docker compose"},
	"deploy/helm/ycm-exporter/README.md": {"kubectl create secret", "kubectl delete", "helm install"},
	"deploy/kubernetes/README.md":        {"kubectl"},
	"docs/install.md":                    {"sudoedit", "sudo install", "docker run", "tar xzf", "helm install"},
	"docs/performance.md":                {"go test ./internal/exposition", "go test ./ycmclient", "make build && go test -tags e2e", "YCM_EXPORTER_TEST_PBXS"},
	"docs/upgrading.md":                  {"diff", "cp", "patch"},
	"test/e2e/README.md":                 {"make e2e"},
}

// What the documentation shows as a command is run by a test, or is listed as not run.
func TestCommandsOfTheDocumentation(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "git", "ls-files", "-co", "--exclude-standard", "*.md").Output()
	if err != nil {
		t.Fatal("listing the pages of the checkout: ", err)
	}
	pages := map[string]string{}
	for page := range strings.Lines(string(out)) {
		content, err := os.ReadFile(strings.TrimSpace(page))
		if err != nil {
			t.Fatal(err)
		}
		pages[strings.TrimSpace(page)] = string(content)
	}
	for _, p := range provedElsewhere {
		if content, err := os.ReadFile(p.file); err != nil || !strings.Contains(string(content), p.written) {
			t.Errorf("%s should run %q, but does not have %q (%v)", p.file, p.command, p.written, err)
		}
	}
	y := simulate(t, 20)
	y.configFile = filepath.Join(t.TempDir(), "config.yml")
	y.configure(t, strings.ReplaceAll(y.account("main"), "1000", "60000"))
	t.Chdir(filepath.Dir(y.configFile))
	t.Setenv("YCM_EXPORTER_WEB_LISTEN_ADDRESS", "127.0.0.1:0")
	ran := map[string]bool{}
	for _, page := range slices.Sorted(maps.Keys(pages)) {
		t.Run(page, func(t *testing.T) {
			content := pages[page]
			var exporter []string
			for _, command := range typed(content) {
				if args, is := strings.CutPrefix(strings.TrimPrefix(command, "./"), "ycm_exporter"); is {
					exporter = append(exporter, args)
				} else if !proved(command) && !slices.ContainsFunc(notRun[page], func(begin string) bool { return strings.HasPrefix(command, begin) }) {
					t.Errorf("%s shows %q, which no test runs: add it to one, or to notRun", page, command)
				}
			}
			for _, found := range inline.FindAllStringSubmatch(content, -1) {
				exporter = append(exporter, strings.TrimPrefix(found[1], "ycm_exporter"))
			}
			for _, args := range exporter {
				if !ran[args] {
					ran[args] = true
					runAsTyped(t, args)
				}
			}
		})
	}
	if len(ran) < 10 {
		t.Errorf("%d commands of the exporter were run, want those of README.md and docs/", len(ran))
	}
}

// typed are the commands that a page shows, each in one line and without its comment.
func typed(page string) (commands []string) {
	for _, block := range shell.FindAllStringSubmatch(page, -1) {
		for line := range strings.Lines(strings.ReplaceAll(block[1], "\\\n", "")) {
			if line = strings.TrimSpace(comment.ReplaceAllString(strings.TrimRight(line, "\n"), "")); line != "" {
				commands = append(commands, line)
			}
		}
	}
	return commands
}

func proved(command string) bool {
	for _, p := range provedElsewhere {
		if command == p.command || strings.HasSuffix(p.command, " ") && strings.HasPrefix(command, p.command) {
			return true
		}
	}
	return false
}

// runAsTyped runs the exporter in the working directory, which has a config.yml. One that serves is stopped once it listens.
func runAsTyped(t *testing.T, args string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	d := &daemon{t: t, out: &output{}}
	exit := make(chan int, 1)
	go func() { exit <- Run(ctx, strings.Fields(strings.ReplaceAll(args, "ACCOUNT", "main")), d.out, d.out) }()
	d.eventually("ycm_exporter"+args+" ends or listens", func() bool { return len(exit) > 0 || listening.MatchString(d.out.String()) })
	cancel()
	if code := <-exit; code != 0 {
		t.Errorf("ycm_exporter%s: exit code %d, want 0; it printed:\n%s", args, code, d.out)
	}
}
