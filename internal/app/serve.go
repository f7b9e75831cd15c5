// Package app is the daemon: it runs the configured accounts, applies new configurations to them, serves the pages and ends
// in time. It does not know the command line.
package app

import (
	"cmp"
	"context"
	"fmt"
	stdlog "log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/common/version"
	toolkit "github.com/prometheus/exporter-toolkit/web"

	"github.com/ycm-exporter/ycm_exporter/internal/config"
	"github.com/ycm-exporter/ycm_exporter/internal/crash"
	"github.com/ycm-exporter/ycm_exporter/internal/storage"
	"github.com/ycm-exporter/ycm_exporter/internal/web"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

const (
	// shutdownGrace is how long scrapes in flight may take to end.
	shutdownGrace = 7 * time.Second
	// shutdownLimit is how long the whole shutdown may take, whatever hangs.
	shutdownLimit = 9 * time.Second
)

// Version is that of the program.
func Version() string { return cmp.Or(version.Version, "unknown") }

// Options are the settings of the daemon that are not in the configuration file.
type Options struct {
	Web         web.Options
	Serve       *toolkit.FlagConfig
	StoragePath string // empty: nothing persists
	Listening   func() // called once the server listens
}

// Run serves and polls until ctx ends. load reads the configuration again, at each SIGHUP, which must not end the process during
// the shutdown either.
func Run(ctx context.Context, o Options, cfg *config.Config, load func() (*config.Config, error), logger Logger) error {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	if err := CheckWebConfig(*o.Serve.WebConfigFile); err != nil {
		return err
	}
	level.Info(logger).Log("msg", "Starting ycm_exporter", "version", Version(), "accounts", len(cfg.Accounts))

	polling, stopPolling := context.WithCancel(ctx)
	defer stopPolling()
	e := newExporter(polling, load, logger)
	e.registry.MustRegister(e.reloadSuccessful, e.reloadTime, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	handler, err := web.Handler(o.Web, promhttp.InstrumentMetricHandler(e.registry, e.set), e)
	if err != nil {
		return fmt.Errorf("setting up the pages: %w", err)
	}
	if o.StoragePath != "" {
		store, err := storage.Open(ctx, o.StoragePath, false, e.registry, logger)
		if err != nil && ctx.Err() != nil {
			level.Info(logger).Log("msg", "Stopped ycm_exporter", "cause", context.Cause(ctx))
			return nil
		}
		if err != nil {
			return err
		}
		e.store, e.clients.Servers = store, ycmclient.NewServers(store)
	}
	if err := e.apply(cfg); err != nil {
		e.stop()
		return err
	}
	if e.store != nil {
		e.store.SetAsideOthers()
	}

	listening := make(chan struct{})
	listens := sync.OnceFunc(func() { close(listening) })
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 5 * time.Minute,
		WriteTimeout: 30 * time.Second, // Scrapes and profiles have their own limits.
		ErrorLog:     stdlog.New(logger, "", 0),
		// The server calls this once it has its listeners, and once for each of them.
		BaseContext: func(net.Listener) context.Context {
			listens()
			return context.Background()
		},
	}
	served := make(chan error, 1)
	go func() { served <- toolkit.ListenAndServe(server, o.Serve, logger.Logger) }()
	for ctx.Err() == nil && err == nil {
		select {
		case <-listening:
			listening = nil
			o.Listening()
			notifySystemd(daemon.SdNotifyReady, logger)
		case <-hangups:
			// Reload logs its error. One that hangs ends by its own limit and must not delay the shutdown.
			go func() { _ = e.Reload() }() //nolint:contextcheck // It has its own limit.
		case err = <-served:
			err = fmt.Errorf("serving on %s: %w; choose another address with --web.listen-address or YCM_EXPORTER_WEB_LISTEN_ADDRESS, such as :10056", strings.Join(*o.Serve.WebListenAddresses, ", "), err)
		case <-ctx.Done():
		}
	}
	if listening == nil {
		notifySystemd(daemon.SdNotifyStopping, logger)
	}
	// The shutdown must not derive from ctx, which may be what has ended.
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownLimit)
	defer cancel()
	_, hung := crash.GiveUpAfter(limit, func() (struct{}, error) {
		stopPolling()
		grace, cancel := context.WithTimeout(limit, shutdownGrace)
		defer cancel()
		if err := server.Shutdown(grace); err != nil {
			level.Warn(logger).Log("msg", "Closed unfinished scrapes at shutdown", "after", shutdownGrace, "err", err)
			server.Close()
		}
		e.stop()
		return struct{}{}, nil
	}, nil)
	switch {
	case hung != nil:
		level.Warn(logger).Log("msg", "Stopped ycm_exporter before all parts ended", "err", hung)
	case err == nil:
		level.Info(logger).Log("msg", "Stopped ycm_exporter", "cause", context.Cause(ctx))
	}
	return err
}

// quoted is a part of the file that an error of the YAML library shows: "cannot unmarshal !!str `secret` into int".
var quoted = regexp.MustCompile("(?s)`.*?` into ")

// CheckWebConfig reports what is wrong with the file that sets TLS and users. It shows none of its values.
func CheckWebConfig(name string) error {
	err := toolkit.Validate(name)
	if err == nil {
		return nil
	}
	if whole, absErr := filepath.Abs(name); absErr == nil {
		name = whole
	}
	return fmt.Errorf("--web.config.file %s cannot be used: %s", name, quoted.ReplaceAllString(err.Error(), "value into "))
}

func notifySystemd(state string, logger Logger) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		level.Warn(logger).Log("msg", "Failed to notify systemd", "state", state, "err", err)
	}
}
