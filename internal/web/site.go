package web

import (
	"errors"
	"fmt"
	"net/http"
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
	external url.URL // what prefix is from outside; without scheme and host if these are as the request says
}

// Site returns where the pages are, or an error that names the flag.
func (o Options) Site() (s Site, err error) {
	first, _, _ := strings.Cut(strings.TrimPrefix(o.TelemetryPath, "/"), "/")
	switch {
	case !isPath(o.TelemetryPath):
		return s, fmt.Errorf("--web.telemetry-path is %q, but must %s, such as /metrics", o.TelemetryPath, beClean)
	case o.TelemetryPath == "/status", o.TelemetryPath == "/sd", first == "-", first == "debug":
		return s, fmt.Errorf("--web.telemetry-path %q is taken by another page; choose another, such as /metrics", o.TelemetryPath)
	}
	if o.ExternalURL != "" {
		u, err := url.Parse(o.ExternalURL)
		switch {
		case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
			return s, errors.New("--web.external-url must be a URL that begins with http:// or https://, such as https://proxy.example.com/ycm")
		case u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.ForceQuery:
			return s, errors.New("--web.external-url must have neither user, query nor fragment, only scheme, host and path")
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

// prefixOf normalizes a prefix of paths: "/" is none.
func prefixOf(flag, prefix string) (string, error) {
	trimmed := strings.TrimSuffix(prefix, "/")
	if trimmed != "" && !isPath(trimmed) || strings.HasPrefix(prefix, "//") {
		return "", fmt.Errorf("%s has the path %q, but it must %s, such as /ycm", flag, prefix, beClean)
	}
	return trimmed, nil
}

const beClean = "be clean, begin with / and contain only letters, digits, /, ., _, ~ and -"

// isPath reports whether a path means the same to a route, a link, a header and a scraper's configuration.
func isPath(p string) bool {
	return regexp.MustCompile(`^/[A-Za-z0-9/._~-]*$`).MatchString(p) && path.Clean(p) == p
}

// redirect redirects the client to another page, by its path from outside.
func (s Site) redirect(w http.ResponseWriter, r *http.Request, page string) {
	target := url.URL{Path: s.external.Path + page, RawQuery: r.URL.RawQuery}
	http.Redirect(w, r, target.String(), http.StatusFound)
}

// canonical redirects from paths that are not clean to those that are, and from outside of the prefix to the landing page.
// The standard library's own redirects do not know about a proxy.
func (s Site) canonical(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		clean := path.Clean(r.URL.Path)
		if strings.HasSuffix(r.URL.Path, "/") && clean != "/" {
			clean += "/"
		}
		page, inside := strings.CutPrefix(clean, s.prefix+"/")
		switch {
		case clean == s.prefix || clean == "/" && !inside:
			s.redirect(w, r, "/")
		case inside && clean != r.URL.Path:
			s.redirect(w, r, "/"+page)
		default:
			next.ServeHTTP(w, r)
		}
	})
}
