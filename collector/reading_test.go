package collector_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-kit/log"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/ycm-exporter/ycm_exporter/collector"
	"github.com/ycm-exporter/ycm_exporter/internal/crash"
	"github.com/ycm-exporter/ycm_exporter/internal/poll"
	"github.com/ycm-exporter/ycm_exporter/internal/secret"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// files are what was saved of each collector, as it stands in a file.
type files struct {
	t       testing.TB
	content map[string][]byte
}

func (f files) Save(name string, records func(write func(any) error) error) {
	var file bytes.Buffer
	if err := records(json.NewEncoder(&file).Encode); err != nil {
		f.t.Errorf("%s cannot be saved: %v", name, err)
	}
	_, reading, _ := bytes.Cut(file.Bytes(), []byte("\n")) // Without what is known of the poll.
	f.content[name] = reading
}

func (f files) Load(name string, load func(next func(any) error) error) bool {
	content, ok := f.content[name]
	if !ok {
		return false
	}
	served := fmt.Sprintf(`{"LastSuccess":%q,"Published":%[1]q,"Expires":%q}`, time.Now().Format(time.RFC3339), time.Now().Add(time.Hour).Format(time.RFC3339))
	lines := strings.Split(served+"\n"+strings.TrimSuffix(string(content), "\n"), "\n")
	err := crash.Catch(func() error {
		return load(func(record any) error {
			if len(lines) == 0 {
				return io.ErrUnexpectedEOF
			}
			first := lines[0]
			lines = lines[1:]
			return json.Unmarshal([]byte(first), record)
		})
	})
	if err != nil {
		f.t.Logf("%s cannot be loaded: %v", name, err)
	}
	return err == nil
}

// restored is the snapshots that a new account restores from what was saved.
func (f files) restored() shelf {
	base := &url.URL{Scheme: "https", Host: "ycm.example.com"}
	s, metrics := shelf{}, poll.NewMetrics(prometheus.NewRegistry())
	account := poll.NewAccount(poll.Options{
		Account: "main", BaseURL: base, Collectors: everything(f.t), Publisher: s, Metrics: metrics, Logger: log.NewNopLogger(), Store: f,
		Client: ycmclient.New(ycmclient.Options{
			Servers: ycmclient.NewServers(nil),
			Account: "main", BaseURL: base, ClientID: "demo-client-id", Secret: secret.Static(secret.New("demo-client-secret")),
			RateLimit: ycmclient.RateLimit{Burst: 1, Rate: 1, Interval: time.Minute}, Timeout: time.Second,
			PageConcurrency: 1, Observer: metrics.Observer("main"),
		}),
	})
	account.Restore()
	return s
}

var (
	aTime     = regexp.MustCompile(`"\d{4}-\d\d-\d\dT[^"]+"`)
	aDuration = regexp.MustCompile(`("Came"|"Took"):\d+`)
	// The age of a backup grows while the test is not run; one that is yet to come has the age 0.
	ageOfBackup = regexp.MustCompile(`(?m)^(ycm_cloud_pbx_backup_age_seconds\{.*\}) [1-9]\S+$`)
)

const (
	readingFile = "reading.format1.json"
	someTime    = `"2026-01-01T00:00:00Z"` // All times in these files, which are now when they are read.
)

// What persists across a restart, to the letter: files that earlier versions have written are to be read by later ones, and to
// show then what was shown before. When the format is raised, these files stay, and those of the new one are added.
func TestGoldenReadings(t *testing.T) {
	f := files{t, map[string][]byte{}}
	before, _ := pollAll(t, fixtures(t).URL, &http.Transport{}, f)
	for _, c := range collector.All() {
		written := aDuration.ReplaceAllString(aTime.ReplaceAllString(string(f.content[c.Name]), someTime), `$1:1`)
		if c.QueriesPBXs { // They answer in any order.
			lines := strings.SplitAfter(written, "\n")
			slices.Sort(lines[1 : len(lines)-1])
			written = strings.Join(lines, "")
		}
		golden(t, filepath.Join(c.Name, readingFile), written)
		content, err := os.ReadFile(filepath.Join("testdata", c.Name, readingFile))
		if err != nil {
			t.Fatal(err)
		}
		f.content[c.Name] = bytes.ReplaceAll(content, []byte(someTime), []byte(time.Now().Format(`"`+time.RFC3339+`"`)))
		for _, private := range private {
			if strings.Contains(written, private) {
				t.Errorf("what is saved of %s has %q", c.Name, private)
			}
		}
	}
	after := f.restored()
	for _, c := range collector.All() {
		if after[c.Name] == nil {
			t.Errorf("nothing is served of %s after a restart", c.Name)
			continue
		}
		shown := func(s shelf) string { return ageOfBackup.ReplaceAllString(exposed(t, s[c.Name]), "$1 AGE") }
		if diff := cmp.Diff(shown(before), shown(after)); diff != "" {
			t.Errorf("%s shows something else after a restart (-before +after):\n%s", c.Name, diff)
		}
	}
}

