package cli

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	klog "github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/ycm-exporter/ycm_exporter/internal/doctor"
	"github.com/ycm-exporter/ycm_exporter/internal/storage"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// examined is the output of the doctor.
type examined struct {
	code   int
	report string
	stderr string
}

// examine runs the doctor as a user does, with the accounts that are given, and whatever it says is without secrets and
// addresses.
func (y *ycm) examine(t *testing.T, args []string, accounts ...string) examined {
	t.Helper()
	if len(accounts) > 0 {
		y.configure(t, accounts...)
	}
	var out, err output
	code := Run(t.Context(), append([]string{"--config.file=" + y.configFile, "--doctor"}, args...), &out, &err)
	e := examined{code, out.String(), err.String()}
	for _, hidden := range []string{"127.0.0.1", demoClientID, demoClientSecret, "customer-4711", "hunter2", y.configFile} {
		if strings.Contains(e.report, hidden) {
			t.Errorf("the report has %q:\n%s", hidden, e.report)
		}
	}
	return e
}

// hurried is an account with a rate limit that no test waits for.
func (y *ycm) hurried(more ...string) string {
	account := strings.NewReplacer("1000", "60000", "name: main", "name: customer-4711").Replace(y.account("main"))
	return account + "\n    timeout: 10s\n    " + strings.Join(more, "\n    ")
}

// want fails unless the doctor ended with the code and printed all the sentences.
func (e examined) want(t *testing.T, code int, sentences ...string) {
	t.Helper()
	plain := strings.Join(strings.Fields(e.report), " ")
	for _, sentence := range sentences {
		if !strings.Contains(plain, sentence) {
			t.Errorf("the report lacks %q:\n%s", sentence, e.report)
		}
	}
	if e.code != code {
		t.Errorf("the exit code is %d, want %d; stderr: %s\n%s", e.code, code, e.stderr, e.report)
	}
	if failed := strings.Contains(e.stderr, "--doctor: the exporter will not work as configured"); failed != (code == 1) {
		t.Errorf("with exit code %d, stderr is %q", code, e.stderr)
	}
}

func TestDoctorReportsTLS(t *testing.T) {
	t.Parallel()
	y := simulate(t, 30)
	server := httptest.NewUnstartedServer(y)
	server.EnableHTTP2 = true
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // It logs that its certificate was refused.
	server.StartTLS()
	t.Cleanup(server.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, certificatePEM(server.Certificate().Raw), 0o600); err != nil {
		t.Fatal(err)
	}
	y.url = server.URL
	for _, c := range []struct {
		name, tls string
		code      int
		want      []string
	}{
		{"an authority of one's own", "ca_file: " + ca, 0, []string{"ok The server responds."}},
		{"an authority that is not known", "", 1, []string{"got no complete response: the certificate is signed by an unknown authority.", "http_client.tls_config.ca_file"}},
		{"another name", "ca_file: " + ca + ", server_name: ycm.example.net", 1, []string{"got no complete response: the certificate is for another host name.", "http_client.tls_config.server_name"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			y.examine(t, nil, y.hurried("http_client: {tls_config: {"+c.tls+"}}")).want(t, c.code, c.want...)
		})
	}
}

func TestDoctorReportsMissingTLSAndExpiredCertificate(t *testing.T) {
	t.Parallel()
	y := simulate(t, 30)
	plain := y.url
	y.url = strings.Replace(plain, "http://", "https://", 1)
	y.examine(t, nil, y.hurried()).want(t, 1, "got no complete response: the server does not use TLS.", "check the scheme (https or http) and the port of base_url")

	server := expired(t, y)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, certificatePEM(server.TLS.Certificates[0].Certificate[0]), 0o600); err != nil {
		t.Fatal(err)
	}
	y.url = server.URL
	y.examine(t, nil, y.hurried("http_client: {tls_config: {ca_file: "+ca+"}}")).want(t, 1, "the certificate has expired or is not valid yet.", "renew the certificate")
}

// expired serves with a certificate whose time is over.
func expired(t *testing.T, handler http.Handler) *httptest.Server {
	t.Helper()
	over := issue(t, &x509.Certificate{
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(-time.Hour),
	}, nil)
	server := httptest.NewUnstartedServer(handler)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{over}}
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // It logs that its certificate was refused.
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

func TestDoctorUsesTheProxy(t *testing.T) {
	t.Parallel()
	y := simulate(t, 30)
	requests := 0
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests++
		y.ServeHTTP(w, r)
	}))
	t.Cleanup(proxy.Close)
	withPassword := strings.Replace(proxy.URL, "http://", "http://hunter2:hunter2@", 1)
	y.url = "http://localhost:1" // Only the proxy reaches YCM.
	y.examine(t, nil, y.hurried("http_client: {proxy_url: "+withPassword+"}")).want(t, 0, "The complete list was read: 30 PBXs.")
	if requests == 0 {
		t.Error("no request went through the proxy")
	}
}

