package cli

import (
	"errors"
	"io"
	stdlog "log"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
)

// The HTTP client writes bytes that a server sends without a request to the standard library's log. They may be anything, a token
// too, and must not be printed.
func TestUnrequestedBytesOfAServerAreNotLogged(t *testing.T) {
	t.Parallel()
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

	d := start(t, "--config.file="+y.configFile)
	d.waitFor("\nycm_up{account=\"main\"} 0\n")
	d.stop()
	if strings.Contains(d.out.String(), "hunter2") {
		t.Errorf("the log shows what the server sent:\n%s", d.out)
	}
	if stdlog.Writer() != io.Discard {
		t.Error("the log of the standard library is not discarded")
	}
}

// A client that does not speak TLS is logged at debug, by our logger.
func TestTLSHandshakeErrorsAreLoggedAtDebug(t *testing.T) {
	t.Parallel()
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
	d.eventually("the log reports the handshake", func() bool {
		return regexp.MustCompile(`level=debug msg="HTTP server error" err="http: TLS handshake error`).MatchString(d.out.String())
	})
}
