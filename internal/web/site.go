package web

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"strings"
)

// Options are the flags that decide which pages there are, and where.
type Options struct {
	TelemetryPath string // where metrics are served
	ExternalURL   string // where the exporter is reached from outside, as through a proxy; may be empty
	RoutePrefix   string // before each path that is served; if it is empty, the path of ExternalURL
	SDShards      int    // shards per account in /sd
	Lifecycle     bool   // serve POST /-/reload
	Pprof         bool   // serve /debug/pprof
	Version       string // shown on the pages
}

// A Site is where the pages are, inside and from outside.
type Site struct {
	prefix   string  // of each path that is served: empty, or like /ycm
	external url.URL // what prefix is from outside; without scheme and host if these come from the request
}

// Site returns where the pages are, or an error that names the flag.
func (o Options) Site() (s Site, err error) {
	first, _, _ := strings.Cut(strings.TrimPrefix(o.TelemetryPath, "/"), "/")
	switch {
	case !isPath(o.TelemetryPath):
		return s, fmt.Errorf("--web.telemetry-path is %q, but must %s, such as /metrics", o.TelemetryPath, beClean)
	case o.TelemetryPath == "/status", o.TelemetryPath == "/sd", first == "-", first == "debug":
		return s, fmt.Errorf("--web.telemetry-path %q is used by another page; choose another path, such as /metrics", o.TelemetryPath)
	}
	if o.ExternalURL != "" {
		u, err := url.Parse(o.ExternalURL)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
			return s, errors.New("--web.external-url must be a URL with only scheme, host and path, such as https://proxy.example.com/ycm")
		}
		s.external = url.URL{Scheme: u.Scheme, Host: u.Host}
		if s.external.Path, err = prefixOf("--web.external-url", u.Path); err != nil {
			return s, err
		}
	}
	s.prefix = s.external.Path
	if o.RoutePrefix != "" {
		s.prefix, err = prefixOf("--web.route-prefix", o.RoutePrefix)
	}
	if o.ExternalURL == "" {
		s.external.Path = s.prefix
	}
	return s, err
}

// Path is where a page, such as /status, is served.
func (s Site) Path(page string) string { return s.prefix + page }

// prefixOf normalizes a prefix of paths as Prometheus does: it begins with a slash, or is empty.
func prefixOf(flag, prefix string) (string, error) {
	prefix = strings.TrimSuffix("/"+strings.Trim(prefix, "/"), "/")
	if prefix != "" && !isPath(prefix) {
		return "", fmt.Errorf("%s has the path %q, but it must %s, such as /ycm", flag, prefix, beClean)
	}
	return prefix, nil
}

const beClean = "be clean, begin with / and contain only letters, digits, /, ., _, ~ and -"

// isPath reports whether a path means the same to a route, a link, a header and a scraper's configuration.
func isPath(p string) bool {
	return regexp.MustCompile(`^/[A-Za-z0-9/._~-]*$`).MatchString(p) && path.Clean(p) == p
}
