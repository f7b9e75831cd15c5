package app

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/config"
)

// A reload that hangs is told in time, and the next ones as well; when it ends, all is as before.
func TestAReloadThatHangsReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		hang := make(chan struct{})
		e := newExporter(t.Context(), func() (*config.Config, error) {
			<-hang
			return &config.Config{}, nil
		}, newLogger(&out, "info", "logfmt"))
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
			several.Go(func() { expect("a reload beside it", "another reload has not ended yet", 10*time.Second) })
		}
		several.Wait()
		close(hang)
		synctest.Wait()
		if !strings.Contains(out.String(), "The configuration was reloaded") {
			t.Errorf("the log does not tell that the reload ended:\n%s", out.String())
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

// Whatever hangs, the process ends in time after it was told to.
func TestWhatHangsIsGivenUp(t *testing.T) {
	failure := errors.New("address in use")
	for name, c := range map[string]struct {
		run   func(stop context.Context) error
		stop  time.Duration
		took  time.Duration
		ended bool
		err   error
	}{
		"ends by itself":       {func(context.Context) error { time.Sleep(time.Hour); return failure }, 0, time.Hour, true, failure},
		"ends when told":       {func(stop context.Context) error { <-stop.Done(); return nil }, time.Hour, time.Hour, true, nil},
		"takes a while to end": {func(stop context.Context) error { <-stop.Done(); time.Sleep(8 * time.Second); return nil }, time.Hour, time.Hour + 8*time.Second, true, nil},
		"hangs":                {func(context.Context) error { time.Sleep(3 * time.Hour); return nil }, time.Hour, time.Hour + 9*time.Second, false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				stop, cancel := context.WithCancel(t.Context())
				defer cancel()
				if c.stop > 0 {
					time.AfterFunc(c.stop, cancel)
				}
				began := time.Now()
				ended, err := until(stop.Done(), shutdownLimit, func() error { return c.run(stop) })
				defer time.Sleep(3 * time.Hour) // What hangs ends with the test.
				if took := time.Since(began); took != c.took || ended != c.ended || !errors.Is(err, c.err) {
					t.Errorf("after %v: ended %t with error %v, want after %v: %t and %v", took, ended, err, c.took, c.ended, c.err)
				}
			})
		})
	}
}

// While a request holds the shutdown up, neither a SIGHUP, as systemd sends it after SIGTERM, nor another SIGTERM kills the
// process.
func TestSignalsDuringTheShutdownDoNotKill(t *testing.T) {
	y := simulate(t, 10)
	d := start(t, "--config.file="+y.configFile, "--web.enable-lifecycle")
	d.waitReady()
	configuration, err := os.ReadFile(y.configFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(y.configFile); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(y.configFile, 0o600); err != nil { // It is read once somebody writes to it.
		t.Fatal(err)
	}
	var reload sync.WaitGroup
	reload.Go(func() { d.ask("POST", "/-/reload") })
	var pipe *os.File
	d.eventually("the reload reads the configuration", func() bool {
		pipe, err = os.OpenFile(y.configFile, os.O_WRONLY|syscall.O_NONBLOCK, 0)
		return err == nil
	})
	defer pipe.Close()
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT} {
		if err := syscall.Kill(os.Getpid(), signal); err != nil {
			t.Fatal(err)
		}
		d.eventually("the program listens no more", func() bool {
			conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(d.url, "http://"))
			if err == nil {
				conn.Close()
			}
			return err != nil
		})
	}
	if _, err := pipe.Write(configuration); err != nil {
		t.Fatal(err)
	}
	pipe.Close()
	reload.Wait()
	if code := d.stop(); code != 0 {
		t.Errorf("the program ended with exit code %d, want 0:\n%s", code, d.out)
	}
}
