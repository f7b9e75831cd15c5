package app

import (
	"compress/gzip"
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

// examined is what the doctor printed.
type examined struct {
	code   int
	report string
	said   string // on stderr
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

// hurried is an account that may be asked so often that a test need not wait.
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
		t.Errorf("the exit code is %d, want %d; stderr: %s\n%s", e.code, code, e.said, e.report)
	}
	if failed := strings.Contains(e.said, "--doctor: the exporter will not work as configured"); failed != (code == 1) {
		t.Errorf("with exit code %d, stderr is %q", code, e.said)
	}
}

func TestDoctorTellsOfTLS(t *testing.T) {
	y := simulate(t, 30)
	server := httptest.NewUnstartedServer(y)
	server.EnableHTTP2 = true
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // It tells that its certificate was refused.
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
		{"an authority of one's own", "ca_file: " + ca, 0, []string{"fine TLS 1.3 with TLS_AES_128_GCM_SHA256; the certificate, issued by itself, is valid until 2084-01-29.", "Answers come by HTTP/2.0"}},
		{"an authority that is not known", "", 1, []string{"had no answer: the certificate of <ycm> is of an authority that this machine does not trust.", "http_client.tls_config.ca_file"}},
		{"another name", "ca_file: " + ca + ", server_name: ycm.example.net", 1, []string{"had no answer: the certificate of <ycm> is for another name.", "http_client.tls_config.server_name"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			y.examine(t, nil, y.hurried("http_client: {tls_config: {"+c.tls+"}}")).want(t, c.code, c.want...)
		})
	}
}

func TestDoctorTellsOfWhatSpeaksNoTLSAndOfAnExpiredCertificate(t *testing.T) {
	y := simulate(t, 30)
	plain := y.url
	y.url = strings.Replace(plain, "http://", "https://", 1)
	y.examine(t, nil, y.hurried()).want(t, 1, "had no answer: what answers does not speak TLS.", "check the scheme and port of base_url")

	server := expired(t, y)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, certificatePEM(server.TLS.Certificates[0].Certificate[0]), 0o600); err != nil {
		t.Fatal(err)
	}
	y.url = server.URL
	y.examine(t, nil, y.hurried("http_client: {tls_config: {ca_file: "+ca+"}}")).want(t, 1, "the certificate of <ycm> has expired, or is not valid yet.", "renew the certificate")
}

// expired serves with a certificate whose time is over.
func expired(t *testing.T, handler http.Handler) *httptest.Server {
	t.Helper()
	over := issue(t, &x509.Certificate{
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(-time.Hour),
	}, nil)
	server := httptest.NewUnstartedServer(handler)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{over}}
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // It tells that its certificate was refused.
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

func TestDoctorGoesThroughTheProxy(t *testing.T) {
	y := simulate(t, 30)
	asked := 0
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		y.ServeHTTP(w, r)
	}))
	t.Cleanup(proxy.Close)
	withPassword := strings.Replace(proxy.URL, "http://", "http://hunter2:hunter2@", 1)
	y.url = "http://localhost:1" // Nobody but the proxy gets there.
	y.examine(t, nil, y.hurried("http_client: {proxy_url: "+withPassword+"}")).want(t, 0, "note Requests go through an HTTP proxy (http).", "YCM counts 30 PBXs")
	if asked == 0 {
		t.Error("the proxy was not asked")
	}
}

// zipping compresses what a handler answers, for whom asks for it.
func zipping(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			next.ServeHTTP(w, r)
			return
		}
		inner := httptest.NewRecorder()
		next.ServeHTTP(inner, r)
		for name, values := range inner.Header() {
			w.Header()[name] = values
		}
		w.Header().Del("Content-Length")
		w.Header().Set("Content-Encoding", "gzip")
		w.WriteHeader(inner.Code)
		zipped := gzip.NewWriter(w)
		defer zipped.Close()
		_, _ = io.Copy(zipped, inner.Body)
	})
}

// A YCM that compresses, or a proxy before it, is read and captured as any other.
func TestDoctorReadsWhatIsCompressed(t *testing.T) {
	y := simulate(t, 30)
	server := httptest.NewServer(zipping(y))
	t.Cleanup(server.Close)
	y.url = server.URL
	file := filepath.Join(t.TempDir(), "capture.jsonl")
	y.examine(t, []string{"--capture=" + file}, y.hurried()).want(t, 0, "YCM compresses them if asked to, which the exporter does not.", "YCM counts 30 PBXs")
	content, err := os.ReadFile(file)
	if err != nil || strings.Count(string(content), `"pbxStatus":"Running"`) < 3 {
		t.Errorf("the capture has no list (%v):\n%s", err, content)
	}
}