// A refused login of the doctor counts with those of the exporter, through the storage folder, so that together they do not
// have YCM block the address.
func TestDoctorAndExporterCountRefusedLoginsTogether(t *testing.T) {
	t.Parallel()
	y := simulate(t, 30)
	y.SetSecret(demoClientID, "another")
	path := filepath.Join(t.TempDir(), "storage")
	store, err := storage.Open(t.Context(), path, false, prometheus.NewRegistry(), klog.NewNopLogger())
	if err != nil {
		t.Fatal(err)
	}
	refusal := yeastar.Refusal{Account: "main", ClientID: demoClientID, At: time.Now().Add(-2 * time.Minute)}
	saveRefusals(store, y.url, refusal, refusal, refusal)
	store.Close()
	y.examine(t, []string{"--storage.path=" + path}, y.hurried()).want(t, 1, "INVALID_CLIENT")
	y.examine(t, []string{"--storage.path=" + path}).want(t, 1, "The login was not tried: the last 4 logins failed",
		"The exporter does not try again before 20", "write the secret file again")
	if n := y.Count(ycmtest.Token); n != 1 {
		t.Errorf("after three refusals, two doctors logged in %d times, want 1", n)
	}
}

// Beside a running exporter, whose storage folder is locked, the doctor works and requests a single token.
func TestDoctorBesideExporter(t *testing.T) {
	t.Parallel()
	y := simulate(t, 30)
	y.configure(t, y.hurried())
	folder := filepath.Join(t.TempDir(), "storage")
	exporter := start(t, "--config.file="+y.configFile, "--storage.path="+folder)
	exporter.waitReady()
	before := y.Count(ycmtest.Token)
	y.examine(t, []string{"--storage.path=" + folder}).want(t, 0, "The login succeeds.")
	if n := y.Count(ycmtest.Token) - before; n != 1 {
		t.Errorf("the doctor requested %d tokens, want the login alone", n)
	}
	exporter.stop()
}

// PBXs with direct access are queried with their own credentials, and the token is given back.
func TestDoctorChecksPBXsWithDirectAccess(t *testing.T) {
	t.Parallel()
	y := simulate(t, 30)
	pbx := fmt.Sprintf("  - {url: %s/pbx/%s, client_id: demo-pbx-client-id, client_secret: demo-pbx-client-secret}", y.url, y.PBXs()[0].URL)
	y.UpdateAll(func(p *ycmtest.PBX) { p.Status, p.APIError, p.Silent = ycmtest.Running, 0, false })
	y.examine(t, nil, y.hurried("pbxs:", pbx, "  - {url: http://localhost:1, client_id: x, client_secret: y}")).want(t, 1,
		"ok pbxs[0]: the PBX can be queried.", "problem pbxs[1]: the PBX cannot be queried")
	if n := y.tokensLeft(); n != 0 {
		t.Errorf("%d tokens of the PBX are left behind", n)
	}
}

// Two accounts are two parts of one report, and one that does not work is enough for the exit code.
func TestDoctorChecksEachAccount(t *testing.T) {
	t.Parallel()
	y := simulate(t, 30)
	other := simulate(t, 30)
	other.SetSecret(demoClientID, "another")
	accounts := []string{strings.Replace(other.hurried(), "customer-4711", "other", 1), y.hurried()}
	y.examine(t, nil, accounts...).want(t, 1, "== Account 1 of 2 ==", "INVALID_CLIENT", "1 problem. 1 request sent. == Account 2 of 2 ==", "The exporter will work with this account:")

	e := y.examine(t, []string{"--doctor.format=json"})
	var report doctor.Report
	if err := json.Unmarshal([]byte(e.report), &report); err != nil {
		t.Fatalf("the report is no JSON: %v\n%s", err, e.report)
	}
	if e.code != 1 || report.Works || len(report.Accounts) != 2 || report.Accounts[0].Works || !report.Accounts[1].Works {
		t.Errorf("the exit code is %d and the report %s, want 1, and that the second of two accounts works alone", e.code, e.report)
	}
	for i, a := range report.Accounts {
		problems := 0
		for _, f := range a.Findings {
			if f.Section == "" || f.Check == "" || f.Text == "" {
				t.Errorf("a finding of account %d is not complete: %+v", i+1, f)
			}
			if f.Verdict == doctor.Problem {
				problems++
			}
		}
		if a.Works != (problems == 0) || a.Requests == 0 {
			t.Errorf("account %d works: %v, with %d problems and %d requests", i+1, a.Works, problems, a.Requests)
		}
	}
}
