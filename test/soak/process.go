package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// How long the exporter may take, with the race detector on a machine that has other work.
const (
	mayStart  = 30 * time.Second
	mayStop   = 15 * time.Second // 10 s by the contract
	mayAnswer = 20 * time.Second
)

// exporter is the program that is put to the test, a process after another.
type exporter struct {
	life                context.Context // of the soak; its end ends the process
	binary, folder, url string
	found               *findings

	mu     sync.Mutex
	cmd    *exec.Cmd
	ended  chan struct{} // closed when the process has
	meant  bool          // the soak ended it
	down   time.Time     // since when it does not serve, or is frozen; zero: it does
	starts int
}

func (e *exporter) configFile() string { return filepath.Join(e.folder, "config.yml") }
func (e *exporter) logFile() string    { return filepath.Join(e.folder, "log") }

// start starts a process and waits until it serves.
func (e *exporter) start(address string) error {
	log, err := os.OpenFile(e.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(e.life, e.binary, "--config.file="+e.configFile(), "--storage.path="+filepath.Join(e.folder, "storage"),
		"--web.listen-address="+address, "--web.enable-lifecycle", "--web.enable-pprof", "--log.level=debug")
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = append(os.Environ(), "GORACE=halt_on_error=1")
	if err := cmd.Start(); err != nil {
		return errors.Join(err, log.Close())
	}
	ended := make(chan struct{})
	e.mu.Lock()
	e.cmd, e.ended, e.meant = cmd, ended, false
	e.starts++
	e.mu.Unlock()
	go e.wait(cmd, log, ended)
	for began := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		if answer, err := e.request(http.MethodGet, "/-/healthy", nil); err == nil && answer.status == http.StatusOK {
			break
		}
		if time.Since(began) > mayStart {
			return fmt.Errorf("the exporter does not serve %v after its start", mayStart)
		}
	}
	e.setDown(false)
	return nil
}

// wait waits for a process to end, which it must not do of itself.
func (e *exporter) wait(cmd *exec.Cmd, log *os.File, ended chan struct{}) {
	err := errors.Join(cmd.Wait(), log.Close())
	e.mu.Lock()
	meant := e.meant
	e.mu.Unlock()
	if !meant {
		e.found.add("end of the exporter", "%v; its log ends with:\n%s", err, tail(e.logFile(), 4000))
	}
	close(ended)
}

// stop ends the process with a signal, and waits for that.
func (e *exporter) stop(signal syscall.Signal) {
	e.setDown(true)
	e.mu.Lock()
	cmd, ended := e.cmd, e.ended
	e.meant = true
	e.mu.Unlock()
	_ = cmd.Process.Signal(signal) // It may have ended, which is found.
	select {
	case <-ended:
	case <-time.After(mayStop):
		e.found.add("hang", "the exporter has not ended %v after signal %v", mayStop, signal)
		_ = cmd.Process.Signal(syscall.SIGQUIT) // Its goroutines go to the log.
		time.Sleep(time.Second)
		_ = cmd.Process.Kill()
		<-ended
	}
	if code := cmd.ProcessState.ExitCode(); signal == syscall.SIGTERM && code != 0 {
		e.found.add("exit code", "after SIGTERM the exporter ended with %d", code)
	}
}

// freeze stops the process for a while, as a machine does that is moved.
func (e *exporter) freeze(d time.Duration) {
	e.setDown(true)
	e.signal(syscall.SIGSTOP)
	time.Sleep(d)
	e.signal(syscall.SIGCONT)
	e.mu.Lock()
	e.starts++ // What was requested before the end of it may be answered late.
	e.mu.Unlock()
	e.setDown(false)
}

func (e *exporter) signal(s syscall.Signal) {
	e.mu.Lock()
	defer e.mu.Unlock()
	_ = e.cmd.Process.Signal(s) // It may have ended, which is found.
}

// setDown notes that the exporter is not to be expected to serve, or is again.
func (e *exporter) setDown(down bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.down = (time.Time{}); down {
		e.down = time.Now()
	}
}

// serves reports whether the exporter is to serve, and the number of the stretch in which it does: of its process, or of
// what followed when that was frozen.
func (e *exporter) serves() (process int, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.starts, e.down.IsZero()
}

// alive reports whether the process has not ended.
func (e *exporter) alive() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	select {
	case <-e.ended:
		return false
	default:
		return true
	}
}

// tail is the end of a file.
func tail(name string, n int) []byte {
	content, err := os.ReadFile(name)
	if err != nil {
		return []byte(err.Error())
	}
	return content[max(0, len(content)-n):]
}

// searchLog looks for what must not be in the log.
func (e *exporter) searchLog(secrets []string) {
	content, err := os.ReadFile(e.logFile())
	if err != nil {
		e.found.add("log", "%v", err)
		return
	}
	for _, bad := range []string{"DATA RACE", "panic", "fatal error", "goroutine 1 "} {
		if at := bytes.Index(content, []byte(bad)); at >= 0 {
			e.found.add("panic or race", "the log has %q:\n%s", bad, content[max(0, at-500):min(len(content), at+4000)])
		}
	}
	e.searchSecrets("the log", content, secrets)
}

func (e *exporter) searchSecrets(where string, content []byte, secrets []string) {
	for _, secret := range secrets {
		if at := bytes.Index(content, []byte(secret)); at >= 0 {
			e.found.add("secret", "%s shows one: %q", where, content[max(0, at-200):at])
		}
	}
}
