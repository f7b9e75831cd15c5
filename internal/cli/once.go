package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/term"

	"github.com/ycm-exporter/ycm_exporter/internal/app"
	"github.com/ycm-exporter/ycm_exporter/internal/capture"
	"github.com/ycm-exporter/ycm_exporter/internal/config"
	"github.com/ycm-exporter/ycm_exporter/internal/doctor"
	"github.com/ycm-exporter/ycm_exporter/internal/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/internal/storage"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// pollOnce polls every enabled collector of every account once and prints what a scrape would return then.
func pollOnce(ctx context.Context, cfg *config.Config, clients app.Clients, stdout, stderr io.Writer, logger app.Logger) error {
	began := time.Now()
	set, accounts, err := app.PollOnce(ctx, cfg, clients, progressLine(stderr), logger)
	if failed := set.WriteText(stdout); failed != nil {
		return fmt.Errorf("writing the metrics: %w", failed)
	}
	if err != nil {
		return fmt.Errorf("not every collector succeeded:\n%w", err)
	}
	fmt.Fprintf(stderr, "Polled every collector of %s in %s.\n", doctor.Count(len(accounts), "account"), time.Since(began).Round(time.Millisecond))
	return nil
}

// withClients runs a command that queries YCM once. Logins that were refused to other processes that use --storage.path count for it,
// and its own for them. Then it writes the file of --capture.
func (o options) withClients(ctx context.Context, cfg *config.Config, logger app.Logger, do func(app.Clients) error) error {
	clients := app.Clients{Servers: ycmclient.NewServers(nil)}
	if o.storagePath != "" {
		store, err := storage.Open(ctx, o.storagePath, true, prometheus.NewRegistry(), logger)
		if err != nil {
			return fmt.Errorf("%w; run this as the exporter's user, or without --storage.path", err)
		}
		defer store.Close()
		clients.Servers = ycmclient.NewServers(store)
		if store.Locked() { // Else the exporter that has it may have another configuration.
			clients.Servers.Retain(app.Logins(cfg))
		}
	}
	if o.capture == "" {
		return do(clients)
	}
	recorder, err := capture.NewRecorder(o.capture, app.Version(), ycmclient.RecordFields(), pbxclient.RecordFields())
	if err != nil {
		return fmt.Errorf("--capture: %w", err)
	}
	clients.Recorder = recorder
	err = do(clients)
	if failed := recorder.Close(); failed != nil {
		err = errors.Join(err, fmt.Errorf("--capture: %w", failed))
	}
	return err
}

// progressLine writes on w how far a poll is, when w is a terminal; an empty name clears the line.
func progressLine(w io.Writer) app.Progress {
	file, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return func(string, int, int) {}
	}
	return func(name string, done, total int) {
		if name == "" {
			fmt.Fprint(w, "\r\x1b[K")
			return
		}
		fmt.Fprintf(w, "\r\x1b[K%s: %d of %d", name, done, total)
	}
}