// However YCM says no to a login, the report tells what it said, in the vendor's words, and what to do; the login is tried
// once, because YCM blocks an address after five.
func TestDoctorTellsHowALoginIsRefused(t *testing.T) {
	const credentials, blocked = "check client_id and the client secret (System > API), its Client IP Restriction, and Security > Blocked IP", "do not try more than 4 times in a row"
	answer := func(status int, body string) ycmtest.Effect { return ycmtest.Answer(status, "application/json", body) }
	for _, c := range []struct {
		name   string
		effect ycmtest.Effect
		want   []string
	}{
		{"wrong secret", answer(401, `{"status":"Failed","code":1000033,"msg":"INVALID_CLIENT"}`), []string{"HTTP 401, code 1000033 INVALID_CLIENT, taken for auth.", credentials, blocked, "the fields status, code, msg"}},
		{"wrong secret, under HTTP 200", answer(200, `{"Status":"Failed","errcode":"1000033","errmsg":"hunter2"}`), []string{"HTTP 200, code 1000033 INVALID_CLIENT, taken for auth.", credentials}},
		{"wrong secret, as RFC 6749", answer(401, `{"error":"invalid_client","error_description":"hunter2"}`), []string{"HTTP 401, taken for auth.", credentials, "the fields error_description, error"}},
		{"address blocked for 20 minutes", answer(403, `{"status":"Failed","errors":[{"code":1000002,"message":"API Authentication Lockout, 20 min"}]}`), []string{"HTTP 403, code 1000002 AUTHENTICATION_FAILED, taken for auth.", "Security > Blocked IP"}},
		{"address not allowed", answer(403, `{"status":"Failed","code":1000043}`), []string{"HTTP 403, code 1000043 PERMISSION_DENIED, taken for denied.", "its Client IP Restriction"}},
		{"address not allowed, with a page", ycmtest.HTML(403), []string{"HTTP 403 with text/html in the place of JSON.", "check base_url, and the Client IP Restriction (System > API)"}},
		{"API switched off", answer(404, `{"status":"Failed","code":1000005}`), []string{"HTTP 404, code 1000005 DATA_NOT_FOUND, taken for not_found."}},
		{"another code", answer(400, `{"status":"Failed","code":1999999}`), []string{"HTTP 400, code 1999999, which is not documented, taken for invalid."}},
		{"no token", answer(200, `{"status":"Success","data":{}}`), []string{"has no access_token: what answers there is not YCM's API.", "check base_url"}},
		{"somewhere else", ycmtest.Redirect("https://hunter2.example.com/"), []string{"The login (client_credentials) is refused: HTTP 302"}},
		{"YCM is down", ycmtest.HTML(502), []string{"HTTP 502 with text/html in the place of JSON."}},
		{"an answer without end", ycmtest.Oversize(17 << 20), []string{"The login had no answer: the answer is over 16 MiB."}},
		{"no answer at all", ycmtest.Reset(), []string{"The login had no answer: the connection broke."}},
	} {
		t.Run(c.name, func(t *testing.T) {
			y := simulate(t, 30)
			y.Inject(ycmtest.Fault{Effect: c.effect})
			y.examine(t, nil, y.hurried()).want(t, 1, c.want...)
			if n := len(y.Requests()); n != 1 {
				t.Errorf("%d requests were sent, want the login alone", n)
			}
		})
	}
}

// A refused login of the doctor counts with those of the exporter, through the storage folder, so that together they do not
// have YCM block the address.
func TestDoctorAndExporterCountRefusedLoginsTogether(t *testing.T) {
	y := simulate(t, 30)
	y.SetSecret(demoClientID, "another")
	path := filepath.Join(t.TempDir(), "storage")
	folder, err := storage.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	exporter := newMemory(folder, path, prometheus.NewRegistry(), klog.NewNopLogger())
	exporter.SaveLogins(y.url, yeastar.LoginState{Salt: "x", Clients: map[string]yeastar.ClientState{
		demoClientID: {Refusals: 3, Refused: time.Now().Add(-2 * time.Minute)},
	}})
	exporter.close()
	y.examine(t, []string{"--storage.path=" + path}, y.hurried()).want(t, 1, "INVALID_CLIENT")
	y.examine(t, []string{"--storage.path=" + path}).want(t, 1, "The login was not tried, and will not be before "+time.Now().UTC().Format("2006-01-02"),
		"so that YCM does not block this address (refused logins in a row: 4).", "write the secret file anew")
	if n := y.Count(ycmtest.Token); n != 1 {
		t.Errorf("after three refusals, two doctors logged in %d times, want 1", n)
	}
}

