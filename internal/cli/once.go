package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
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
	set, accounts, err := app.PollOnce(ctx, cfg, recorder, progressBar(stderr), logger)
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

// progressBar draws on w how far a poll is, when w is a terminal; an empty name clears the line.
func progressBar(w io.Writer) app.Progress {
	const width = 30
	file, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return func(string, int, int) {}
	}
	return func(name string, done, total int) {
		if name == "" {
			fmt.Fprint(w, "\r\x1b[K")
			return
		}
		filled := 0
		if total > 0 {
			filled = min(width, width*done/total)
		}
		fmt.Fprintf(w, "\r\x1b[K[%s%s] %d/%d %s", strings.Repeat("=", filled), strings.Repeat(" ", width-filled), done, total, name)
	}
}
