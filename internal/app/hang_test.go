package app

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/config"
)

// A reload that hangs is reported in time, and the next ones as well; when it ends, all is as before.
func TestReloadThatHangsReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		hang := make(chan struct{})
		e := newExporter(t.Context(), func() (*config.Config, error) {
			<-hang
			return &config.Config{}, nil
		}, NewLogger(&out, "info", "logfmt"))
		expect := func(what, want string, within time.Duration) {
			t.Helper()
			began := time.Now()
			err := e.Reload()
			if took := time.Since(began); took > within {
				t.Errorf("%s returned after %v, want within %v", what, took, within)
			}
			if got := errorText(err); !strings.Contains(got, want) || want == "" && got != "" {
				t.Errorf("%s: error %q, want %q", what, got, want)
			}
		}
		expect("a reload that hangs", "has not ended within 9s", 10*time.Second)
		var several sync.WaitGroup
		for range 5 {
			several.Go(func() { expect("a reload beside it", "has not ended within 9s", 10*time.Second) })
		}
		several.Wait()
		close(hang)
		synctest.Wait()
		if !strings.Contains(out.String(), "Configuration reloaded") {
			t.Errorf("the log does not report that the reload ended:\n%s", out.String())
		}
		expect("a reload after it", "", time.Second)
	})
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
