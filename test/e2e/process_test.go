//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// process is a program of the stack, ended with the test.
type process struct {
	name string
	// interrupt requests that the program ends.
	interrupt func()
	pid       int
	mu        sync.Mutex
	buf       bytes.Buffer
}

func (p *process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.buf.Write(b)
}

// output is what the program has printed so far.
func (p *process) output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.buf.String()
}

// launch starts a program and interrupts it when the test ends.
func launch(t *testing.T, dir string, env []string, program string, args ...string) *process {
	t.Helper()
	p := &process{name: filepath.Base(program)}
	cmd := exec.CommandContext(context.Background(), program, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, p, p
	cmd.Env = append(os.Environ(), env...)
	cmd.WaitDelay = 20 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting %s: %v", p.name, err)
	}
	p.pid, p.interrupt = cmd.Process.Pid, func() { _ = cmd.Process.Signal(os.Interrupt) }
	t.Cleanup(func() {
		p.interrupt()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s printed:\n%s", p.name, tail(p.output(), 4000))
		}
	})
	return p
}

func tail(s string, n int) string {
	if len(s) > n {
		return "…" + s[len(s)-n:]
	}
	return s
}

// tool finds a program in the folder E2E_TOOLS, else on the PATH.
func tool(t *testing.T, name string) string {
	t.Helper()
	if path := filepath.Join(os.Getenv("E2E_TOOLS"), name); os.Getenv("E2E_TOOLS") != "" {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is needed: put it on the PATH, or into a folder that E2E_TOOLS names", name)
	}
	return path
}

// freePort is a port of loopback without a listener.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func host(address string) string { return strings.Split(address, ":")[0] }
func port(address string) string { return strings.Split(address, ":")[1] }

// get reads a URL that must answer 200.
func get(url string) ([]byte, error) {
	resp, err := http.Get(url)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("GET %s: %s: %s", url, resp.Status, tail(string(body), 500))
	}
	return body, nil
}

// within waits until check has nothing to complain of.
func within(t *testing.T, limit time.Duration, check func() error) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("after %v: %v", limit, err)
		}
		time.Sleep(500 * time.Millisecond)
	}
}
