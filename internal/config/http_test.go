package config_test

import (
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	promconfig "github.com/prometheus/common/config"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A self-hosted YCM has a certificate of its own, named relative to the configuration.
func TestOwnCertificateAndHeadersReachTheServer(t *testing.T) {
	var tenant string
	server := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		tenant = r.Header.Get("X-Tenant")
	}))
	defer server.Close()
	folder := t.TempDir()
	writePEM(t, filepath.Join(folder, "ca.pem"), server.Certificate().Raw)
	path := write(t, folder, strings.Replace(account, "https://ycm.example.com", server.URL, 1)+`    client_secret: x
    http_client:
      tls_config: {ca_file: ca.pem}
      http_headers:
        X-Tenant: {values: [north]}
`)
	cfg := load(t, path, false)

	client, err := promconfig.NewClientFromConfig(cfg.Accounts[0].HTTPClient, "test")
	if err != nil {
		t.Fatal(err)
	}
	defer client.CloseIdleConnections()
	resp, err := client.Get(cfg.Accounts[0].BaseURL.String())
	if err != nil {
		t.Fatalf("requesting from a server whose certificate is in ca_file: %v", err)
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Error(err)
	}
	if err := resp.Body.Close(); err != nil {
		t.Error(err)
	}
	if tenant != "north" {
		t.Errorf("the server got X-Tenant %q, want north", tenant)
	}
	if !equal(cfg, load(t, path, false)) {
		t.Error("a configuration that is in use differs from the same file read again, want them equal")
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	server := httptest.NewServer(http.RedirectHandler("https://elsewhere.example.com/", http.StatusFound))
	defer server.Close()
	content := strings.Replace(account, "https://ycm.example.com", server.URL, 1) + "    client_secret: x\n"
	for _, setting := range []string{"", "    http_client: {follow_redirects: false}\n", "    http_client: {enable_http2: true}\n"} {
		cfg := load(t, write(t, t.TempDir(), content+setting), false)
		client, err := promconfig.NewClientFromConfig(cfg.Accounts[0].HTTPClient, "test")
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Get(cfg.Accounts[0].BaseURL.String())
		if err != nil {
			t.Fatalf("with %q: the redirect was followed: %v", setting, err)
		}
		if err := resp.Body.Close(); err != nil {
			t.Error(err)
		}
		client.CloseIdleConnections()
		if resp.StatusCode != http.StatusFound {
			t.Errorf("with %q: got status %d, want the redirect itself", setting, resp.StatusCode)
		}
	}
}

func writePEM(t *testing.T, path string, certificate []byte) {
	t.Helper()
	content := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}
