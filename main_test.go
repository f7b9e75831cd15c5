package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

const runMain = "YCM_TEST_RUN_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(runMain) != "" {
		main()
	}
	os.Exit(m.Run())
}

// A binary has its version however it is built.
func TestVersion(t *testing.T) {
	t.Parallel()
	command := exec.CommandContext(t.Context(), os.Args[0], "--version")
	command.Env = append(os.Environ(), runMain+"=yes")
	out, err := command.CombinedOutput()
	if want := "ycm_exporter, version " + strings.TrimSpace(release) + " (revision: "; err != nil || !strings.HasPrefix(string(out), want) {
		t.Errorf("--version prints %q, %v; want %q", out, err, want)
	}
}
