package config

import (
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	promconfig "github.com/prometheus/common/config"
	"golang.org/x/net/idna"

	"github.com/ycm-exporter/ycm_exporter/internal/secret"
)

// checkURL reports all that is wrong with the address of a YCM or a PBX, and normalizes it, so that one server has one
// address: a host in lower case and ASCII (xn--) without a trailing dot, no default port, and no slash at the end.
func (d *document) checkURL(path string, u *url.URL) {
	if u == nil || d.failed[path] {
		return
	}
	host, port := strings.TrimSuffix(strings.ToLower(u.Hostname()), "."), u.Port()
	if ascii, err := idna.Lookup.ToASCII(host); err == nil {
		host = ascii
	}
	loopback := host == "localhost" || net.ParseIP(host).IsLoopback()
	number, err := strconv.ParseUint(port, 10, 16)
	for _, rule := range []struct {
		broken  bool
		message string
	}{
		{u.Scheme != "https" && (u.Scheme != "http" || !loopback), "must begin with https:// (http:// is allowed only for localhost)"},
		{host == "", "has no host; write https:// and the host"},
		{port != "" && (err != nil || number == 0), "has a port that is not between 1 and 65535"},
		{u.User != nil, "must not have a user name or a password; leave out what is before the @"},
		{u.RawQuery != "" || u.ForceQuery || u.Fragment != "", "must not have a query or a fragment; leave out what begins with ? or #"},
		{
			strings.Contains(strings.ToLower(u.JoinPath("/").Path), "/dm/open_api/"), "must not contain the path of the API (/dm/open_api); " +
				"write only scheme and host, such as https://ycm.yeastar.com",
		},
	} {
		if rule.broken {
			d.problemAt(d.line(path), path, "%s", rule.message)
		}
	}
	if port == map[string]string{"http": "80", "https": "443"}[u.Scheme] {
		port = ""
	}
	u.Host = strings.TrimSuffix(net.JoinHostPort(host, port), ":")
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), strings.TrimRight(u.RawPath, "/")
}

// checkHTTPClient checks the settings that prometheus/common has for a client, in its own words where they never show a
// value. It makes whole paths of the file names.
func (d *document) checkHTTPClient(path string, c *promconfig.HTTPClientConfig) {
	d.must(path+".follow_redirects", !c.FollowRedirects, "must be false: redirects are never followed; leave it out")
	if u := c.ProxyURL.URL; u != nil {
		d.must(path+".proxy_url", slices.Contains([]string{"http", "https", "socks5", "socks5h"}, u.Scheme) && u.Hostname() != "",
			"must be http://, https:// or socks5:// and the proxy's host")
	}
	clean := func(path string) bool {
		return !slices.ContainsFunc(d.problems, func(p Problem) bool { return strings.HasPrefix(p.Field, path) })
	}
	if clean(path) {
		if err := c.Validate(); err != nil {
			d.problem(path, "%s", err)
		}
	}
	tls := path + ".tls_config"
	files := map[string]string{
		tls + ".ca_file": c.TLSConfig.CAFile, tls + ".cert_file": c.TLSConfig.CertFile, tls + ".key_file": c.TLSConfig.KeyFile,
	}
	if c.HTTPHeaders != nil {
		for name, header := range c.HTTPHeaders.Headers {
			for i, file := range header.Files {
				files[itemAt(keyAt(path+".http_headers", name)+".files", i)] = file
			}
			for i := range header.Secrets {
				d.checkQuotes(itemAt(keyAt(path+".http_headers", name)+".secrets", i), true)
			}
		}
	}
	for at, file := range files {
		d.readable(at, file, func(file string) error {
			_, _, err := secret.ReadFile(file)
			return err
		})
	}
	c.SetDirectory(d.join("."))
	if clean(tls) {
		_, err := promconfig.NewTLSConfig(&c.TLSConfig)
		d.must(tls, err == nil, "cannot be used: a CA, a certificate and a key are PEM text or files of it, one of the two each, "+
			"a certificate comes with its own key, and min_version is not above max_version")
	}
}
