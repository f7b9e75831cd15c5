package app

import (
	"bytes"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/config"
	"github.com/ycm-exporter/ycm_exporter/internal/storage"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// output is what is logged.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// simulated is the configuration of an account of a simulated YCM with 70 PBXs.
func simulated(t *testing.T, name string) string {
	t.Helper()
	simulator := ycmtest.New(ycmtest.Options{PBXs: 70, Seed: 1})
	server := httptest.NewServer(simulator)
	t.Cleanup(server.Close)
	return fmt.Sprintf("\n  - name: %s\n    base_url: %s\n    client_id: demo-client-id\n    client_secret: demo-client-secret"+
		"\n    rate_limit: {burst: 1000, rate: 1000, interval: 1m}", name, server.URL)
}

// A disk that hangs delays neither polls nor scrapes nor reloads, and the end only by its limit. When the disk continues, the
// newest snapshot is written.
func TestHungDiskDelaysNeitherPollsNorScrapesNorReloads(t *testing.T) {
	file, directory := filepath.Join(t.TempDir(), "config.yml"), filepath.Join(t.TempDir(), "storage")
	configure := func(accounts string) {
		t.Helper()
		if err := os.WriteFile(file, []byte("accounts:"+accounts+"\ncollectors:\n  cloud_pbx: {interval: 1s}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	main := simulated(t, "main")
	configure(main)
	var out output
	logger := NewLogger(&out, "info", "logfmt")
	e := newExporter(t.Context(), func() (*config.Config, error) { return config.Load(t.Context(), file, false) }, logger)
	store, err := storage.Open(t.Context(), directory, false, e.registry, logger)
	if err != nil {
		t.Fatal(err)
	}
	disk, hangs := make(chan struct{}), make(chan struct{}, 100)
	write := store.ReplaceFile
	store.ReplaceFile = func(path string, content func(io.Writer) error) error {
		hangs <- struct{}{}
		<-disk
		return write(path, content)
	}
	e.store, e.clients.Servers = store, ycmclient.NewServers(store)
	if err := e.Reload(); err != nil {
		t.Fatal(err)
	}
	eventually := func(what string, holds func() bool) {
		t.Helper()
		for range 3000 {
			if holds() {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
		t.Fatalf("this never came: %s; the log is:\n%s", what, &out)
	}
	polls := func() (n int) {
		for _, p := range e.Status()[0].Collectors[0].Polls {
			if p.Err == "" {
				n++
			}
		}
		return n
	}
	<-hangs
	before := polls()
	eventually("more polls succeed", func() bool { return polls() >= before+2 })
	within := func(what string, limit time.Duration, do func()) {
		t.Helper()
		began := time.Now()
		if do(); time.Since(began) > limit {
			t.Errorf("%s took %v", what, time.Since(began))
		}
	}
	within("a scrape", 5*time.Second, func() {
		var scrape bytes.Buffer
		if err := e.set.WriteText(&scrape); err != nil || strings.Count(scrape.String(), "\nycm_cloud_pbx_info{") != 70 {
			t.Errorf("a scrape fails with %v, or has not the 70 PBXs", err)
		}
	})
	configure(simulated(t, "other") + main + "\n    search: a")
	within("a reload", 5*time.Second, func() {
		if err := e.Reload(); err != nil {
			t.Error(err)
		}
	})
	eventually("an account that is new is polled", func() bool { return polls() > 0 })
	within("the end", shutdownLimit, e.stop)
	if !strings.Contains(out.String(), "Storage did not respond in time") {
		t.Errorf("the log does not say that the latest state is not persisted:\n%s", &out)
	}
	close(disk)
	store.Close()
	if stored, err := filepath.Glob(filepath.Join(directory, "cloud_pbx-*.ycm")); err != nil || len(stored) == 0 {
		t.Errorf("when the disk continues, no list is written: %v", err)
	}
}
