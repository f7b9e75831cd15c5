// Package web serves the exporter's pages beside its metrics: the landing page, the status page, health, readiness, reload
// and service discovery. It does not know the API.
package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	_ "net/http/pprof" // serves /debug/pprof on the default mux
	"strconv"
	"time"

	toolkit "github.com/prometheus/exporter-toolkit/web"

	"github.com/ycm-exporter/ycm_exporter/internal/poll"
	"github.com/ycm-exporter/ycm_exporter/internal/storage"
)

// Exporter is what the pages show and control.
type Exporter interface {
	// Status returns the state of each account and its collectors, ordered by account.
	Status() []poll.Status
	// Storage returns the state of the directory for persistent state, or nil if there is none.
	Storage() *storage.Status
	// Ready reports whether the first walk of every account has ended, successfully or not.
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
		page("/{$}", metrics.ServeHTTP)
	} else {
		page(o.TelemetryPath, metrics.ServeHTTP)
		page("/{$}", landing)
	}
	page("/status", statusPage(o, e))
	page("/sd", serviceDiscovery(o, s, e))
	page("/-/healthy", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "ycm_exporter is healthy.")
	})
	page("/-/ready", func(w http.ResponseWriter, _ *http.Request) {
		if !e.Ready() {
			http.Error(w, "ycm_exporter is not ready: the first poll of at least one account is in progress.", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ycm_exporter is ready.")
	})
	reloading := http.NewCrossOriginProtection().Handler(reload(o, e)) // No other site may have a browser reload.
	mux.Handle("POST "+s.Path("/-/reload"), reloading)
	mux.Handle("PUT "+s.Path("/-/reload"), reloading)
	if o.Pprof {
		mux.Handle(s.Path("/debug/pprof/"), http.StripPrefix(s.prefix, http.DefaultServeMux))
	}
	if s.prefix != "" {
		home := http.RedirectHandler(s.external.Path+"/", http.StatusFound)
		mux.Handle("GET /{$}", home)
		mux.Handle("GET "+s.prefix, home)
	}
	return hardened(mux), nil
}

func landingPage(o Options) (http.HandlerFunc, error) {
	// The toolkit prefixes each link with it, and serves no other path. All pages are in one directory, wherever a proxy puts it.
	const here = "./"
	page, err := toolkit.NewLandingPage(toolkit.LandingConfig{
		RoutePrefix: here,
		Name:        "ycm_exporter",
		Description: "Prometheus exporter for Yeastar Central Management: the whole fleet of P-Series Cloud PBXs",
		Version:     o.Version,
		Profiling:   fmt.Sprint(o.Pprof),
		ExtraCSS:    ":root { color-scheme: light dark; }\n#pprof { border-color: currentColor; }",
		Links: []toolkit.LandingLinks{
			{Address: o.TelemetryPath, Text: "Metrics", Description: "metrics for Prometheus"},
			{Address: "/status", Text: "Status", Description: "state of each account and collector"},
			{Address: "/sd", Text: "Service discovery", Description: "targets for http_sd_configs, one per account and shard"},
			{Address: "/-/healthy", Text: "Healthy", Description: "200 while the process is running"},
			{Address: "/-/ready", Text: "Ready", Description: "200 after the first poll of each account, successful or not"},
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

func reload(o Options, e Exporter) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if !o.Lifecycle {
			http.Error(w, "Reload over HTTP is disabled: start with --web.enable-lifecycle, or send SIGHUP.", http.StatusForbidden)
			return
		}
		if err := e.Reload(); err != nil {
			http.Error(w, fmt.Sprintf("Failed to reload the configuration, keeping the current one:\n%v", err), http.StatusInternalServerError)
			return
		}
		fmt.Fprintln(w, "The configuration was reloaded.")
	}
}

// hardened has browsers run no script and show no frame, because no page needs them, and drops clients that do not send
// the body that they announced.
func hardened(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 { // No page uses a body, but net/http reads it to its end.
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(10 * time.Second)) // The response of a test has none.
		}
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'")
		next.ServeHTTP(w, r)
	})
}

// serviceDiscovery lists one target per account and shard, so that several Prometheus servers can share a fleet. The
// instance label is different for each target, because their up series would collide otherwise. The address is the external
// URL, or that of the request.
func serviceDiscovery(o Options, s Site, e Exporter) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		scheme, host := s.external.Scheme, s.external.Host
		if host == "" {
			scheme, host = "http", r.Host
			if r.TLS != nil {
				scheme = "https"
			}
		}
		type group struct {
			Targets []string          `json:"targets"`
			Labels  map[string]string `json:"labels"`
		}
		groups := []group{}
		for _, account := range e.Status() {
			for shard := range o.SDShards {
				labels := map[string]string{
					"__scheme__":       scheme,
					"__metrics_path__": s.external.Path + o.TelemetryPath,
					"__param_account":  account.Account,
					"instance":         host + "/" + account.Account,
				}
				if o.SDShards > 1 {
					labels["__param_shard"] = strconv.Itoa(shard)
					labels["__param_shards"] = strconv.Itoa(o.SDShards)
					labels["instance"] += fmt.Sprintf("/%d", shard)
				}
				groups = append(groups, group{[]string{host}, labels})
			}
		}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		_ = enc.Encode(groups) // It fails only if the client has left.
	}
}
