package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ycm-exporter/ycm_exporter/collector"
	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// daemon is the program, running in this process as a user would start it.
type daemon struct {
	t    *testing.T
	url  string
	out  *output
	stop func() int
	kill func() int // of a process alone
}

// output collects what the program prints, safely for concurrent use.
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

var listening = regexp.MustCompile(`msg="Listening on".* address=(\S+)`)

// start runs the program on a free port of loopback until the test ends or stop is called.
func start(t *testing.T, args ...string) *daemon {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	d := &daemon{t: t, out: &output{}}
	exit := make(chan int, 1)
	go func() {
		exit <- Run(ctx, append([]string{"--web.listen-address=127.0.0.1:0", "--log.level=debug"}, args...), d.out, d.out)
	}()
	d.stop = sync.OnceValue(func() int {
		cancel()
		return <-exit
	})
	t.Cleanup(func() { d.stop() })
	d.listens()
	return d
}

// listens waits until the program listens.
func (d *daemon) listens() {
	d.t.Helper()
	d.eventually("the program listens", func() bool {
		if m := listening.FindStringSubmatch(d.out.String()); m != nil {
			d.url = "http://" + m[1]
		}
		return d.url != ""
	})
}

// eventually waits for a condition that the running program will bring about.
func (d *daemon) eventually(what string, holds func() bool) {
	d.t.Helper()
	for range 3000 {
		if holds() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	d.t.Fatalf("this never came: %s; the program printed:\n%s", what, d.out)
}

func (d *daemon) request(method, path string) (status int, body string) {
	d.t.Helper()
	req, err := http.NewRequestWithContext(d.t.Context(), method, d.url+path, nil)
	if err != nil {
		d.t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		d.t.Fatalf("%s %s: %v; the program printed:\n%s", method, path, err, d.out)
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return resp.StatusCode, string(content)
}

func (d *daemon) metrics() string {
	d.t.Helper()
	status, body := d.request("GET", "/metrics")
	if status != http.StatusOK {
		d.t.Fatalf("GET /metrics: got %d, want 200:\n%s", status, body)
	}
	return body
}

func (d *daemon) waitReady() {
	d.t.Helper()
	d.eventually("ready", func() bool { status, _ := d.request("GET", "/-/ready"); return status == http.StatusOK })
}

// waitFor waits until a scrape holds want.
func (d *daemon) waitFor(want string) {
	d.t.Helper()
	d.eventually("a scrape with "+want, func() bool { return strings.Contains(d.metrics(), want) })
}

// ycm is a simulated YCM with a fleet, and the configuration of an exporter for it.
type ycm struct {
	*ycmtest.Server
	url        string
	configFile string
}

func simulate(t *testing.T, pbxs int) *ycm {
	t.Helper()
	simulator := ycmtest.New(ycmtest.Options{PBXs: pbxs, Seed: 1})
	server := httptest.NewServer(simulator)
	t.Cleanup(server.Close)
	y := &ycm{Server: simulator, url: server.URL, configFile: filepath.Join(t.TempDir(), "config.yml")}
	y.configure(t, y.account("main"))
	return y
}

func (y *ycm) account(name string) string {
	return fmt.Sprintf(`
  - name: %s
    base_url: %s
    client_id: %s
    client_secret: %s
    rate_limit: {burst: 1000, rate: 1000, interval: 1m}`, name, y.url, demoClientID, demoClientSecret)
}

func (y *ycm) configure(t *testing.T, accounts ...string) {
	t.Helper()
	if err := os.WriteFile(y.configFile, []byte("accounts:"+strings.Join(accounts, "")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestDemoServesEveryMetric(t *testing.T) {
	t.Parallel()
	var metrics output
	if code := Run(t.Context(), []string{"--demo", "--demo.pbxs=60", "--once"}, &metrics, io.Discard); code != 0 {
		t.Fatalf("polling the demo once ended with exit code %d, want 0", code)
	}
	for _, c := range collector.All() {
		for _, f := range c.Families {
			if !strings.Contains(metrics.String(), "\n"+f.Name+"{") {
				t.Errorf("the demo does not export %s", f.Name)
			}
		}
	}
	d := start(t, "--demo", "--demo.pbxs=60")
	d.waitReady()
	for _, shown := range []string{"/status ", "/metrics ", "/sim/pbx/", "deploy/compose", "dashboards/"} {
		if !strings.Contains(d.out.String(), shown) {
			t.Errorf("the demo does not show what to open, what to try and how to see the dashboards (%s):\n%s", shown, d.out)
		}
	}
	if got := strings.Count(d.metrics(), "\nycm_cloud_pbx_info{"); got != 60 {
		t.Errorf("the demo exports %d PBXs, want 60", got)
	}
	for _, page := range []string{"/", "/status", "/sd"} {
		if status, body := d.request("GET", page); status != http.StatusOK {
			t.Errorf("GET %s: got %d, want 200:\n%s", page, status, body)
		}
	}
	if code := d.stop(); code != 0 {
		t.Errorf("the demo ended with exit code %d, want 0; it printed:\n%s", code, d.out)
	}
}

func TestUnreachableYCMLeavesTheExporterUp(t *testing.T) {
	t.Parallel()
	y := simulate(t, 10)
	y.configure(t, `
  - name: main
    base_url: http://127.0.0.1:1
    client_id: id
    client_secret: secret
    timeout: 1s`)
	d := start(t, "--config.file="+y.configFile)
	d.waitReady()
	d.waitFor("\nycm_up{account=\"main\"} 0\n")
	if _, page := d.request("GET", "/status"); !strings.Contains(page, "failing") {
		t.Errorf("the status page does not show the failure:\n%s", page)
	}
}

func TestTerminationEndsCleanly(t *testing.T) {
	y := simulate(t, 70)
	d := start(t, "--config.file="+y.configFile)
	d.waitReady()
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	d.eventually("the program says that it stopped", func() bool { return strings.Contains(d.out.String(), "Stopped ycm_exporter") })
	if code := d.stop(); code != 0 {
		t.Errorf("SIGTERM ended the program with exit code %d, want 0", code)
	}
}

func TestBasicAuthGuardsEveryPage(t *testing.T) {
	t.Parallel()
	y := simulate(t, 10)
	webConfig := filepath.Join(t.TempDir(), "web.yml")
	// The hash is bcrypt's of "open sesame".
	content := "basic_auth_users:\n  prometheus: $2a$04$Sa4nFgcxRglDejbs0f9JOeCQEy.C3wlQuBoQi1B5Hf5E4tnh/G3Mq\n"
	if err := os.WriteFile(webConfig, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	d := start(t, "--config.file="+y.configFile, "--web.config.file="+webConfig)
	for _, page := range []string{"/", "/metrics", "/status", "/-/ready"} {
		if status, _ := d.request("GET", page); status != http.StatusUnauthorized {
			t.Errorf("GET %s without a password: got %d, want 401", page, status)
		}
	}
}

// Nothing that the program prints or serves shows a secret or a token, not even at log level debug.
func TestSecretsNeverShow(t *testing.T) {
	t.Parallel()
	y := simulate(t, 70)
	d := start(t, "--config.file="+y.configFile, "--web.enable-pprof")
	d.waitReady()
	shown := d.out.String()
	for _, page := range []string{"/", "/metrics", "/status", "/sd", "/debug/pprof/cmdline"} {
		_, body := d.request("GET", page)
		shown += body
	}
	d.stop()
	shown += d.out.String()
	for _, secret := range append(y.Tokens(), demoClientSecret) {
		if strings.Contains(shown, secret) {
			t.Errorf("a secret or token is shown: %s", secret)
		}
	}
}

// While a request delays the shutdown, neither a SIGHUP, as systemd sends it after SIGTERM, nor another SIGTERM kills the process.
func TestSignalsDuringTheShutdownDoNotKill(t *testing.T) {
	y := simulate(t, 10)
	d := start(t, "--config.file="+y.configFile, "--web.enable-pprof")
	d.waitReady()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(d.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "GET /debug/pprof/trace?seconds=20 HTTP/1.1\r\nHost: localhost\r\n\r\n")
	if _, err := conn.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT} {
		if err := syscall.Kill(os.Getpid(), signal); err != nil {
			t.Fatal(err)
		}
		d.eventually("the program no longer listens", func() bool {
			conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(d.url, "http://"))
			if err == nil {
				conn.Close()
			}
			return err != nil
		})
	}
	conn.Close()
	if code := d.stop(); code != 0 {
		t.Errorf("the program ended with exit code %d, want 0:\n%s", code, d.out)
	}
}
