package cli

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A SIGHUP while the configuration is read for the first time does not end the process.
func TestHangupDuringTheStartDoesNotKill(t *testing.T) {
	t.Parallel()
	y := simulate(t, 3)
	config, err := os.ReadFile(y.configFile)
	if err != nil {
		t.Fatal(err)
	}
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	d := &daemon{t: t, out: &output{}}
	program := exec.CommandContext(t.Context(), "ycm_exporter", "--config.file="+pipe, "--web.listen-address=127.0.0.1:0")
	program.Stdout, program.Stderr = d.out, d.out
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	writer, err := os.OpenFile(pipe, os.O_WRONLY, 0) // It returns when the program reads.
	if err != nil {
		t.Fatal(err)
	}
	if err := program.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	if _, err := writer.Write(config); err != nil {
		t.Fatal(err)
	}
	writer.Close()
	d.listens()
	if err := program.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := program.Wait(); err != nil {
		t.Errorf("the program ended with %v, want exit code 0:\n%s", err, d.out)
	}
}

// When the journal, or a program that the log is piped to, goes away, the exporter keeps running without a log.
func TestProcessKeepsRunningWithoutItsLog(t *testing.T) {
	t.Parallel()
	y := simulate(t, 3)
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	program := exec.CommandContext(t.Context(), "ycm_exporter", "--config.file="+y.configFile, "--web.listen-address=127.0.0.1:0", "--log.level=debug")
	program.Stdout, program.Stderr = writer, writer
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	writer.Close()
	d := &daemon{t: t, out: &output{}}
	copied := make(chan struct{})
	go func() {
		defer close(copied)
		_, _ = io.Copy(d.out, reader) // It ends when the reader is closed.
	}()
	d.listens()
	reader.Close()
	<-copied
	for _, reload := range []struct{ config, successful string }{{"", "0"}, {y.account("main"), "1"}} {
		y.configure(t, reload.config)
		if err := program.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		d.waitFor("\nycm_exporter_config_last_reload_successful " + reload.successful + "\n")
	}
	if err := program.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := program.Wait(); err != nil {
		t.Errorf("the program ended with %v, want exit code 0", err)
	}
}

// While the start waits for the directory, SIGHUP does not kill, and SIGTERM ends it with exit code 0.
func TestSignalsWhileWaitingForTheDirectory(t *testing.T) {
	t.Parallel()
	y := simulate(t, 10)
	args := []string{"--config.file=" + y.configFile, "--storage.path=" + filepath.Join(t.TempDir(), "storage")}
	start(t, args...).waitReady()
	out := &output{}
	second := exec.CommandContext(t.Context(), "ycm_exporter", append(args, "--web.listen-address=127.0.0.1:0")...)
	second.Stdout, second.Stderr = out, out
	if err := second.Start(); err != nil {
		t.Fatal(err)
	}
	for !strings.Contains(out.String(), "Waiting for another exporter") {
		time.Sleep(10 * time.Millisecond)
	}
	for _, s := range []os.Signal{syscall.SIGHUP, syscall.SIGTERM} {
		if err := second.Process.Signal(s); err != nil {
			t.Error(err)
		}
	}
	if err := second.Wait(); err != nil || !strings.Contains(out.String(), "Stopped ycm_exporter") {
		t.Errorf("the second process ended with %v, want exit code 0; it printed:\n%s", err, out)
	}
}
