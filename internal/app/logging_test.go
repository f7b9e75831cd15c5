package app

import (
	"bytes"
	"encoding/json"
	"errors"
	stdlog "log"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/go-kit/log/level"
)

// Every line of the log has the same beginning, whoever wrote it.
func TestLogLinesHaveOneShape(t *testing.T) {
	d := start(t, "--demo", "--demo.pbxs=5")
	d.waitReady()
	d.stop()
	shape := regexp.MustCompile(`^level=(debug|info|warn|error) time=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z (account=\S+ )?(collector=\S+ )?msg=`)
	toolkit := 0
	for line := range strings.Lines(d.out.String()) {
		if strings.HasPrefix(line, "level=") && !shape.MatchString(line) || strings.Contains(line, "caller=") {
			t.Errorf("a line of another shape: %s", line)
		}
		if strings.Contains(line, "Listening on") || strings.Contains(line, "TLS is disabled") {
			toolkit++
		}
	}
	if toolkit != 2 {
		t.Errorf("the toolkit logged %d of its two lines:\n%s", toolkit, d.out)
	}
}

func TestLogLinesHaveOneShapeInJSON(t *testing.T) {
	var out bytes.Buffer
	logger := newLogger(&out, "info", "json")
	level.Info(logger).Log("msg", "ours", "address", ":1")
	slogger(logger).With("a", 1).WithGroup("g").Info("theirs", "address", ":1")
	slogger(logger).Debug("not to be seen")
	var keys []string
	for line := range strings.Lines(out.String()) {
		var pairs map[string]any
		if err := json.Unmarshal([]byte(line), &pairs); err != nil {
			t.Fatalf("a line is no JSON: %v: %s", err, line)
		}
		delete(pairs, "a")
		var own []string
		for _, key := range []string{"level", "time", "msg", "address", "g.address"} {
			if pairs[key] != nil {
				own = append(own, strings.TrimPrefix(key, "g."))
				delete(pairs, key)
			}
		}
		if len(pairs) > 0 {
			t.Errorf("a line has more: %v", pairs)
		}
		keys = append(keys, strings.Join(own, " "))
	}
	if len(keys) != 2 || keys[0] != keys[1] || keys[0] != "level time msg address" {
		t.Errorf("the keys of the lines are %q", keys)
	}
}

// A server that sends more than it was asked for has its bytes written to the standard library's log by the HTTP client.
// They may be anything, a token too, and must not be seen.
func TestWhatAServerSendsUnaskedIsNotLogged(t *testing.T) {
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				buffer := make([]byte, 64<<10)
				for {
					if _, err := conn.Read(buffer); err != nil {
						return
					}
					body := `{"status":"Failed","errcode":40002,"errmsg":"NO"}`
					if _, err := conn.Write([]byte("HTTP/1.1 500 Oh\r\nContent-Type: application/json\r\nContent-Length: 49\r\n\r\n" + body + "Bearer hunter2-the-token")); err != nil {
						return
					}
				}
			}()
		}
	}()
	y := simulate(t, 1)
	y.url = "http://" + listener.Addr().String()
	y.configure(t, y.account("main"))

	previous := stdlog.Writer()
	d := start(t, "--config.file="+y.configFile)
	d.eventually("the log tells that a library complained", func() bool {
		return strings.Contains(d.out.String(), "A library complained")
	})
	d.stop()
	if !regexp.MustCompile(`level=warn time=\S+ msg="A library complained, [^"]*" source=transport\.go:\d+`).MatchString(d.out.String()) {
		t.Errorf("the log does not tell where:\n%s", d.out)
	}
	if strings.Contains(d.out.String(), "hunter2") {
		t.Errorf("the log shows what the server sent:\n%s", d.out)
	}
	if stdlog.Writer() != previous {
		t.Error("the standard library's log was not given back")
	}
}

func TestTheHTTPServersErrorsAreOurs(t *testing.T) {
	for line, want := range map[string]string{
		"http: TLS handshake error from 192.0.2.1:1: EOF":           "level=debug",
		"http: panic serving 192.0.2.1:1: oh\ngoroutine 1:\nmain.x": "level=error",
		"http: superfluous response.WriteHeader call":               "level=warn",
	} {
		var out bytes.Buffer
		serverLog(newLogger(&out, "debug", "logfmt")).Println(line)
		first, rest, several := strings.Cut(line, "\n")
		if got := out.String(); !strings.HasPrefix(got, want) || !strings.Contains(got, first) || strings.Count(got, "\n") != 1 || several && !strings.Contains(got, strings.Split(rest, "\n")[0]) {
			t.Errorf("%q is logged as %s, want one line of %s", line, got, want)
		}
	}
	// And the daemon's server has it: a client that speaks no TLS is told at debug, by our logger.
	file := t.TempDir() + "/web.yml"
	if err := os.WriteFile(file, []byte(certificate(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	y := simulate(t, 1)
	d := start(t, "--config.file="+y.configFile, "--web.config.file="+file)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, d.url, nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	if response, err := client.Do(r); err == nil {
		response.Body.Close()
	} else if errors.Is(err, http.ErrServerClosed) {
		t.Fatal(err)
	}
	d.eventually("the log tells of the handshake", func() bool {
		return regexp.MustCompile(`level=debug time=\S+ msg="A client's TLS handshake failed" err=`).MatchString(d.out.String())
	})
}
