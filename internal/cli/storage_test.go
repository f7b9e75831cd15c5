package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/ycm-exporter/ycm_exporter/internal/storage"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// process runs the program as a process of its own, which can be killed.
func process(t *testing.T, args ...string) *daemon {
	t.Helper()
	d := &daemon{t: t, out: &output{}}
	cmd := exec.CommandContext(t.Context(), "ycm_exporter", append([]string{"--web.listen-address=127.0.0.1:0", "--log.level=debug"}, args...)...)
	cmd.Stdout, cmd.Stderr = d.out, d.out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	end := func(s os.Signal) func() int {
		return sync.OnceValue(func() int {
			_ = cmd.Process.Signal(s) // It may have ended.
			_ = cmd.Wait()            // The exit code has the outcome.
			return cmd.ProcessState.ExitCode()
		})
	}
	d.stop = end(syscall.SIGTERM)
	d.kill = end(syscall.SIGKILL)
	t.Cleanup(func() { d.kill() })
	d.listens()
	return d
}

// samples are the lines of a scrape that match, comments left out.
func (d *daemon) samples(expression string) []string {
	d.t.Helper()
	match := regexp.MustCompile("^(?:" + expression + ")")
	var found []string
	for line := range strings.Lines(d.metrics()) {
		if match.MatchString(line) {
			found = append(found, line)
		}
	}
	return found
}

// files are those in the storage folder, by their names up to the first hyphen.
func files(t *testing.T, folder string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, e := range entries {
		if kind, _, ok := strings.Cut(e.Name(), "-"); ok {
			all[kind] = filepath.Join(folder, e.Name())
		}
	}
	return all
}

// waitStored waits until each collector's first snapshot is in the storage directory.
func (d *daemon) waitStored(folder string) {
	d.t.Helper()
	d.eventually("every snapshot is stored", func() bool {
		kept := files(d.t, folder)
		return kept["cloud_pbx"] != "" && kept["firmware"] != "" && kept["subscription"] != ""
	})
}

const ofTheList = `ycm_cloud_pbx_info|ycm_cloud_pbx_status|ycm_cloud_pbx_extensions|ycm_collector_last_success_timestamp_seconds\{account="main",collector="cloud_pbx"`

func TestRestartServesStoredSnapshotsAtOnce(t *testing.T) {
	t.Parallel()
	for how, end := range map[string]func(*daemon) int{
		"kill -9": func(d *daemon) int { return d.kill() },
		"SIGTERM": func(d *daemon) int { return d.stop() },
	} {
		t.Run(how, func(t *testing.T) {
			y := simulate(t, 70)
			folder := filepath.Join(t.TempDir(), "storage")
			before := process(t, "--config.file="+y.configFile, "--storage.path="+folder)
			before.waitStored(folder)
			want := before.samples(ofTheList)
			if len(want) < 3*70 {
				t.Fatalf("before the restart %d samples of the list are served, want those of 70 PBXs", len(want))
			}
			end(before)

			list := y.hold(t)
			after := process(t, "--config.file="+y.configFile, "--storage.path="+folder)
			if status, _ := after.request("GET", "/-/ready"); status != http.StatusOK {
				t.Errorf("right after the restart /-/ready answers %d, want 200", status)
			}
			if got := after.samples(ofTheList); !slices.Equal(got, want) {
				t.Errorf("right after the restart %d samples of the list are served, want the %d from before:\n%s", len(got), len(want), strings.Join(got, ""))
			}
			if got := after.samples(`ycm_up|ycm_collector_success.*"cloud_pbx"`); len(got) != 0 {
				t.Errorf("before the first poll ended, it is said how it ended:\n%s", got)
			}
			after.waitFor(`ycm_collector_restored{account="main",collector="cloud_pbx"} 1`)
			<-list.came
			close(list.open)
			after.waitFor(`ycm_up{account="main"} 1`)
			after.waitFor(`ycm_collector_restored{account="main",collector="cloud_pbx"} 0`)
		})
	}
}

