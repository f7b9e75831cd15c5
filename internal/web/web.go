// Package web serves what people and programs ask of the exporter beside its metrics: the landing page, the
// status page, health, readiness, reload and service discovery.
package web

import (
	"fmt"
	"net/http"
	"net/http/pprof"
	"strings"
	"time"

	toolkit "github.com/prometheus/exporter-toolkit/web"

	"github.com/ycm-exporter/ycm_exporter/internal/poll"
)

// Exporter is what the pages show and steer.
type Exporter interface {
	// Status tells of each account and its collectors, ordered by account.
	Status() []poll.Status
	// Ready reports whether every account's first poll of the list has ended, well or badly.
	Ready() bool
	// Reload reads the configuration again; on an error the running one stays.
	Reload() error
}

// Handler routes every path of the exporter; metrics serves the telemetry path.
func Handler(o Options, metrics http.Handler, e Exporter) (http.Handler, error) {
	s, err := o.Site()
	if err != nil {
		return nil, err
	}
	landing, err := landingPage(o)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	page := func(path string, handler http.HandlerFunc) { mux.HandleFunc("GET "+s.Path(path), handler) }
	if o.TelemetryPath == "/" {
		mux.Handle(s.Path("/{$}"), metrics)
	} else {
		mux.Handle(s.Path(o.TelemetryPath), metrics)
		page("/{$}", landing)
	}
	page("/status", statusPage(o, e))
	page("/sd", serviceDiscovery(o, s, e))
	page("/-/healthy", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "ycm_exporter is healthy.")
	})
	page("/-/ready", func(w http.ResponseWriter, _ *http.Request) {
		if !e.Ready() {
			http.Error(w, "ycm_exporter is not ready: the first walk of at least one account has not ended yet.", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ycm_exporter is ready.")
	})
	mux.Handle(s.Path("/-/reload"), reload(o.Lifecycle, e))
	if o.Pprof {
		profiles(mux, s)
	}
	return hardened(s.canonical(mux)), nil
}

// profiles routes what the standard library tells of the process.
func profiles(mux *http.ServeMux, s Site) {
	const root = "/debug/pprof"
	mux.HandleFunc(s.Path(root), func(w http.ResponseWriter, r *http.Request) { s.redirect(w, r, root+"/") })
	mux.Handle(s.Path(root+"/"), http.StripPrefix(s.prefix, http.HandlerFunc(pprof.Index)))
	for name, handler := range map[string]http.HandlerFunc{
		"cmdline": pprof.Cmdline, "profile": pprof.Profile, "symbol": pprof.Symbol, "trace": pprof.Trace,
	} {
		mux.HandleFunc(s.Path(root+"/"+name), handler)
	}
}

// relative is the link from one page to another: all of them are in one folder, wherever that is.
func relative(page string) string { return "./" + strings.TrimPrefix(page, "/") }

func landingPage(o Options) (http.HandlerFunc, error) {
	const here = "./" // The toolkit puts it before each link, and serves no other path.
	page, err := toolkit.NewLandingPage(toolkit.LandingConfig{
		RoutePrefix: here,
		Name:        "ycm_exporter",
		Description: "Prometheus exporter for Yeastar Central Management: the whole fleet of P-Series Cloud PBXs",
		Version:     o.Version,
		Profiling:   fmt.Sprint(o.Pprof),
		ExtraCSS:    ":root { color-scheme: light dark; }\n#pprof { border-color: currentColor; }",
		Links: []toolkit.LandingLinks{
			{Address: o.TelemetryPath, Text: "Metrics", Description: "what Prometheus scrapes"},
			{Address: "/status", Text: "Status", Description: "each account and collector, its last polls and its next"},
			{Address: "/sd", Text: "Service discovery", Description: "targets for Prometheus's http_sd_configs, one per account and shard"},
			{Address: "/-/healthy", Text: "Healthy", Description: "200 while the process serves"},
			{Address: "/-/ready", Text: "Ready", Description: "200 once every account's first walk has ended"},
		},
	})
	if err != nil {
		return nil, fmt.Errorf("making the landing page: %w", err)
	}
	return func(w http.ResponseWriter, r *http.Request) {
		r = r.Clone(r.Context())
		r.URL.Path = here
		page.ServeHTTP(w, r)
	}, nil
}

func reload(enabled bool, e Exporter) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !enabled:
			http.Error(w, "Reload over HTTP is off: start with --web.enable-lifecycle, or send SIGHUP.", http.StatusForbidden)
		case r.Method != http.MethodPost && r.Method != http.MethodPut:
			w.Header().Set("Allow", "POST, PUT")
			http.Error(w, "Reload with POST.", http.StatusMethodNotAllowed)
		default:
			if err := e.Reload(); err != nil {
				http.Error(w, fmt.Sprintf("The configuration was not reloaded, the running one stays:\n%v", err), http.StatusInternalServerError)
				return
			}
			fmt.Fprintln(w, "The configuration was reloaded.")
		}
	}
}

// bodyTimeout is how long a client may take to send a body, which no page wants but net/http reads to its end.
const bodyTimeout = 10 * time.Second

// hardened tells browsers to run nothing and frame nothing, as no page of the exporter needs a script, and waits for no
// client that does not send what it announced.
func hardened(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 {
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTimeout)) // A test's response has none.
		}
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'")
		next.ServeHTTP(w, r)
	})
}
