//go:build e2e

package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// TestFootprint measures the whole process at three sizes of a fleet: memory at rest and at its peak, while a new
// snapshot is made and five scrapes run, and the CPU time of a scrape. It asserts nothing about time.
func TestFootprint(t *testing.T) {
	for _, pbxs := range []int{1_000, 10_000, 100_000} {
		t.Run(strconv.Itoa(pbxs), func(t *testing.T) { footprint(t, pbxs) })
	}
}

// measured starts an exporter of a simulated fleet with those collectors, and what else the configuration has, and waits
// for its first walk.
func measured(t *testing.T, fleet ycmtest.Options, settings string) (p *process, url string) {
	t.Helper()
	simulator := httptest.NewServer(ycmtest.New(fleet))
	t.Cleanup(simulator.Close)
	dir, address := t.TempDir(), freePort(t)
	config := fmt.Sprintf(`
accounts:
  - name: main
    base_url: %s
    client_id: demo-client-id
    client_secret: demo-client-secret
    rate_limit: {burst: 1000000, rate: 1000000, interval: 1m}
%s`, simulator.URL, settings)
	if err := os.WriteFile(filepath.Join(dir, "config.yml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	binary, err := filepath.Abs("../../ycm_exporter")
	if err != nil {
		t.Fatal(err)
	}
	p = launch(t, dir, nil, binary, "--web.listen-address="+address)
	url = "http://" + address
	within(t, 3*time.Minute, func() error { _, err := get(url + "/-/ready"); return err })
	return p, url
}

func footprint(t *testing.T, pbxs int) {
	p, url := measured(t, ycmtest.Options{PBXs: pbxs, Seed: 1, Live: true}, `
collectors:
  cloud_pbx: {interval: 20s}
`)
	walks := func() float64 {
		return value(t, url, `ycm_collector_polls_total{account="main",collector="cloud_pbx",result="ok"}`)
	}

	rest, peak := memory(t, p.pid, "VmRSS"), memory(t, p.pid, "VmHWM")
	t.Logf("%d PBXs, after the first walk: at rest %d MiB, peak %d MiB", pbxs, rest, peak)
	// Five clients scrape without a pause while two more snapshots are made.
	goal := walks() + 2
	stop := make(chan struct{})
	var clients sync.WaitGroup
	for range 5 {
		clients.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					scrape(t, url, "gzip")
				}
			}
		})
	}
	within(t, 3*time.Minute, func() error {
		if n := walks(); n < goal {
			return fmt.Errorf("%v walks, waiting for %v", n, goal)
		}
		return nil
	})
	close(stop)
	clients.Wait()
	peak = memory(t, p.pid, "VmHWM")
	time.Sleep(5 * time.Second)
	t.Logf("%d PBXs, after scrapes during polls: at rest %d MiB, peak %d MiB, %d bytes on the wire with gzip",
		pbxs, memory(t, p.pid, "VmRSS"), peak, scrape(t, url, "gzip"))

	for _, encoding := range []string{"gzip", "identity"} {
		scrape(t, url, encoding)
		const scrapes = 10
		before := cpu(t, p.pid)
		for range scrapes {
			scrape(t, url, encoding)
		}
		t.Logf("%d PBXs: a %s scrape takes %v of CPU", pbxs, encoding, (cpu(t, p.pid)-before)/scrapes)
	}
}

// scrape reads the metrics as they come and returns their size on the wire.
func scrape(t *testing.T, url, encoding string) int64 {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/metrics", nil)
	if err != nil {
		t.Error(err)
		return 0
	}
	req.Header.Set("Accept-Encoding", encoding)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Error(err)
		return 0
	}
	defer resp.Body.Close()
	size, err := io.Copy(io.Discard, resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("scraping with %s: %s, %v", encoding, resp.Status, err)
	}
	return size
}

// value reads one of the exporter's own metrics; another account's name leaves the fleet out.
func value(t *testing.T, url, series string) float64 {
	t.Helper()
	body, err := get(url + "/metrics?shard=0&shards=64")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(body)) {
		if rest, ok := strings.CutPrefix(line, series+" "); ok {
			v, err := strconv.ParseFloat(strings.TrimSpace(rest), 64)
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
	}
	return 0
}

var kilobytes = regexp.MustCompile(`\d+`)

// memory reads a line of the kernel's account of a process, in MiB.
func memory(t *testing.T, pid int, name string) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Skip("the kernel does not report processes here:", err)
	}
	for line := range strings.Lines(string(status)) {
		if strings.HasPrefix(line, name+":") {
			kb, _ := strconv.Atoi(kilobytes.FindString(line))
			return kb >> 10
		}
	}
	t.Fatalf("no %s in %s", name, status)
	return 0
}

// cpu is the time that a process has spent in user and kernel mode.
func cpu(t *testing.T, pid int) time.Duration {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Skip("the kernel does not report processes here:", err)
	}
	_, fields, _ := strings.Cut(string(stat), ") ")
	ticks := 0
	for _, n := range strings.Fields(fields)[11:13] {
		tick, err := strconv.Atoi(n)
		if err != nil {
			t.Fatal(err)
		}
		ticks += tick
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}
