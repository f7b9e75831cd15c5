package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	oklog "github.com/oklog/run"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	toolkit "github.com/prometheus/exporter-toolkit/web"

	"github.com/ycm-exporter/ycm_exporter/internal/config"
	"github.com/ycm-exporter/ycm_exporter/internal/web"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

const (
	// shutdownGrace is how long scrapes in flight may take to end.
	shutdownGrace = 7 * time.Second
	// shutdownLimit is how long the whole shutdown may take, whatever hangs.
	shutdownLimit = 9 * time.Second
	// writeTimeout is how long a client may take to read a page. Scrapes and profiles see to themselves.
	writeTimeout = 30 * time.Second
)

// daemon serves and polls until ctx ends or a signal says stop.
func (o options) daemon(ctx context.Context, cfg *config.Config, load func() (*config.Config, error), stdout io.Writer, logger log.Logger) error {
	if err := o.checkWebConfig(); err != nil {
		return err
	}
	level.Info(logger).Log("msg", "Starting ycm_exporter", "version", o.web.Version, "accounts", len(cfg.Accounts))

	polling, stopPolling := context.WithCancel(ctx)
	defer stopPolling()
	e := newExporter(polling, load, logger)
	if o.storagePath != "" {
		memory, err := openMemory(ctx, o.storagePath, e.registry, logger)
		if err != nil {
			return err
		}
		defer memory.close()
		e.memory, e.servers = memory, ycmclient.NewServers(memory)
	}
	handler, err := web.Handler(o.web, promhttp.InstrumentMetricHandler(e.registry, e.set), e)
	if err != nil {
		return fmt.Errorf("setting up the pages: %w", err)
	}
	if err := e.adopt(cfg); err != nil {
		return err
	}
	if e.memory != nil {
		e.memory.setAsideOthers()
	}
	if o.demo {
		if err := o.welcome(stdout, cfg.Accounts[0].BaseURL); err != nil {
			return err
		}
	}

	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, WriteTimeout: writeTimeout, IdleTimeout: 5 * time.Minute,
		ErrorLog: serverLog(logger),
	}
	stopping := make(chan struct{})
	var actors oklog.Group
	actors.Add(endOnSignal(ctx))
	actors.Add(reloadOnHangup(e))
	// Ready takes the locks that pages and reloads take: an exporter that hangs in them is started anew.
	actors.Add(notifySystemd(server, func() { e.Ready() }, logger))
	actors.Add(func() error {
		if err := toolkit.ListenAndServe(server, o.serve, slogger(logger)); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serving on %s: %w; choose another address with --web.listen-address", strings.Join(*o.serve.WebListenAddresses, ", "), err)
		}
		return nil
	}, func(error) {
		close(stopping)
		stopPolling()
		// The grace must not derive from ctx, which may be what has ended.
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownGrace)
		defer cancel()
		if err := server.Shutdown(grace); err != nil {
			level.Warn(logger).Log("msg", "Scrapes in flight were cut off", "after", shutdownGrace, "err", err)
			server.Close()
		}
	})
	ended, err := until(stopping, shutdownLimit, func() error {
		defer e.stop()
		return actors.Run()
	})
	var stop *oklog.SignalError
	switch {
	case !ended:
		level.Warn(logger).Log("msg", "Stopped ycm_exporter although something hangs in it", "after", shutdownLimit)
		return nil
	case errors.As(err, &stop) || ctx.Err() != nil:
		level.Info(logger).Log("msg", "Stopped ycm_exporter", "cause", err)
		return nil
	default:
		return err
	}
}

// quoted is a part of the file that an error of the YAML library shows: "cannot unmarshal !!str `secret` into int".
var quoted = regexp.MustCompile("(?s)`.*?` into ")

// checkWebConfig reports what is wrong with the file that sets TLS and users. It shows none of its values.
func (o options) checkWebConfig() error {
	name := *o.serve.WebConfigFile
	err := toolkit.Validate(name)
	if err == nil {
		return nil
	}
	if whole, absErr := filepath.Abs(name); absErr == nil {
		name = whole
	}
	return fmt.Errorf("--web.config.file %s cannot be used: %s", name, quoted.ReplaceAllString(err.Error(), "of yours into "))
}

// endOnSignal is the actor that ends when the process is told to. The signals are caught until it has ended: a second one must
// not cut off what is being written.
func endOnSignal(ctx context.Context) (execute func() error, interrupt func(error)) {
	signals := make(chan os.Signal, 1)
	ctx, cancel := context.WithCancel(ctx)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	return func() error {
			select {
			case s := <-signals:
				return &oklog.SignalError{Signal: s}
			case <-ctx.Done():
				return ctx.Err()
			}
		}, func(error) {
			cancel()
		}
}

// reloadOnHangup is the actor that reloads the configuration at each SIGHUP. The signal is caught from here on until the
// process ends, and not only while the actor runs: uncaught, it would kill the process.
func reloadOnHangup(e *exporter) (execute func() error, interrupt func(error)) {
	hangups := make(chan os.Signal, 1)
	ended := make(chan struct{})
	signal.Notify(hangups, syscall.SIGHUP)
	return func() error {
			for {
				select {
				case <-hangups:
					// Reload logs what went wrong; the running configuration goes on. A reload that hangs ends by its own
					// limit, and must not keep the process from ending.
					go func() { _ = e.Reload() }()
				case <-ended:
					return nil
				}
			}
		}, func(error) {
			close(ended)
		}
}

// welcome tells a newcomer what to open.
func (o options) welcome(stdout io.Writer, simulator *url.URL) error {
	site, err := o.web.Site()
	if err != nil {
		return err
	}
	protocol, err := scheme(*o.serve.WebConfigFile)
	if err != nil {
		return err
	}
	address := (*o.serve.WebListenAddresses)[0]
	if host, port, err := net.SplitHostPort(address); err == nil && (host == "" || host == "0.0.0.0" || host == "::") {
		address = net.JoinHostPort("localhost", port)
	}
	here := protocol + "://" + address
	if o.replay != "" {
		_, err = fmt.Fprintf(stdout, "The demo exports the fleet of the capture %s. Open:\n  %s    what Prometheus scrapes\n  %s     each account and collector\nEnd the demo with Ctrl-C.\n",
			o.replay, here+site.Path(o.web.TelemetryPath), here+site.Path("/status"))
		return err
	}
	_, err = fmt.Fprintf(stdout, `The demo exports a simulated fleet of %d Cloud PBXs. Open:
  %s    what Prometheus scrapes
  %s     each account and collector
Stop a PBX, to see it in the metrics, with:
  curl -X POST '%s/sim/pbx/%d/status?value=Stopped'
End the demo with Ctrl-C.
`, o.demoPBXs, here+site.Path(o.web.TelemetryPath), here+site.Path("/status"), simulator, o.demoExample)
	return err
}
