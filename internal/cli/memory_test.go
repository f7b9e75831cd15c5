package cli

import (
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
			_ = cmd.Wait()            // The exit code tells.
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

// waitKept waits until each collector's first reading is in the storage folder.
func (d *daemon) waitKept(folder string) {
	d.t.Helper()
	d.eventually("what the collectors know is kept", func() bool {
		kept := files(d.t, folder)
		return kept["cloud_pbx"] != "" && kept["firmware"] != "" && kept["subscription"] != ""
	})
}

const ofTheList = `ycm_cloud_pbx_info|ycm_cloud_pbx_status|ycm_cloud_pbx_extensions|ycm_collector_last_success_timestamp_seconds\{account="main",collector="cloud_pbx"`

func TestRestartServesAtOnceWhatWasKnown(t *testing.T) {
	for how, end := range map[string]func(*daemon) int{
		"kill -9": func(d *daemon) int { return d.kill() },
		"SIGTERM": func(d *daemon) int { return d.stop() },
	} {
		t.Run(how, func(t *testing.T) {
			y := simulate(t, 70)
			folder := filepath.Join(t.TempDir(), "storage")
			before := process(t, "--config.file="+y.configFile, "--storage.path="+folder)
			before.waitKept(folder)
			want := before.samples(ofTheList)
			if len(want) < 3*70 {
				t.Fatalf("before the restart %d samples of the list are served, want those of 70 PBXs", len(want))
			}
			end(before)

			list := y.hold(t)
			after := process(t, "--config.file="+y.configFile, "--storage.path="+folder)
			if status, _ := after.ask("GET", "/-/ready"); status != http.StatusOK {
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

// Which phones are in use outlives a restart, and with it what each firmware version is asked about: the answer is there at
// once, although no PBX tells anything more.
func TestPhonesInUseOutliveARestart(t *testing.T) {
	y := simulate(t, 6)
	y.UpdateAll(func(p *ycmtest.PBX) {
		p.Status, p.Activation, p.Version, p.APIError, p.Silent = ycmtest.Running, "Activated", "84.12.0.32", 0, false
		p.Phones = []ycmtest.Phone{{ID: 1, MAC: "805ec0123456", Vendor: "Yealink", Model: "T73W", Status: "Registered", Number: "1001", Name: "Given Family"}}
	})
	y.Update(y.IDs()[0], func(p *ycmtest.PBX) { p.Version = "84.20.0.22" })
	y.configure(t, strings.ReplaceAll(y.account("main"), "1000", "100000"), `
collectors:
  phones: {enabled: true, interval: 5s, stale_after: 1h}
  autoprovisioning: {enabled: true, required_phones: in_use}`)
	folder := filepath.Join(t.TempDir(), "storage")
	args := []string{"--config.file=" + y.configFile, "--storage.path=" + folder}
	const supported = `ycm_autoprovisioning_phone_supported\{`
	before := start(t, args...)
	before.eventually("both versions are asked about the phone in use", func() bool { return len(before.samples(supported)) == 2 })
	want := before.samples(supported)
	if code := before.stop(); code != 0 {
		t.Fatalf("the program ended with exit code %d, want 0", code)
	}
	for name, file := range files(t, folder) {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(content), "805ec0") || strings.Contains(string(content), "Family") {
			t.Errorf("the file of %s holds whose phone it is", name)
		}
	}

	y.Inject(ycmtest.Fault{Endpoint: ycmtest.Proxy, Effect: ycmtest.Failure(1000042, ycmtest.Shape{})})
	after := start(t, args...)
	if got := after.samples(supported); !slices.Equal(got, want) {
		t.Errorf("right after the restart it is said which versions know the phone in use:\n%swant:\n%s", strings.Join(got, ""), strings.Join(want, ""))
	}
	after.waitFor(`ycm_collector_success{account="main",collector="phones"} 0`)
	if got := after.samples(supported); !slices.Equal(got, want) {
		t.Errorf("after a poll that learned nothing:\n%swant:\n%s", strings.Join(got, ""), strings.Join(want, ""))
	}
}

func TestFilesOfNoUseAreSetAside(t *testing.T) {
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
		if n := strings.Count(d.out.String(), "A file was set aside"); n != 1 {
			t.Errorf("with %s of the list there are %d log lines that a file was set aside, want 1:\n%s", what, n, d.out)
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
	d.waitKept(folder)
	if code := d.stop(); code != 0 {
		d.t.Fatalf("the program ended with exit code %d, want 0:\n%s", code, d.out)
	}
}

func TestFolderThatCannotBeWrittenLaterIsTold(t *testing.T) {
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
	if n := strings.Count(d.out.String(), "storage folder cannot be written"); n != 1 {
		t.Errorf("%d log lines say that the folder cannot be written, want 1:\n%s", n, d.out)
	}
}

func TestFolderThatIsOfNoUseEndsTheStart(t *testing.T) {
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
		t.Errorf("YCM was asked %d times, want not at all", n)
	}
}

// A second exporter waits for the first to end, which lets one be replaced by the other.
func TestSecondProcessWaitsForTheFolder(t *testing.T) {
	y := simulate(t, 10)
	args := []string{"--config.file=" + y.configFile, "--storage.path=" + filepath.Join(t.TempDir(), "storage")}
	first := process(t, args...)
	first.waitReady()
	time.AfterFunc(time.Second, func() { first.kill() })
	process(t, args...).waitReady()
}
