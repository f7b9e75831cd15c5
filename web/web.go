// Package web serves what people and programs ask of the exporter beside its metrics: the landing page, the
// status page, health, readiness, reload and service discovery.
package web

import (
	"fmt"
	"net/http"
	"net/http/pprof"

	"github.com/prometheus/common/version"
	toolkit "github.com/prometheus/exporter-toolkit/web"

	"github.com/ycm-exporter/ycm_exporter/poll"
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

// Options are the flags that decide which pages there are.
type Options struct {
	TelemetryPath string // where Metrics is served
	SDShards      int    // shards per account in /sd
	Lifecycle     bool   // serve POST /-/reload
	Pprof         bool   // serve /debug/pprof
}

// Handler routes every path of the exporter; metrics serves the telemetry path.
func Handler(o Options, metrics http.Handler, e Exporter) (http.Handler, error) {
	landing, err := landingPage(o)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle(o.TelemetryPath, metrics)
	if o.TelemetryPath != "/" {
		mux.Handle("/", landing)
	}
	mux.Handle("GET /status", statusPage(e))
	mux.Handle("GET /sd", serviceDiscovery(o, e))
	mux.HandleFunc("GET /-/healthy", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "ycm_exporter is healthy.")
	})
	mux.HandleFunc("GET /-/ready", func(w http.ResponseWriter, _ *http.Request) {
		if !e.Ready() {
			http.Error(w, "ycm_exporter is not ready: the first walk of at least one account has not ended yet.", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ycm_exporter is ready.")
	})
	mux.Handle("/-/reload", reload(o.Lifecycle, e))
	if o.Pprof {
		mux.HandleFunc("/debug/pprof/", pprof.Index)
		mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
		mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	}
	return hardened(mux), nil
}

func landingPage(o Options) (http.Handler, error) {
	return toolkit.NewLandingPage(toolkit.LandingConfig{
		Name:        "ycm_exporter",
		Description: "Prometheus exporter for Yeastar Central Management: the whole fleet of P-Series Cloud PBXs",
		Version:     version.Info(),
		Profiling:   fmt.Sprint(o.Pprof),
		Links: []toolkit.LandingLinks{
			{Address: o.TelemetryPath, Text: "Metrics", Description: "what Prometheus scrapes"},
			{Address: "/status", Text: "Status", Description: "each account and collector, its last poll and its next"},
			{Address: "/sd", Text: "Service discovery", Description: "targets for Prometheus's http_sd_configs, one per account and shard"},
			{Address: "/-/healthy", Text: "Healthy", Description: "200 while the process serves"},
			{Address: "/-/ready", Text: "Ready", Description: "200 once every account's first walk has ended"},
		},
	})
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

// hardened tells browsers to run nothing and frame nothing: no page of the exporter needs a script.
func hardened(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'")
		next.ServeHTTP(w, r)
	})
}
