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
	Version       string // what is said of the build
}

// A Site is where the pages are, for who serves them and for who asks for them.
type Site struct {
	prefix   string  // of each path that is served: empty, or like /ycm
	external url.URL // what prefix is from outside; without scheme and host if these are as the request says
}

// Site is where the options put the pages, or what is wrong with them, with the name of the flag.
func (o Options) Site() (Site, error) {
	var s Site
	err := telemetryPath(o.TelemetryPath)
	if err == nil && o.ExternalURL != "" {
		s.external, err = externalURL(o.ExternalURL)
	}
	s.prefix = s.external.Path
	if err == nil && o.RoutePrefix != "" {
		s.prefix, err = prefixOf("--web.route-prefix", o.RoutePrefix)
	}
	if o.ExternalURL == "" {
		s.external.Path = s.prefix
	}
	return s, err
}

// Path is where a page, such as /status, is served.
func (s Site) Path(page string) string { return s.prefix + page }

func externalURL(given string) (url.URL, error) {
	u, err := url.Parse(given)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return url.URL{}, errors.New("--web.external-url is no URL that begins with http:// or https://, such as https://proxy.example.com/ycm")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.ForceQuery:
		return url.URL{}, errors.New("--web.external-url must have neither user, query nor fragment, only scheme, host and path")
	}
	p, err := prefixOf("--web.external-url", u.Path)
	return url.URL{Scheme: u.Scheme, Host: u.Host, Path: p}, err
}

// prefixOf reads a prefix of paths: "/" is none.
func prefixOf(flag, prefix string) (string, error) {
	if prefix == "" || prefix == "/" {
		return "", nil
	}
	prefix = strings.TrimSuffix(prefix, "/")
	if prefix == "/" || !isPath(prefix) {
		return "", fmt.Errorf("%s has the path %q, but it must be clean, begin with / and have only letters, digits, /, ., _, ~ and -, such as /ycm", flag, prefix)
	}
	return prefix, nil
}

// telemetryPath checks the path of the metrics.
func telemetryPath(p string) error {
	first, _, _ := strings.Cut(strings.TrimPrefix(p, "/"), "/")
	switch {
	case !isPath(p):
		return fmt.Errorf("--web.telemetry-path is %q, but must be clean, begin with / and have only letters, digits, /, ., _, ~ and -, such as /metrics", p)
	case p == "/status", p == "/sd", first == "-", first == "debug":
		return fmt.Errorf("--web.telemetry-path %q is taken by a page of the exporter; use another, such as /metrics", p)
	}
	return nil
}

// isPath reports whether a path means the same to a route, a link, a header and a scraper's configuration.
func isPath(p string) bool {
	return regexp.MustCompile(`^/[A-Za-z0-9/._~-]*$`).MatchString(p) && path.Clean(p) == p
}

// redirect sends the client to another page, by its path from outside.
func (s Site) redirect(w http.ResponseWriter, r *http.Request, page string) {
	target := url.URL{Path: s.external.Path + page, RawQuery: r.URL.RawQuery}
	http.Redirect(w, r, target.String(), http.StatusFound)
}

// canonical sends clients from paths that are not clean to those that are, and from outside of the prefix to the
// landing page. The standard library's own redirects know nothing of a proxy.
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