// Where an exporter is at work, the doctor does not refresh the token, which might end the exporter's, and leaves the
// folder alone.
func TestDoctorBesideAnExporterDoesNotRefresh(t *testing.T) {
	y := simulate(t, 30)
	y.configure(t, y.hurried())
	folder := filepath.Join(t.TempDir(), "storage")
	exporter := start(t, "--config.file="+y.configFile, "--storage.path="+folder)
	exporter.waitReady()
	before := y.Count(ycmtest.Token)
	y.examine(t, []string{"--storage.path=" + folder}).want(t, 0, "A refresh token came. It was not tried, because an exporter is at work with this account.")
	if n := y.Count(ycmtest.Token) - before; n != 1 {
		t.Errorf("the doctor asked for %d tokens, want the login alone", n)
	}
	exporter.stop()
	y.examine(t, []string{"--storage.path=" + folder}).want(t, 0, "A refresh token came, and works")
}

// Two accounts are two parts of one report, and one that does not work is enough for the exit code.
func TestDoctorLooksAtEachAccount(t *testing.T) {
	y := simulate(t, 30)
	other := simulate(t, 30)
	other.SetSecret(demoClientID, "another")
	accounts := []string{strings.Replace(other.hurried(), "customer-4711", "other", 1), y.hurried()}
	y.examine(t, nil, accounts...).want(t, 1, "== Account 1 of 2 ==", "INVALID_CLIENT", "1 problem; 1 request sent. == Account 2 of 2 ==", "The exporter will work with this account.")

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

// Whatever a server does instead of answering, the doctor ends within its requests' time-outs and says what was wrong.
func TestDoctorEndsWhateverTheServerDoes(t *testing.T) {
	list := ycmtest.CloudPBXList
	for _, c := range []struct {
		name   string
		at     ycmtest.Endpoint
		effect ycmtest.Effect
		want   string
	}{
		{"everything hangs", "", ycmtest.Hang(), "The login had no answer: no whole answer came within the time-out."},
		{"the list hangs", list, ycmtest.Hang(), "The list of Cloud PBXs cannot be read: no whole answer came within the time-out."},
		{"the list trickles", list, ycmtest.Trickle(10 * time.Second), "The list of Cloud PBXs cannot be read: no whole answer came within the time-out."},
		{"the list is huge", list, ycmtest.Oversize(17 << 20), "The list of Cloud PBXs cannot be read: the answer is over 16 MiB."},
		{"the list is small and becomes huge", list, bomb(64 << 20), "The list of Cloud PBXs cannot be read: the answer is over 16 MiB."},
		{"the list is said to be compressed, and is not", list, ycmtest.Header("Content-Encoding", "gzip"), "The list of Cloud PBXs cannot be read: the connection broke."},
		{"the list is a page for people", list, ycmtest.HTML(200), "The list of Cloud PBXs cannot be read: HTTP 200 with text/html in the place of JSON."},
		{"the list switches protocols", list, ycmtest.Switch(), "The list of Cloud PBXs cannot be read: the connection broke."},
		{"the list is cut", list, ycmtest.Truncate(100), "The list of Cloud PBXs cannot be read: the connection broke."},
	} {
		t.Run(c.name, func(t *testing.T) {
			y := simulate(t, 30)
			y.Inject(ycmtest.Fault{Endpoint: c.at, Effect: c.effect})
			file := filepath.Join(t.TempDir(), "capture.jsonl")
			timeout := 30 * time.Second // 16 MiB take their time on a machine that is busy.
			if strings.HasSuffix(c.want, "within the time-out.") {
				timeout = time.Second
			}
			account := strings.Replace(y.hurried(), "timeout: 10s", "timeout: "+timeout.String(), 1)
			began := time.Now()
			y.examine(t, []string{"--capture=" + file}, account).want(t, 1, c.want)
			if took := time.Since(began); took > doctor.MostRequests*timeout {
				t.Errorf("it took %v", took)
			}
			if info, err := os.Stat(file); err != nil || info.Size() == 0 {
				t.Errorf("what did come was not captured: %v", err)
			}
		})
	}
}

// bomb is an answer of a few bytes that becomes many.
func bomb(size int64) ycmtest.Effect {
	return func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			zipped := gzip.NewWriter(w)
			defer zipped.Close()
			_, _ = fmt.Fprint(zipped, `{"data":{"list":["`)
			_, _ = io.CopyN(zipped, blanks{}, size)
		})
	}
}

// blanks are so many blanks as are read.
type blanks struct{}

func (blanks) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}
