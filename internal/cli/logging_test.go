package cli

import (
	"errors"
	stdlog "log"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
)

// Every line of the log has the same beginning, whoever wrote it.
func TestLogLinesHaveOneShape(t *testing.T) {
	t.Parallel()
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
	d.eventually("the log has the library's message", func() bool {
		return strings.Contains(d.out.String(), "Suppressed a library log message")
	})
	d.stop()
	if !regexp.MustCompile(`level=warn time=\S+ msg="Suppressed a library log message [^"]*" source=transport\.go:\d+`).MatchString(d.out.String()) {
		t.Errorf("the log does not tell where:\n%s", d.out)
	}
	if strings.Contains(d.out.String(), "hunter2") {
		t.Errorf("the log shows what the server sent:\n%s", d.out)
	}
	if stdlog.Writer() != previous {
		t.Error("the standard library's log was not given back")
	}
}

// A client that does not speak TLS is logged at debug, by our logger.
func TestTLSHandshakeErrorsAreLoggedAtDebug(t *testing.T) {
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