func TestUnusableFilesAreSetAside(t *testing.T) {
	t.Parallel()
	y := simulate(t, 70)
	folder := filepath.Join(t.TempDir(), "storage")
	args := []string{"--config.file=" + y.configFile, "--storage.path=" + folder}
	start(t, args...).endAfterFirstPolls(folder)

	list := files(t, folder)["cloud_pbx"]
	content, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	for what, damaged := range map[string][]byte{"half of the file": content[:len(content)/2], "nothing": nil, "other bytes": []byte("not ours")} {
		if err := os.WriteFile(list, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		d := start(t, args...)
		if n := strings.Count(d.out.String(), "Ignoring stored file, renamed it"); n != 1 {
			t.Errorf("with %s of the list there are %d log lines that a file is set aside, want 1:\n%s", what, n, d.out)
		}
		d.waitFor("ycm_cloud_pbx_info{")
		d.stop()
	}

	y.configure(t, y.account("main")+"\n    search: elsewhere")
	d := start(t, args...)
	if n := strings.Count(d.out.String(), "that is not configured"); n != 3 {
		t.Errorf("with another search %d files are set aside, want the 3 of the one before:\n%s", n, d.out)
	}
	if got := d.samples("ycm_cloud_pbx_info"); len(got) != 0 {
		t.Errorf("with another search the PBXs of the one before are served:\n%s", got)
	}
}

// endAfterFirstPolls ends the program once it has written what it knows.
func (d *daemon) endAfterFirstPolls(folder string) {
	d.t.Helper()
	d.waitStored(folder)
	if code := d.stop(); code != 0 {
		d.t.Fatalf("the program ended with exit code %d, want 0:\n%s", code, d.out)
	}
}

func TestDirectoryThatCannotBeWrittenLaterIsReported(t *testing.T) {
	t.Parallel()
	y := simulate(t, 70)
	folder := filepath.Join(t.TempDir(), "storage")
	list := y.hold(t)
	d := start(t, "--config.file="+y.configFile, "--storage.path="+folder)
	<-list.came
	if err := os.Rename(folder, folder+"-elsewhere"); err != nil {
		t.Fatal(err)
	}
	close(list.open)
	d.waitReady()
	d.eventually("the failures are counted", func() bool { return len(d.samples(`ycm_exporter_storage_write_failures_total [1-9]`)) == 1 })
	d.stop()
	if n := strings.Count(d.out.String(), "Failed to write to storage"); n != 1 {
		t.Errorf("%d log lines say that the storage cannot be written, want 1:\n%s", n, d.out)
	}
}

func TestUnusableDirectoryEndsTheStart(t *testing.T) {
	t.Parallel()
	y := simulate(t, 10)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	out := &output{}
	if code := Run(t.Context(), []string{"--config.file=" + y.configFile, "--storage.path=" + file}, out, out); code != 1 {
		t.Errorf("a start with a storage folder that is a file ends with exit code %d, want 1", code)
	}
	if !strings.Contains(out.String(), "--storage.path") {
		t.Errorf("the error does not name the flag:\n%s", out)
	}
	if n := len(y.Requests()); n != 0 {
		t.Errorf("YCM received %d requests, want not at all", n)
	}
}

// A second exporter waits for the first to end, which lets one be replaced by the other.
func TestSecondProcessWaitsForTheDirectory(t *testing.T) {
	t.Parallel()
	y := simulate(t, 10)
	args := []string{"--config.file=" + y.configFile, "--storage.path=" + filepath.Join(t.TempDir(), "storage")}
	first := process(t, args...)
	first.waitReady()
	time.AfterFunc(time.Second, func() { first.kill() })
	second := process(t, args...)
	second.waitReady()
	if n := strings.Count(second.out.String(), "Waiting for another exporter"); n != 1 {
		t.Errorf("%d log lines say that the second process waits, want 1:\n%s", n, second.out)
	}
}

func TestRefusedLoginsPersistAcrossAKill(t *testing.T) {
	t.Parallel()
	y := simulate(t, 10)
	y.SetSecret(demoClientID, "another")
	directory := filepath.Join(t.TempDir(), "storage")
	args := []string{"--config.file=" + y.configFile, "--storage.path=" + directory}
	before := process(t, args...)
	before.waitFor(`ycm_up{account="main"} 0`)
	before.eventually("the refusal is stored", func() bool { return files(t, directory)["logins"] != "" })
	before.kill()
	if got := y.Count(ycmtest.Token); got != 1 {
		t.Fatalf("before the restart there were %d logins, want 1", got)
	}
	after := process(t, args...)
	after.waitFor(`ycm_up{account="main"} 0`)
	if got := y.Count(ycmtest.Token); got != 1 {
		t.Errorf("after the restart there are %d refused logins, want the one from before: the next may come a minute later", got)
	}
}

// One-shot commands that run again and again, as from cron, must not have YCM block the address, beside an exporter or not.
func TestOneShotCommandsCountRefusedLoginsTogether(t *testing.T) {
	t.Parallel()
	y := simulate(t, 10)
	y.SetSecret(demoClientID, "another")
	directory := filepath.Join(t.TempDir(), "storage")
	args := []string{"--config.file=" + y.configFile, "--storage.path=" + directory}
	once := func(command ...string) {
		t.Helper()
		out := &output{}
		code := Run(t.Context(), append(command, args...), io.Discard, out)
		if got := y.Count(ycmtest.Token); got != 1 || code != 1 || !strings.Contains(out.String(), "account main: token: auth") {
			t.Errorf("after %q there are %d refused logins, and the exit code is %d; want 1 and 1:\n%s", command, got, code, out)
		}
	}
	once("--once")
	once("--once")
	once("--phones=main")
	if stored := files(t, directory); len(stored) != 1 || stored["logins"] == "" {
		t.Errorf("the commands store %v, want the refused logins alone", stored)
	}
	d := start(t, args...)
	d.waitFor(`ycm_up{account="main"} 0`)
	once("--once")
}

// Four refusals in a row bar the other accounts of the server, but not those of an account that is no longer configured there.
func TestRefusedLoginsOfARemovedAccountDoNotBarCommands(t *testing.T) {
	t.Parallel()
	y := simulate(t, 10)
	main := strings.ReplaceAll(y.account("main"), "1000", "60000")
	for what, account := range map[string]yeastar.Refusal{
		"an account that is gone":                    {Account: "gone", ClientID: "gone"},
		"an account that moved to another server":    {Account: "moved", ClientID: "moved"},
		"an account that is configured":              {Account: "main", ClientID: demoClientID},
		"another account that is configured as well": {Account: "other", ClientID: "other"},
	} {
		account.At = time.Now()
		y.configure(t, main, strings.Replace(strings.Replace(y.account("moved"), demoClientID, "moved", 1), y.url, "http://localhost:1", 1),
			strings.Replace(y.account("other"), demoClientID, "other", 1))
		commands := []string{"--phones=main"}
		if account.Account == "gone" {
			commands = append(commands, "--doctor")
			y.configure(t, main)
		}
		for _, command := range commands {
			directory, out, before := filepath.Join(t.TempDir(), "storage"), &output{}, y.Count(ycmtest.Token)
			store, err := storage.Open(t.Context(), directory, false, prometheus.NewRegistry(), log.NewNopLogger())
			if err != nil {
				t.Fatal(err)
			}
			saveRefusals(store, y.url, account, account, account, account)
			store.Close()
			Run(t.Context(), []string{command, "--config.file=" + y.configFile, "--storage.path=" + directory}, out, out)
			barred := account.Account == "main" || account.Account == "other"
			if got := y.Count(ycmtest.Token) - before; (got == 0) != barred {
				t.Errorf("%s, after refusals of %s, sends %d logins, want none: %t\n%s", command, what, got, barred, out)
			}
		}
	}
}

// Beside an exporter whose secret is right, a command whose secret is wrong counts the refusals of those before it.
func TestOneShotCommandsBesideAnExporterCountRefusedLogins(t *testing.T) {
	t.Parallel()
	y := simulate(t, 10)
	directory := filepath.Join(t.TempDir(), "storage")
	d := start(t, "--config.file="+y.configFile, "--storage.path="+directory)
	d.waitFor(`ycm_up{account="main"} 1`)
	d.waitStored(directory)
	before := y.Count(ycmtest.Token)
	y.configFile = filepath.Join(t.TempDir(), "config.yml")
	y.configure(t, strings.Replace(y.account("main"), demoClientSecret, "wrong", 1))
	for range 7 {
		out := &output{}
		if code := Run(t.Context(), []string{"--once", "--config.file=" + y.configFile, "--storage.path=" + directory}, io.Discard, out); code != 1 {
			t.Errorf("with a wrong secret --once ends with exit code %d, want 1:\n%s", code, out)
		}
	}
	if got := y.Count(ycmtest.Token) - before; got != 1 {
		t.Errorf("seven commands within a minute send %d logins, want 1", got)
	}
}

// saveRefusals stores refused logins as a process before has left them, under the name that their file keeps.
func saveRefusals(store *storage.Store, baseURL string, refusals ...yeastar.Refusal) {
	sum := sha256.Sum256([]byte(baseURL))
	store.Save("logins-"+hex.EncodeToString(sum[:8]), func(write func(record any) error) error {
		return write(yeastar.LoginState{Salt: "x", Refusals: refusals})
	})
}
