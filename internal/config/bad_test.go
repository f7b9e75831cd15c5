package config_test

import (
	"context"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ycm-exporter/ycm_exporter/internal/config"
)

// planted is the secret that the bad files hold in every place where one could slip to. No error may show it.
const planted = "hush-4711.s3cr3t"

var update = flag.Bool("update", false, "write the golden files")

// problemsOf are what an error joins.
func problemsOf(t *testing.T, err error) (problems []config.Problem) {
	t.Helper()
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatalf("got error %T %v, want joined problems", err, err)
	}
	for _, one := range joined.Unwrap() {
		problems = append(problems, one.(config.Problem)) //nolint:errorlint // Each is one problem.
	}
	return problems
}

// Each file of testdata/bad breaks one rule, or a few that belong together. Its golden file is all that an operator is
// shown. The files whose name begins with expand_env are read with --config.expand-env.
func TestBadFilesAreExplained(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.yml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no bad files: %v", err)
	}
	t.Setenv("SECRET", planted)
	t.Setenv("EMPTY", "")
	t.Setenv("NINE", "9")
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yml")
		t.Run(name, func(t *testing.T) {
			cfg, err := config.Load(t.Context(), file, strings.HasPrefix(name, "expand_env"))
			if err == nil || cfg != nil {
				t.Fatalf("got configuration %v and error %v, want an error alone", cfg, err)
			}
			checkProblems(t, file, err)

			folder, _ := os.Getwd()
			got := strings.ReplaceAll(err.Error(), folder, "/etc/ycm_exporter") + "\n"
			golden := strings.TrimSuffix(file, ".yml") + ".err"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, readErr := os.ReadFile(golden)
			if readErr != nil {
				t.Fatal(readErr)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("the error is not that of %s (-want +got):\n%s", golden, diff)
			}
		})
	}
}

// checkProblems checks what holds for every error: it is Problems, sorted, one a line, each with file, line and message,
// and without the secret.
func checkProblems(t *testing.T, file string, err error) {
	t.Helper()
	problems := problemsOf(t, err)
	if got := strings.Count(err.Error(), "\n") + 1; got != len(problems) {
		t.Errorf("the error has %d lines, want one for each of the %d problems:\n%v", got, len(problems), err)
	}
	for i, p := range problems {
		if p.File != file || p.Line < 1 || p.Message == "" {
			t.Errorf("problem %+v lacks its file %s, a line or a message", p, file)
		}
		if i > 0 && p.Line < problems[i-1].Line {
			t.Errorf("problem of line %d comes after that of line %d", p.Line, problems[i-1].Line)
		}
	}
	for _, part := range []string{planted, "4711", "s3cr3t"} {
		if strings.Contains(err.Error(), part) {
			t.Errorf("the error shows %q of the secret:\n%v", part, err)
		}
	}
}

func TestFileThatCannotBeReadIsExplained(t *testing.T) {
	folder := t.TempDir()
	huge := filepath.Join(folder, "huge.yml")
	if err := os.WriteFile(huge, make([]byte, 5<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	missing := filepath.Join(folder, "missing.yml")
	for file, want := range map[string]string{
		missing: missing + ": cannot be read: no such file or directory; set --config.file to the path of the configuration, or try --demo",
		folder:  folder + ": cannot be read: is a directory; set --config.file to the path of the configuration, or try --demo",
		huge:    huge + ": is larger than 4 MiB; is it the configuration?",
	} {
		_, err := config.Load(t.Context(), file, false)
		if err == nil || err.Error() != want {
			t.Errorf("Load(%s): got error %v, want %s", file, err, want)
		}
	}
}

// A secret file that changes hands after the start is a matter of each login, so the error must be a plain one then.
func TestSecretFileThatVanishesIsReportedAtUse(t *testing.T) {
	folder := t.TempDir()
	secretFile := filepath.Join(folder, "ycm")
	if err := os.WriteFile(secretFile, []byte("first\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := load(t, write(t, folder, account+"    client_secret_file: ycm\n"), false)
	source := cfg.Accounts[0].Secret()
	if got, err := source(); err != nil || got.Reveal() != "first" {
		t.Errorf("got secret %q and error %v, want first", got.Reveal(), err)
	}
	if err := os.WriteFile(secretFile, []byte("second\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := source(); err != nil || got.Reveal() != "second" {
		t.Errorf("after a rotation: got secret %q and error %v, want second", got.Reveal(), err)
	}
	if err := os.Remove(secretFile); err != nil {
		t.Fatal(err)
	}
	if _, err := source(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after its removal: got error %v, want that the file does not exist", err)
	}
}

func TestSecretFileMustBeRegularAndSmall(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "huge"), make([]byte, 2<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(folder, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"/dev/zero": "it is not a regular file; pipes and devices are not supported",
		"pipe":      "it is not a regular file; pipes and devices are not supported",
		"huge":      "it is larger than 1 MiB; is it the right one?",
	} {
		path := write(t, folder, account+"    client_secret_file: "+name+"\n")
		_, err := config.Load(t.Context(), path, false)
		want = path + ":5: accounts[0].client_secret_file: the file cannot be used: " + want +
			" (its name is relative to " + folder + "; it is not shown because it could be a secret)"
		if err == nil || err.Error() != want {
			t.Errorf("secret file %s: got error %v, want %s", name, err, want)
		}
	}
}

// A pipe without a writer, and a file system that does not answer, hang in the system call that opens the file. The
// check and a reload must end all the same.
func TestConfigurationThatDoesNotRespondIsGivenUp(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "config.yml")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err := config.Load(ctx, pipe, false)
	want := pipe + ": cannot be read: the file, or one that it names, does not respond; check that it is a regular file and that its file system responds"
	if err == nil || err.Error() != want {
		t.Errorf("got error %v, want %s", err, want)
	}
	// The system call that was left behind ends with a writer.
	writer, err := os.OpenFile(pipe, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Error(err)
	}
}

func TestConfigurationCanComeThroughAPipe(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "config.yml")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	written := make(chan error, 1)
	go func() { written <- os.WriteFile(pipe, []byte(account+"    client_secret: x\n"), 0o600) }()
	cfg := load(t, pipe, false)
	if err := <-written; err != nil {
		t.Error(err)
	}
	if got := cfg.Accounts[0].ClientID; got != "demo-client-id" {
		t.Errorf("got Client ID %q, want demo-client-id", got)
	}
}
