package app

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/config"
	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// An account whose settings change while its list is walked does not walk it again from the start.
func TestReloadDoesNotInterruptAWalk(t *testing.T) {
	simulator := ycmtest.New(ycmtest.Options{PBXs: 120, Healthy: true})
	defer simulator.Close()
	reached, goOn := make(chan struct{}), make(chan struct{})
	reach := sync.OnceFunc(func() { close(reached) })
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/instances") && r.URL.Query().Get("pageNumber") == "2" {
			reach()
			<-goOn
		}
		simulator.ServeHTTP(w, r)
	}))
	open := countOpen(server)
	server.Start()
	defer server.Close()
	file, timeout := filepath.Join(t.TempDir(), "config.yml"), 30
	e := newExporter(t.Context(), func() (*config.Config, error) {
		timeout++
		text := fmt.Sprintf("accounts:\n  - {name: main, base_url: %q, client_id: demo-client-id, client_secret: demo-client-secret, timeout: %ds, "+
			"rate_limit: {burst: 10000, rate: 10000, interval: 1m}}\ncollectors:\n  cloud_pbx: {interval: 1h}\n", server.URL, timeout)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			return nil, err
		}
		return config.Load(t.Context(), file, false)
	}, NewLogger(io.Discard, "info", "logfmt"))
	for range 3 {
		if err := e.Reload(); err != nil {
			t.Fatal(err)
		}
		<-reached
	}
	close(goOn)
	for deadline := time.Now().Add(time.Minute); e.Status()[0].PBXs == 0 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	if got := e.Status()[0].PBXs; got != 120 {
		t.Errorf("%d PBXs are listed, want 120", got)
	}
	first := 0
	for _, r := range simulator.Requests() {
		if r.Endpoint == ycmtest.CloudPBXList && strings.Contains("&"+r.Query+"&", "&pageNumber=1&") {
			first++
		}
	}
	// Page 1 is read first, and again at the end.
	if first > 2 {
		t.Errorf("page 1 was requested %d times, so the list was walked from the start after a reload", first)
	}
	e.stop()
	expectNoneOpen(t, open)
}
