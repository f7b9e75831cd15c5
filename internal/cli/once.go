package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"

	"github.com/ycm-exporter/ycm_exporter/internal/app"
	"github.com/ycm-exporter/ycm_exporter/internal/capture"
	"github.com/ycm-exporter/ycm_exporter/internal/config"
	"github.com/ycm-exporter/ycm_exporter/internal/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// pollOnce polls every enabled collector of every account once and prints what a scrape would return then. recorder may be
// nil.
func pollOnce(ctx context.Context, cfg *config.Config, recorder *capture.Recorder, stdout, stderr io.Writer, logger app.Logger) error {
	began := time.Now()
	set, accounts, err := app.PollOnce(ctx, cfg, recorder, progressLine(stderr), logger)
	if failed := set.WriteText(stdout); failed != nil {
		return fmt.Errorf("writing the metrics: %w", failed)
	}
	if err != nil {
		return fmt.Errorf("not every collector succeeded:\n%w", err)
	}
	fmt.Fprintf(stderr, "Polled every collector of %s in %s.\n", count(len(accounts), "account"), time.Since(began).Round(time.Millisecond))
	return nil
}

// captured runs a command with the recorder of --capture, nil without that flag, and then writes the file.
func (o options) captured(do func(*capture.Recorder) error) error {
	if o.capture == "" {
		return do(nil)
	}
	recorder, err := capture.NewRecorder(o.capture, app.Version, ycmclient.WireFields(), pbxclient.WireFields())
	if err != nil {
		return fmt.Errorf("--capture: %w", err)
	}
	err = do(recorder)
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
