package cli

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"
)

// TestMain lets the scripts run this binary as ycm_exporter, as a user would.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) != "ycm_exporter" { // The tests read files of the repository; the program runs where the script says.
		if err := os.Chdir("../.."); err != nil {
			panic(err)
		}
	}
	testscript.Main(leakChecked{m}, map[string]func(){"ycm_exporter": func() {
		os.Exit(Run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
	}})
}

// leakChecked fails the tests if they leave a goroutine behind.
type leakChecked struct{ *testing.M }

func (m leakChecked) Run() int {
	if err := flag.Set("test.parallel", "8"); err != nil { // Most of the time, the tests wait.
		panic(err)
	}
	code := m.M.Run()
	if code != 0 {
		return code
	}
	if err := goleak.Find(); err != nil {
		println("goroutines were left behind:", err.Error())
		return 1
	}
	return 0
}

// The scripts are what a new user types, and what the program answers.
func TestCommandLine(t *testing.T) {
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{Dir: "internal/cli/testdata/script", Setup: func(env *testscript.Env) error {
		env.Setenv("ROOT", root)
		return nil
	}})
}
