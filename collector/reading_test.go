package collector_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
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

// kept is what was written of each collector's reading, as it stands in a file.
type kept struct {
	t       testing.TB
	mu      *sync.Mutex
	written map[string][]byte
	refused map[string]error
}

func (k kept) Keep(name string, m poll.Memory) {
	var out bytes.Buffer
	if err := collector.WriteReading(json.NewEncoder(&out), m.Reading); err != nil {
		k.t.Errorf("the reading of %s cannot be written: %v", name, err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.written[name] = out.Bytes()
}

func (k kept) Recall(name string, reading any) (poll.Memory, bool) {
	content, ok := k.written[name]
	if !ok {
		return poll.Memory{}, false
	}
	if err := collector.ReadReading(json.NewDecoder(bytes.NewReader(content)), reading); err != nil {
		k.refused[name] = err
		return poll.Memory{}, false
	}
	now := time.Now()
	return poll.Memory{LastSuccess: now, Published: now, Expires: now.Add(time.Hour), Reading: reading}, true
}

func (k kept) Refuse(name string, why error) {
	k.refused[name] = why
	if c := (*crash.Crash)(nil); errors.As(why, &c) {
		k.t.Logf("%s: %v\n%s", name, why, c.Stack())
	}
}

// recalled is what an account that knows nothing shows of what was kept.
func (k kept) recalled() shelf {
	base := &url.URL{Scheme: "https", Host: "ycm.example.com"}
	s, metrics := shelf{}, poll.NewMetrics(prometheus.NewRegistry())
	account := poll.NewAccount(poll.Options{
		Account: "main", BaseURL: base, Collectors: everything(k.t), Publisher: s, Metrics: metrics, Logger: log.NewNopLogger(), Keeper: k,
		Client: ycmclient.New(ycmclient.Options{
			Account: "main", BaseURL: base, ClientID: "demo-client-id", Secret: secret.Static(secret.New("demo-client-secret")),
			RateLimit: ycmclient.RateLimit{Burst: 1, Rate: 1, Interval: time.Minute}, Timeout: time.Second,
			PageConcurrency: 1, Observer: metrics.Observer("main"),
		}),
	})
	account.Recall()
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

// What is kept over a restart, to the letter: files that earlier versions have written are to be read by later ones, and
// show then what was shown before. When the format is raised, these files stay, and those of the new one stand beside them.
func TestGoldenReadings(t *testing.T) {
	k := kept{t, new(sync.Mutex), map[string][]byte{}, map[string]error{}}
	before, _ := pollAll(t, fixtures(t).URL, &http.Transport{}, k)
	for _, c := range collector.All() {
		written := aDuration.ReplaceAllString(aTime.ReplaceAllString(string(k.written[c.Name]), someTime), `$1:1`)
		if c.AsksPBXs { // They answer in any order.
			lines := strings.SplitAfter(written, "\n")
			slices.Sort(lines[1 : len(lines)-1])
			written = strings.Join(lines, "")
		}
		golden(t, filepath.Join(c.Name, readingFile), written)
		content, err := os.ReadFile(filepath.Join("testdata", c.Name, readingFile))
		if err != nil {
			t.Fatal(err)
		}
		k.written[c.Name] = bytes.ReplaceAll(content, []byte(someTime), []byte(time.Now().Format(`"`+time.RFC3339+`"`)))
		for _, private := range private {
			if strings.Contains(written, private) {
				t.Errorf("what is kept of %s has %q", c.Name, private)
			}
		}
	}
	after := k.recalled()
	for _, c := range collector.All() {
		if after[c.Name] == nil {
			t.Errorf("nothing is shown of the reading of %s: %v", c.Name, k.refused[c.Name])
			continue
		}
		shown := func(s shelf) string { return ageOfBackup.ReplaceAllString(exposed(t, s[c.Name]), "$1 AGE") }
		if diff := cmp.Diff(shown(before), shown(after)); diff != "" {
			t.Errorf("%s shows something else after a restart (-before +after):\n%s", c.Name, diff)
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
		k := kept{t, new(sync.Mutex), map[string][]byte{"cloud_pbx": list}, map[string]error{}}
		k.written[all[int(which)%len(all)].Name] = content
		for _, source := range k.recalled() {
			exposed(t, source)
		}
	})
}
