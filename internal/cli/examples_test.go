package cli

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const examples = "docs/examples"

// filesNamed finds the files that an example names, relative to itself.
var filesNamed = regexp.MustCompile(`(?m)(?:_file: |files: \[)([a-z][^\s\]]*)`)

// copied puts an example into a folder of its own, with everything that it names beside it: secrets, certificate, key.
func copied(t *testing.T, example string, certificate, key []byte) (path string) {
	t.Helper()
	content, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, m := range filesNamed.FindAllStringSubmatch(string(content), -1) {
		switch filepath.Ext(m[1]) {
		case ".pem", ".crt":
			write(m[1], certificate)
		case ".key":
			write(m[1], key)
		default:
			write(m[1], []byte("Kq7#vT2p"))
		}
	}
	return write(filepath.Base(example), content)
}

// selfSigned is a certificate of 127.0.0.1, and its key.
func selfSigned(t *testing.T) (certificate, key []byte) {
	t.Helper()
	issued := issue(t, &x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}, nil)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(issued.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return certificatePEM(issued.Certificate[0]), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
}

// What a user copies from the documentation is a configuration that the exporter takes.
func TestExampleConfigurationsAreTaken(t *testing.T) {
	t.Parallel()
	certificate, key := selfSigned(t)
	all, err := filepath.Glob(examples + "/*.yml")
	if err != nil {
		t.Fatal(err)
	}
	taken := 0
	for _, example := range all {
		content, err := os.ReadFile(example)
		if err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(`(?m)^accounts:`).Match(content) {
			continue
		}
		taken++
		out := &output{}
		if code := Run(t.Context(), []string{"--config.check", "--config.file=" + copied(t, example, certificate, key)}, out, out); code != 0 {
			t.Errorf("--config.check of %s: exit code %d, want 0; it printed:\n%s", example, code, out)
		}
	}
	if taken < 3 {
		t.Errorf("%d examples were checked, want the three that %s/README.md names", taken, examples)
	}
}

// So is what a user copies from the pages, with an account where the page shows none.
func TestConfigurationsOnPagesAreTaken(t *testing.T) {
	t.Setenv("BERT", "Kq7#vT2p")
	certificate, key := selfSigned(t)
	block := regexp.MustCompile("(?ms)^( *)```yaml\n *((?:accounts|collectors|metrics):.*?)^ *```")
	pages, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	taken := 0
	for _, page := range append(pages, "README.md") {
		content, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range block.FindAllStringSubmatch(string(content), -1) {
			taken++
			shown := strings.ReplaceAll(strings.ReplaceAll(found[2], "\n"+found[1], "\n"), "<your Client ID>", "3f9a0c51e2")
			if !strings.HasPrefix(shown, "accounts:") {
				shown += "accounts: [{name: main, base_url: 'https://ycm.example.com', client_id: 3f9a0c51e2, client_secret: Kq7}]\n"
			}
			file := filepath.Join(t.TempDir(), "config.yml")
			if err := os.WriteFile(file, []byte(shown), 0o600); err != nil {
				t.Fatal(err)
			}
			out := &output{}
			if code := Run(t.Context(), []string{"--config.check", "--config.expand-env", "--config.file=" + copied(t, file, certificate, key)}, out, out); code != 0 {
				t.Errorf("--config.check of a configuration in %s: exit code %d, want 0; it printed:\n%s\n%s", page, code, out, shown)
			}
		}
	}
	if taken < 12 {
		t.Errorf("%d configurations were checked, want those of README.md and docs/configuration.md", taken)
	}
}

// Every flag is in the table of flags, with its default, and every flag in the table exists.
func TestDocsListEveryFlag(t *testing.T) {
	t.Parallel()
	out := &output{}
	if code := Run(t.Context(), []string{"--help"}, out, out); code != 0 {
		t.Fatalf("--help: exit code %d, want 0", code)
	}
	content, err := os.ReadFile("docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(content), "\n## Flags\n")
	rows := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `--([a-z.-]+)` \\|(?: `([^|]*)`)?[^|]*\\| \\S").FindAllStringSubmatch(section, -1) {
		rows[row[1]] = row[2]
	}
	for _, flag := range regexp.MustCompile(`(?m)^ {6}--(?:\[no-\])?([a-z.-]+)(?:="?([^\s"]*))?`).FindAllStringSubmatch(out.String(), -1) {
		name, value := flag[1], flag[2]
		if name == "version" {
			continue
		}
		row, listed := rows[name]
		delete(rows, name)
		if !listed || value == strings.ToLower(value) && row != value {
			t.Errorf("docs/configuration.md lists --%s (%v) with default %q, want %q", name, listed, row, value)
		}
	}
	for name := range rows {
		t.Errorf("docs/configuration.md lists --%s, which does not exist", name)
	}
}

// Prometheus takes the scrape configurations, if its promtool is there to say so.
func TestExampleScrapesAreTaken(t *testing.T) {
	t.Parallel()
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not on the PATH: the examples of scrape configurations are not checked")
	}
	certificate, key := selfSigned(t)
	for _, name := range []string{"prometheus-tls.yml", "prometheus-sharded.yml", "victoriametrics.yml"} {
		path := copied(t, filepath.Join(examples, name), certificate, key)
		if out, err := exec.CommandContext(t.Context(), promtool, "check", "config", path).CombinedOutput(); err != nil {
			t.Errorf("promtool check config %s: %v\n%s", name, err, out)
		}
	}
}

// On a shared network the pages are for those who have the password, over TLS, and for no other client.
func TestTLSAndPasswordGuardThePages(t *testing.T) {
	t.Parallel()
	certificate, key := selfSigned(t)
	d := start(t, "--demo", "--demo.pbxs=10", "--web.config.file="+copied(t, examples+"/web.yml", certificate, key))
	d.url = strings.Replace(d.url, "http://", "https://", 1)

	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(certificate)
	get := func(path, password string, most uint16) (*http.Response, error) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, d.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if password != "" {
			req.SetBasicAuth("prometheus", password)
		}
		// A client that offers old versions of TLS, so that it is the server that refuses them.
		transport := &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: trusted, MinVersion: tls.VersionTLS10, MaxVersion: most}}
		resp, err := (&http.Client{Transport: transport}).Do(req)
		if err == nil {
			resp.Body.Close()
		}
		return resp, err
	}
	for _, page := range []string{"/", "/metrics", "/status", "/sd", "/-/healthy", "/-/ready", "/-/reload"} {
		for password, want := range map[string]int{"": http.StatusUnauthorized, "wrong": http.StatusUnauthorized} {
			if resp, err := get(page, password, 0); err != nil || resp.StatusCode != want {
				t.Errorf("GET %s with password %q: got %v, %v, want %d", page, password, resp, err, want)
			}
		}
	}
	resp, err := get("/metrics", "change this", 0)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("GET /metrics with the password: got %v, %v, want 200", resp, err)
	}
	for header, want := range map[string]string{
		"Strict-Transport-Security": "max-age=31536000",
		"X-Content-Type-Options":    "nosniff",
	} {
		if got := resp.Header.Get(header); got != want {
			t.Errorf("header %s is %q, want %q", header, got, want)
		}
	}
	if resp, err := get("/metrics", "change this", tls.VersionTLS11); err == nil {
		t.Errorf("GET /metrics over TLS 1.1: got %d, want a refusal", resp.StatusCode)
	}
	d.url = strings.Replace(d.url, "https://", "http://", 1)
	if resp, err := get("/metrics", "change this", 0); err == nil && resp.StatusCode == http.StatusOK {
		t.Error("GET /metrics without TLS: got 200, want a refusal")
	}
}
