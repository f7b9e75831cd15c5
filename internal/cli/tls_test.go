package cli

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// issue makes a certificate, good for an hour unless the template says otherwise, and its key. An authority signs it, or if it
// is nil the certificate signs itself.
func issue(t *testing.T, template *x509.Certificate, by *tls.Certificate) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	if template.NotAfter.IsZero() {
		template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	}
	if by == nil {
		by = &tls.Certificate{Leaf: template, PrivateKey: key}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, by.Leaf, key.Public(), by.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: template}
}

// certificatePEM is a certificate as a file has it.
func certificatePEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// authority is a CA of one's own, and a certificate that it gave to servers of these names.
func authority(t *testing.T, names ...string) (ca []byte, server tls.Certificate) {
	t.Helper()
	root := issue(t, &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, nil)
	return certificatePEM(root.Certificate[0]), issue(t, &x509.Certificate{DNSNames: names}, &root)
}

// site is servers behind TLS that only a proxy reaches, whatever their names: it counts the tunnels to each.
type site struct {
	proxy   string
	mu      sync.Mutex
	tunnels map[string]int
}

func (s *site) requested() (names []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name := range s.tunnels {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func behindProxy(t *testing.T, certificate tls.Certificate, handler http.Handler) *site {
	t.Helper()
	quiet := log.New(io.Discard, "", 0)
	server := httptest.NewUnstartedServer(handler)
	server.TLS, server.Config.ErrorLog = &tls.Config{Certificates: []tls.Certificate{certificate}}, quiet
	server.StartTLS()
	t.Cleanup(server.Close)

	s := &site{tunnels: map[string]int{}}
	var ends sync.WaitGroup
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect {
			http.Error(w, "this proxy makes tunnels alone", http.StatusMethodNotAllowed)
			return
		}
		s.mu.Lock()
		s.tunnels[r.Host]++
		s.mu.Unlock()
		there, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		w.WriteHeader(http.StatusOK)
		here, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			there.Close()
			return
		}
		for _, way := range [][2]net.Conn{{here, there}, {there, here}} {
			ends.Go(func() {
				_, _ = io.Copy(way[0], way[1])
				way[0].Close()
				way[1].Close()
			})
		}
	}))
	t.Cleanup(func() {
		proxy.Close()
		server.CloseClientConnections()
		ends.Wait()
	})
	s.proxy = proxy.URL
	return s
}

// with is an example's configuration in a folder of its own, in which texts are replaced.
func with(t *testing.T, example string, ca []byte, replaced ...string) (path string) {
	t.Helper()
	path = copied(t, filepath.Join(examples, example), ca, nil)
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(replaced); i += 2 {
		if !strings.Contains(string(content), replaced[i]) {
			t.Fatalf("%s does not have %q", example, replaced[i])
		}
	}
	if err := os.WriteFile(path, []byte(strings.NewReplacer(replaced...).Replace(string(content))), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// The example of a YCM of one's own works: through the proxy alone, and only with the CA that signed for it.
func TestExampleOfSelfHostedYCM(t *testing.T) {
	t.Parallel()
	ca, certificate := authority(t, "ycm.internal.example.com")
	y := ycmtest.New(ycmtest.Options{PBXs: 5, Seed: 1, ClientID: "3f9a0c51e2", ClientSecret: "Kq7#vT2p"})
	s := behindProxy(t, certificate, y)
	const proxy = "http://proxy.internal.example.com:3128"

	d := start(t, "--config.file="+with(t, "self-hosted.yml", ca, proxy, s.proxy))
	d.waitFor("\nycm_up{account=\"main\"} 1\n")
	d.waitFor("\nycm_cloud_pbxs{account=\"main\"} 5\n")
	d.stop()
	if got, want := s.requested(), []string{"ycm.internal.example.com:8443"}; !slices.Equal(got, want) {
		t.Errorf("the proxy had requests for %v, want %v", got, want)
	}

	another, _ := authority(t, "ycm.internal.example.com")
	d = start(t, "--config.file="+with(t, "self-hosted.yml", another, proxy, s.proxy))
	d.waitFor("\nycm_up{account=\"main\"} 0\n")
	d.eventually("the log says why", func() bool { return strings.Contains(d.out.String(), "certificate signed by unknown authority") })
}

// The example of PBXs with direct access works, over TLS, each with an API client of its own.
func TestExampleOfDirectPBXs(t *testing.T) {
	t.Parallel()
	ca, certificate := authority(t, "ycm.yeastar.com", "anna.pbx.example.com", "bert.pbx.example.com")
	y := ycmtest.New(ycmtest.Options{
		PBXs: 2, Seed: 1, ClientID: "3f9a0c51e2", ClientSecret: "Kq7#vT2p", PBXClientID: "6c0e1f", PBXClientSecret: "Kq7#vT2p", Healthy: true,
	})
	pbxs := map[string]string{"anna.pbx.example.com": y.PBXs()[0].URL, "bert.pbx.example.com:8088": y.PBXs()[1].URL}
	s := behindProxy(t, certificate, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if name, direct := pbxs[r.Host]; direct {
			r.URL.Path = "/pbx/" + name + r.URL.Path
		}
		y.ServeHTTP(w, r)
	}))

	trusted := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(trusted, ca, 0o600); err != nil {
		t.Fatal(err)
	}
	d := start(t, "--config.file="+with(t, "direct-pbxs.yml", ca,
		"    pbxs:", "    http_client: {proxy_url: '"+s.proxy+"', tls_config: {ca_file: '"+trusted+"'}}\n    pbxs:",
		"77d2ab", "6c0e1f", // The simulator's PBXs have one API client.
		"{enabled: true}", "{enabled: true, interval: 1s}"))
	for _, name := range []string{"anna.pbx.example.com", "bert.pbx.example.com:8088"} {
		d.waitFor("\nycm_cloud_pbx_api_up{account=\"main\",cloud_pbx_id=\"\",name=\"" + name + "\",region=\"\"} 1\n")
		d.waitFor("\nycm_cloud_pbx_trunks_truncated{account=\"main\",cloud_pbx_id=\"\",name=\"" + name + "\"")
	}
	d.stop()
	if got, want := s.requested(), []string{"anna.pbx.example.com:443", "bert.pbx.example.com:8088", "ycm.yeastar.com:443"}; !slices.Equal(got, want) {
		t.Errorf("the proxy had requests for %v, want %v", got, want)
	}
}
