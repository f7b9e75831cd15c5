package cli

import (
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

// serviceManager stands in for systemd: it reads the notifications of a service.
func serviceManager(t *testing.T) (next func() string) {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	t.Setenv("NOTIFY_SOCKET", socket)
	return func() string {
		t.Helper()
		message := make([]byte, 100)
		n, err := conn.Read(message)
		if err != nil {
			t.Fatal(err)
		}
		return string(message[:n])
	}
}

// A unit that waits for the exporter starts once it can be scraped; a stop is announced.
func TestSystemdIsNotifiedOfStartAndStop(t *testing.T) {
	next := serviceManager(t)
	d := start(t, "--demo", "--demo.pbxs=10")
	if got := next(); got != "READY=1" {
		t.Fatalf("the first message to systemd is %q, want READY=1", got)
	}
	if status, _ := d.request("GET", "/-/healthy"); status != http.StatusOK {
		t.Errorf("GET /-/healthy after READY=1: got %d, want 200", status)
	}
	d.stop()
	if got := next(); got != "STOPPING=1" {
		t.Fatalf("a stopping exporter notifies systemd of %q, want STOPPING=1", got)
	}
}

// An exporter that cannot listen does not notify systemd.
func TestSystemdIsNotNotifiedByAnExporterThatCannotListen(t *testing.T) {
	next := serviceManager(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	out := &output{}
	if code := Run(t.Context(), []string{"--demo", "--web.listen-address=" + taken.Addr().String()}, out, out); code != 1 {
		t.Errorf("the program ended with exit code %d, want 1; it printed:\n%s", code, out)
	}
	self, err := net.Dial("unixgram", os.Getenv("NOTIFY_SOCKET"))
	if err != nil {
		t.Fatal(err)
	}
	defer self.Close()
	if _, err := self.Write([]byte("end")); err != nil {
		t.Fatal(err)
	}
	if got := next(); got != "end" {
		t.Errorf("an exporter that could not listen notified systemd of %q, want nothing", got)
	}
}