// What an earlier version stored is served, and a field that it did not know yet is absent, not 0. These files are never rewritten.
func TestReadingsOfEarlierVersions(t *testing.T) {
	for name, c := range map[string]struct{ served, absent []string }{
		"cloud_pbx": {
			[]string{`ycm_cloud_pbx_extensions_used{account="main",cloud_pbx_id="7715"`, `ycm_cloud_pbx_active_calls{account="main",cloud_pbx_id="100003"`},
			[]string{"ycm_cloud_pbx_transcription_capacity_seconds{", "ycm_cloud_pbx_transcription_used_seconds{", `ycm_cloud_pbx_active_calls{account="main",cloud_pbx_id="88"`},
		},
		"users": {
			[]string{`ycm_user_extensions_used{account="main",user_id="205"} 475`, `ycm_user_info{account="main",company="",user_id="31"`},
			[]string{
				"ycm_user_ultimate_extensions", "ycm_user_remote_connections", "ycm_user_transcription",
				`ycm_user_extensions_used{account="main",user_id="31"`, `ycm_user_cloud_pbxs{account="main",user_id="1102"`,
			},
		},
		"subscription": {
			[]string{`ycm_subscription_extensions_used{account="main"} 640`, `service="remoteManagementAccount"} 1.7987616e+09`},
			[]string{
				"ycm_subscription_extensions_frozen{", "ycm_subscription_white_label_enabled{", "ycm_subscription_reseller_remote_connections",
				`service="remoteManagementPremiumAccount"`,
			},
		},
		"capacity": {
			[]string{`ycm_cloud_pbx_ai_used_seconds{account="main",cloud_pbx_id="7738",feature="transcription"`},
			[]string{`feature="receptionist"`},
		},
		"extensions": {[]string{"ycm_cloud_pbx_extensions_reachable{"}, []string{`endpoint="fxs_phone"`}},
		"trunks":     {[]string{`ycm_cloud_pbx_trunk_up{account="main",cloud_pbx_id="7738"`}, nil},
	} {
		content, err := os.ReadFile(filepath.Join("testdata", name, "reading.earlier.json"))
		if err != nil {
			t.Fatal(err)
		}
		list, err := os.ReadFile(filepath.Join("testdata", "cloud_pbx", "reading.earlier.json"))
		if err != nil {
			t.Fatal(err)
		}
		now := func(stored []byte) []byte {
			return bytes.ReplaceAll(stored, []byte(someTime), []byte(time.Now().Format(`"`+time.RFC3339+`"`)))
		}
		source := files{t, map[string][]byte{"cloud_pbx": now(list), name: now(content)}}.restored()[name]
		if source == nil {
			t.Errorf("nothing is served of %s", name)
			continue
		}
		shown := exposed(t, source)
		for _, part := range c.served {
			if !strings.Contains(shown, part) {
				t.Errorf("%s does not serve %s, which was stored:\n%s", name, part, shown)
			}
		}
		for line := range strings.Lines(shown) {
			for _, part := range c.absent {
				if !strings.HasPrefix(line, "#") && strings.Contains(line, part) {
					t.Errorf("%s serves what was not stored: %s", name, line)
				}
			}
		}
	}
}

// A list that a damaged file announces must not take more memory than it has PBXs.
func TestAnnouncedListIsReadToItsEndAlone(t *testing.T) {
	list, err := os.ReadFile(filepath.Join("testdata", "cloud_pbx", readingFile))
	if err != nil {
		t.Fatal(err)
	}
	for announced, served := range map[string]bool{"3": true, "9": false, "100000000000": false, "-1": true} {
		content := regexp.MustCompile(`"PBXs":\d+`).ReplaceAll(list, []byte(`"PBXs":`+announced))
		f := files{t, map[string][]byte{"cloud_pbx": content}}
		if got := f.restored()["cloud_pbx"] != nil; got != served {
			t.Errorf("a list that announces %s PBXs is served: %t, want %t", announced, got, served)
		}
	}
}

// A file whose checksum is right can still hold anything. It is taken or refused; it ends no process, and what is shown
// of it is an exposition that can be read.
func FuzzReadings(f *testing.F) {
	all := collector.All()
	for i, c := range all {
		content, err := os.ReadFile(filepath.Join("testdata", c.Name, readingFile))
		if errors.Is(err, os.ErrNotExist) {
			f.Fatalf("%v; write it with go test ./collector -update, and read it", err)
		}
		f.Add(uint8(i), content)
		f.Add(uint8(i), bytes.ReplaceAll(content, []byte(`"`), []byte(`"\u0000`)))
		f.Add(uint8(i), regexp.MustCompile(`\d+`).ReplaceAll(content, []byte("-9223372036854775808")))
		f.Add(uint8(i), regexp.MustCompile(`\d+`).ReplaceAll(content, []byte("9223372036854775807")))
		f.Add(uint8(i), regexp.MustCompile(`\[.+?\]|\{\}`).ReplaceAll(content, []byte("null")))
		f.Add(uint8(i), []byte("null"))
		f.Add(uint8(i), []byte("{}"))
	}
	list, err := os.ReadFile(filepath.Join("testdata", "cloud_pbx", readingFile))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, which uint8, content []byte) {
		f := files{t, map[string][]byte{"cloud_pbx": list}}
		f.content[all[int(which)%len(all)].Name] = content
		for _, source := range f.restored() {
			exposed(t, source)
		}
	})
}
