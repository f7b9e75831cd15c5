package config

import (
	"cmp"
	"maps"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	promconfig "github.com/prometheus/common/config"

	"github.com/ycm-exporter/ycm_exporter/internal/secret"
	"github.com/ycm-exporter/ycm_exporter/internal/strictyaml"
)

// checkURL reports all that is wrong with the address of a YCM or a PBX, and brings it into one form: a host in lower
// case, no default port, a port without zeros before it, and no slash at the end.
func (d *document) checkURL(path string, u *url.URL) {
	if !d.Sound(path) {
		return
	}
	loopback := u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback()
	usual := map[string]string{"http": "80", "https": "443"}[u.Scheme]
	port, _ := strconv.Atoi(cmp.Or(u.Port(), usual, "443"))
	for _, rule := range []struct {
		broken  bool
		message string
	}{
		{u.Scheme != "https" && (u.Scheme != "http" || !loopback), "must begin with https:// (http:// is for localhost alone)"},
		{u.Hostname() == "", "has no host; write https:// and the host"},
		{strings.HasSuffix(u.Host, ":") || port < 1 || port > 65535, "has a port that is not between 1 and 65535"},
		{u.User != nil, "must not hold a user name or a password; leave out what is before the @"},
		{u.RawQuery != "" || u.ForceQuery, "must not have a query; leave out what begins with ?"},
		{u.Fragment != "", "must not have a fragment; leave out what begins with #"},
	} {
		if rule.broken {
			d.Problem(path, "%s", rule.message)
		}
	}
	u.Host = strings.TrimSuffix(strings.ToLower(u.Host), ":"+u.Port())
	if number := strconv.Itoa(port); number != usual {
		u.Host += ":" + number
	}
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), strings.TrimRight(u.RawPath, "/")
}

// checkHTTPClient checks the settings that prometheus/common has for a client, in its own words where it has a rule,
// because those never quote a value. It makes whole paths of the file names.
func (d *document) checkHTTPClient(path string, c *promconfig.HTTPClientConfig) {
	for _, key := range []string{"basic_auth", "authorization", "oauth2", "bearer_token", "bearer_token_file"} {
		d.Must(strictyaml.Key(path, key), false, "cannot be used: the header Authorization carries YCM's own token; leave it out")
	}
	d.Must(path+".follow_redirects", !c.FollowRedirects, "must be false: redirects are never followed; leave it out")
	if u := c.ProxyURL.URL; u != nil {
		d.Must(path+".proxy_url", slices.Contains([]string{"http", "https", "socks5", "socks5h"}, u.Scheme) && u.Hostname() != "",
			"must be http://, https:// or socks5:// and the proxy's host")
	}
	d.validate(path, c.Validate)
	tls := path + ".tls_config"
	for _, key := range []string{"ca_ref", "cert_ref", "key_ref"} {
		d.Must(strictyaml.Key(tls, key), false, "cannot be used: there is no secret manager; name a file instead")
	}
	files := filesOf(path, c)
	for _, at := range slices.Sorted(maps.Keys(files)) {
		d.open(at, files[at], func(file string) error {
			_, err := secret.ReadFile(file)
			return err
		})
	}
	c.SetDirectory(d.join("."))
	d.validate(tls, c.TLSConfig.Validate)
	// A TLS configuration is made once, so that a wrong certificate is found now, not when YCM is first asked.
	if d.Clean(tls) {
		err := d.within(func() error {
			_, err := promconfig.NewTLSConfig(&c.TLSConfig)
			return err
		})
		d.Must(tls, err == nil, "cannot be used: a CA and a certificate are PEM text, a certificate comes with its own key, "+
			"and min_version is not above max_version")
	}
}

// filesOf lists the files that the settings of a client name, by field.
func filesOf(path string, c *promconfig.HTTPClientConfig) map[string]string {
	tls := path + ".tls_config"
	files := map[string]string{
		tls + ".ca_file": c.TLSConfig.CAFile, tls + ".cert_file": c.TLSConfig.CertFile, tls + ".key_file": c.TLSConfig.KeyFile,
	}
	if c.HTTPHeaders == nil {
		return files
	}
	for name, header := range c.HTTPHeaders.Headers {
		for i, file := range header.Files {
			files[strictyaml.Item(strictyaml.Key(path+".http_headers", name)+".files", i)] = file
		}
	}
	return files
}

// validate reports what a rule of prometheus/common says of the values at a path, if each of them is right by itself.
func (d *document) validate(path string, rule func() error) {
	if d.Clean(path) {
		if err := rule(); err != nil {
			d.Problem(path, "%s", err)
		}
	}
}
