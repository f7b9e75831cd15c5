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

// A problem of an account is one line, not one for each collector, and no line has empty fields or a fact twice. At debug each
// request is a line.
func TestEachCauseOfAnAccountIsLoggedOnce(t *testing.T) {
	t.Parallel()
	good, bad := simulate(t, 3), simulate(t, 3)
	bad.SetSecret(demoClientID, "another")
	unreachable := strings.Replace(good.account("unreachable"), good.url, "http://127.0.0.1:1", 1)
	good.configure(t, good.account("good"), bad.account("refused"), unreachable+"\ncollectors: {users: {enabled: true}, dids: {enabled: true}}")
	d := start(t, "--config.file="+good.configFile)
	for _, account := range []string{"refused", "unreachable"} {
		for _, collector := range []string{"cloud_pbx", "firmware", "subscription", "users", "dids"} {
			d.waitFor(`ycm_collector_success{account="` + account + `",collector="` + collector + `"} 0`)
		}
	}
	d.waitFor(`ycm_collector_success{account="good",collector="dids"} 1`)
	d.stop()
	for account, line := range map[string]string{
		"refused":     `collector=\w+ duration=\S+ err="token: auth \(HTTP 401, code 1000033, request [0-9a-f-]{32,36}\): INVALID_CLIENT; check client_id, .*"`,
		"unreachable": `collector=\w+ duration=\S+ err="token: network: dial tcp 127.0.0.1:1: connect: connection refused; check base_url, .*"`,
	} {
		all := regexp.MustCompile(`(?m)^time=\S+ level=(warn|error) .*account=`+account+` .*$`).FindAllString(d.out.String(), -1)
		if len(all) != 1 || !regexp.MustCompile(`msg="Poll failed" account=`+account+` `+line+`$`).MatchString(all[0]) {
			t.Errorf("the problem of account %s is logged in %d lines, want one complete line:\n%s", account, len(all), strings.Join(all, "\n"))
		}
	}
	for _, request := range []string{
		`account=good endpoint=cloud_pbx_list result=ok duration=\S+ status=200 request_id=[0-9a-f-]{32,36}`,
		`account=refused endpoint=token result=auth duration=\S+ status=401 request_id=[0-9a-f-]{32,36}`,
		`account=unreachable endpoint=token result=network duration=\S+`,
	} {
		if !regexp.MustCompile(`(?m)^time=\S+ level=debug msg="API request" ` + request + `$`).MatchString(d.out.String()) {
			t.Errorf("the log has no line of the request %s:\n%s", request, d.out)
		}
	}
}

// The error of a port that is in use comes in place of the demo's addresses, and names what "make demo" can be started with, too.
func TestDemoOnATakenPortSaysHowToChooseAnother(t *testing.T) {
	t.Parallel()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	out := &output{}
	code := Run(t.Context(), []string{"--demo", "--demo.pbxs=1", "--web.listen-address=" + listener.Addr().String()}, out, out)
	if code != 1 || strings.Contains(out.String(), "Open:") || !strings.Contains(out.String(), "in use; choose another address with --web.listen-address or YCM_EXPORTER_WEB_LISTEN_ADDRESS") {
		t.Errorf("exit code %d, want 1, an error that names both ways, and no addresses:\n%s", code, out)
	}
}
