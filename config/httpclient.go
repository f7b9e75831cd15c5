package config

import (
	"maps"
	"regexp"
	"slices"

	promconfig "github.com/prometheus/common/config"
)

// plainHeader is what the name of an HTTP header looks like.
var plainHeader = regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)

// checkHTTPClient checks the settings that prometheus/common has for a client, in its own words where it has a rule,
// because those never quote a value.
func checkHTTPClient(c *promconfig.HTTPClientConfig, p place) {
	if !p.mapping() {
		return
	}
	for _, key := range []string{"basic_auth", "authorization", "oauth2", "bearer_token", "bearer_token_file"} {
		p.key(key).must(false, "cannot be used: the header Authorization carries YCM's own token; leave it out")
	}
	p.key("follow_redirects").must(!c.FollowRedirects, "must be false: redirects are never followed; leave it out")
	if u := c.ProxyURL.URL; u != nil {
		p.key("proxy_url").must(slices.Contains([]string{"http", "https", "socks5", "socks5h"}, u.Scheme) && u.Hostname() != "",
			"must be http://, https:// or socks5:// and the proxy's host")
	}
	if p.clean() {
		if err := c.Validate(); err != nil {
			p.problem("%s", err.Error())
		}
	}
	c.SetDirectory(p.doc.dir)
	checkHeaderFiles(c.HTTPHeaders, p.key("http_headers"))
	checkTLS(&c.TLSConfig, p.key("tls_config"))
}

func checkHeaderFiles(h *promconfig.Headers, p place) {
	if h == nil {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(h.Headers)) {
		files := p.key(name).key("files")
		for i, file := range h.Headers[name].Files {
			files.item(i).readFile(file)
		}
	}
}

// checkTLS has prometheus/common make a TLS configuration once, so that a wrong certificate is found now, not when YCM is
// first asked.
func checkTLS(c *promconfig.TLSConfig, p place) {
	for _, key := range []string{"ca_ref", "cert_ref", "key_ref"} {
		p.key(key).must(false, "cannot be used: there is no secret manager; name a file instead")
	}
	for _, named := range []struct{ key, file string }{
		{"ca_file", c.CAFile}, {"cert_file", c.CertFile}, {"key_file", c.KeyFile},
	} {
		if at := p.key(named.key); at.sound() {
			at.readFile(named.file)
		}
	}
	if !p.clean() {
		return
	}
	if err := c.Validate(); err != nil {
		p.problem("%s", err.Error())
		return
	}
	if _, err := promconfig.NewTLSConfig(c); err != nil {
		p.problem("cannot be used: a CA and a certificate are PEM text, a certificate comes with its own key, " +
			"and min_version is not above max_version")
	}
}
