package cli

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// certificate writes a certificate and its key, for a name that is not that of loopback, and returns the lines of a
// web configuration that use it.
func certificate(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"exporter.example.com"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	for name, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: der}, "key.pem": {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(filepath.Join(folder, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return "tls_server_config:\n  cert_file: " + filepath.Join(folder, "cert.pem") + "\n  key_file: " + filepath.Join(folder, "key.pem") + "\n"
}

// users is a web configuration that wants a password. The hash is bcrypt's of "open sesame".
const users = "basic_auth_users:\n  prometheus: $2a$04$Sa4nFgcxRglDejbs0f9JOeCQEy.C3wlQuBoQi1B5Hf5E4tnh/G3Mq\n"

// The health check of an image finds the exporter however it is set up, by the same flags or environment.
func TestHealthCheckFindsTheExporter(t *testing.T) {
	y := simulate(t, 10)
	tls := certificate(t)
	for name, c := range map[string]struct {
		webConfig string
		flags     []string
	}{
		"plain":                     {"", nil},
		"with a password":           {users, nil},
		"with TLS of another name":  {tls, nil},
		"with TLS and a password":   {tls + users, nil},
		"with client certificates":  {tls + "  client_auth_type: RequireAnyClientCert\n", nil},
		"with a prefix":             {"", []string{"--web.route-prefix=/ycm"}},
		"with a URL of the outside": {"", []string{"--web.external-url=https://proxy.example.com/ycm/"}},
	} {
		t.Run(name, func(t *testing.T) {
			flags := c.flags
			if c.webConfig != "" {
				file := filepath.Join(t.TempDir(), "web.yml")
				if err := os.WriteFile(file, []byte(c.webConfig), 0o600); err != nil {
					t.Fatal(err)
				}
				flags = append(flags, "--web.config.file="+file)
			}
			d := start(t, append(flags, "--config.file="+y.configFile)...)
			address := strings.TrimPrefix(d.url, "http://")
			expectHealth(t, 0, "is healthy", append(flags, "--web.listen-address="+address)...)

			t.Setenv("YCM_EXPORTER_WEB_LISTEN_ADDRESS", "0.0.0.0"+address[strings.LastIndex(address, ":"):])
			for _, flag := range flags {
				variable, value, _ := strings.Cut(strings.TrimPrefix(flag, "--"), "=")
				t.Setenv("YCM_EXPORTER_"+strings.NewReplacer(".", "_", "-", "_").Replace(strings.ToUpper(variable)), value)
			}
			expectHealth(t, 0, "is healthy")
			if code := d.stop(); code != 0 {
				t.Errorf("the program ended with %d:\n%s", code, d.out)
			}
			expectHealth(t, 1, "is not healthy")
		})
	}
}

func expectHealth(t *testing.T, want int, says string, flags ...string) {
	t.Helper()
	var out bytes.Buffer
	code := Run(t.Context(), append([]string{"--healthcheck"}, flags...), &out, &out)
	if code != want || !strings.Contains(out.String(), says) {
		t.Errorf("--healthcheck %q: exit code %d and %q, want %d and %q", flags, code, out.String(), want, says)
	}
}

func TestHealthCheckFailsForOtherServers(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusNotFound, http.StatusServiceUnavailable, http.StatusFound} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/")
			w.WriteHeader(status)
		}))
		expectHealth(t, 1, "responded with "+strconv.Itoa(status), "--web.listen-address="+server.Listener.Addr().String())
		server.Close()
	}
}

// What the demo prints works when it is pasted.
func TestDemoPrintsWhatExists(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "web.yml")
	if err := os.WriteFile(file, []byte(certificate(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	d := start(t, "--demo", "--demo.pbxs=20", "--web.config.file="+file, "--web.route-prefix=/ycm")
	for _, want := range []string{"https://127.0.0.1:0/ycm/metrics ", "https://127.0.0.1:0/ycm/status ", "curl -X POST '"} {
		d.eventually("the demo prints "+want, func() bool { return strings.Contains(d.out.String(), want) })
	}
	_, command, _ := strings.Cut(d.out.String(), "curl -X POST '")
	command, _, _ = strings.Cut(command, "'")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, command, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	if response.StatusCode >= 300 {
		t.Errorf("POST %s: %s, want a PBX that exists", command, response.Status)
	}
}
