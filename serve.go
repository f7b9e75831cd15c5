package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
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
	"github.com/prometheus/common/version"
	toolkit "github.com/prometheus/exporter-toolkit/web"
	sloggokit "github.com/tjhop/slog-gokit"

	"github.com/ycm-exporter/ycm_exporter/config"
	"github.com/ycm-exporter/ycm_exporter/web"
)

// shutdownGrace is how long scrapes in flight may take to end; the whole shutdown stays under 10 seconds.
const shutdownGrace = 8 * time.Second

// daemon serves and polls until ctx ends or a signal says stop.
func (o options) daemon(ctx context.Context, cfg *config.Config, load func() (*config.Config, error), stdout io.Writer, bare log.Logger) error {
	logger := stamped(bare)
	if err := o.checkWebConfig(); err != nil {
		return err
	}
	level.Info(logger).Log("msg", "Starting ycm_exporter", "version", version.Info(), "accounts", len(cfg.Accounts))

	polling, stopPolling := context.WithCancel(ctx)
	defer stopPolling()
	e := newExporter(polling, load, logger)
	handler, err := web.Handler(o.web, promhttp.InstrumentMetricHandler(e.registry, e.set), e)
	if err != nil {
		return fmt.Errorf("setting up the pages: %w", err)
	}
	if err := e.adopt(cfg); err != nil {
		return err
	}
	defer e.stop()
	if o.demo {
		o.welcome(stdout, cfg.Accounts[0].BaseURL)
	}

	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 5 * time.Minute}
	var actors oklog.Group
	actors.Add(oklog.SignalHandler(ctx, os.Interrupt, syscall.SIGTERM))
	actors.Add(reloadOnHangup(e))
	// Ready takes the locks that pages and reloads take: an exporter that hangs in them is started anew.
	actors.Add(notifySystemd(server, func() { e.Ready() }, logger))
	actors.Add(func() error {
		slogger := slog.New(sloggokit.NewGoKitHandler(bare, slog.LevelDebug))
		if err := toolkit.ListenAndServe(server, o.serve, slogger); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serving on %s: %w; choose another address with --web.listen-address", strings.Join(*o.serve.WebListenAddresses, ", "), err)
		}
		return nil
	}, func(error) {
		stopPolling()
		// The grace must not derive from ctx, which may be what has ended.
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownGrace)
		defer cancel()
		if err := server.Shutdown(grace); err != nil {
			level.Warn(logger).Log("msg", "Scrapes in flight were cut off", "after", shutdownGrace, "err", err)
			server.Close()
		}
	})
	err = actors.Run()
	var stop *oklog.SignalError
	if errors.As(err, &stop) || ctx.Err() != nil {
		level.Info(logger).Log("msg", "Stopped ycm_exporter", "cause", err)
		return nil
	}
	return err
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

// reloadOnHangup is the actor that reloads the configuration at each SIGHUP.
func reloadOnHangup(e *exporter) (execute func() error, interrupt func(error)) {
	hangups := make(chan os.Signal, 1)
	ended := make(chan struct{})
	// The signal is caught from here on, not only once the actor runs: uncaught, it would kill the process.
	signal.Notify(hangups, syscall.SIGHUP)
	return func() error {
			defer signal.Stop(hangups)
			for {
				select {
				case <-hangups:
					// Reload logs what went wrong; the running configuration goes on.
					_ = e.Reload()
				case <-ended:
					return nil
				}
			}
		}, func(error) {
			close(ended)
		}
}

// welcome tells a newcomer what to open.
func (o options) welcome(stdout io.Writer, simulator *url.URL) {
	host := (*o.serve.WebListenAddresses)[0]
	if strings.HasPrefix(host, ":") {
		host = "localhost" + host
	}
	fmt.Fprintf(stdout, `The demo exports a simulated fleet of %d Cloud PBXs. Open:
  http://%s%s    what Prometheus scrapes
  http://%s/status     each account and collector
Stop a PBX, to see it in the metrics, with:
  curl -X POST '%s/sim/pbx/ID/status?value=Stopped'
End the demo with Ctrl-C.
`, o.demoPBXs, host, o.web.TelemetryPath, host, simulator)
}
