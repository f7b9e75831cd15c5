package cli

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"

	"go.yaml.in/yaml/v3"
)

// onLoopback is where a process on the same machine reaches what listens on an address.
func onLoopback(listen string) ([]string, error) {
	host, port, err := net.SplitHostPort(listen)
	if err != nil || strings.HasPrefix(listen, "vsock:") || port == "0" {
		return nil, fmt.Errorf("--web.listen-address %q is no address of the network with a port, so it cannot be asked on loopback", listen)
	}
	ip, err := netip.ParseAddr(host)
	switch {
	case host == "", err == nil && ip == netip.IPv6Unspecified():
		return []string{net.JoinHostPort("127.0.0.1", port), net.JoinHostPort("::1", port)}, nil
	case err == nil && ip.IsUnspecified():
		return []string{net.JoinHostPort("127.0.0.1", port)}, nil
	default:
		return []string{listen}, nil
	}
}

// scheme is https if the file of --web.config.file, which may be empty, has a certificate, else http.
func scheme(webConfigFile string) (string, error) {
	if webConfigFile == "" {
		return "http", nil
	}
	content, err := os.ReadFile(webConfigFile)
	if err != nil {
		return "", fmt.Errorf("reading --web.config.file: %w", err)
	}
	var settings struct {
		TLS map[string]any `yaml:"tls_server_config"`
	}
	if err := yaml.Unmarshal(content, &settings); err != nil {
		return "", fmt.Errorf("--web.config.file %s is no YAML: %w", webConfigFile, err)
	}
	if len(settings.TLS) > 0 {
		return "https", nil
	}
	return "http", nil
}
