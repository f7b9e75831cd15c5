package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/version"
	"golang.org/x/term"

	"github.com/ycm-exporter/ycm_exporter/internal/capture"
	"github.com/ycm-exporter/ycm_exporter/internal/config"
	"github.com/ycm-exporter/ycm_exporter/internal/doctor"
	"github.com/ycm-exporter/ycm_exporter/internal/storage"
	"github.com/ycm-exporter/ycm_exporter/internal/sweep"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// examine checks each account and prints a report. recorder may be nil.
func (o options) examine(ctx context.Context, cfg *config.Config, recorder *capture.Recorder, stdout, stderr io.Writer) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	servers, done, err := o.besides()
	if err != nil {
		return err
	}
	defer done()
	report := doctor.Report{Version: cmp.Or(version.Version, "unknown"), Works: true}
	bar := progressBar(stderr)
	for _, c := range cfg.Accounts {
		transport, err := transportTo(ctx, c)
		if err != nil {
			return err
		}
		checked, err := doctor.Examine(ctx, doctor.Options{
			Client: clientOptions(c, recorder.Transport(c.Name, transport), servers), Collectors: cfg.Collectors,
			Direct: func(limit func(http.RoundTripper) http.RoundTripper) ([]sweep.Direct, error) {
				return directPBXs(ctx, servers, c, func(t http.RoundTripper) http.RoundTripper { return limit(recorder.Transport(c.Name, t)) })
			},
			Proxy:    c.HTTPClient.Proxy(),
			Progress: func(done, total int) { bar(c.Name+" doctor", done, total) },
		})
		bar("", 0, 0)
		if err != nil {
			return fmt.Errorf("checking account %s: %w", c.Name, err)
		}
		report.Accounts = append(report.Accounts, checked)
		report.Works = report.Works && checked.Works
	}
	if o.doctorFormat == "json" {
		err = report.WriteJSON(stdout)
	} else {
		file, isFile := stdout.(*os.File)
		colour := isFile && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && term.IsTerminal(int(file.Fd()))
		err = report.WriteText(stdout, colour)
	}
	switch {
	case err != nil:
		return fmt.Errorf("printing the report: %w", err)
	case !report.Works:
		return errors.New("--doctor: the exporter will not work as configured; the report says why, and what to do")
	default:
		return nil
	}
}

// besides looks into the storage folder, if there is one: refused logins count for the doctor too.
func (o options) besides() (servers *ycmclient.Servers, done func(), err error) {
	if o.storagePath == "" {
		return ycmclient.NewServers(nil), func() {}, nil
	}
	folder, free, err := storage.Look(o.storagePath)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return ycmclient.NewServers(nil), func() {}, nil
	case err != nil:
		return nil, nil, fmt.Errorf("%w; run the doctor as the exporter's user, or without --storage.path", err)
	case !free:
		return ycmclient.NewServers(readOnly{folder}), func() {}, nil
	}
	kept := newMemory(folder, o.storagePath, prometheus.NewRegistry(), log.NewNopLogger())
	return ycmclient.NewServers(alone{kept}), kept.close, nil
}

// alone is what is kept in a folder that no exporter works in. The doctor's requests are added to those that were sent.
type alone struct{ *memory }

// Budget implements ycmclient.Store. The doctor asks from an empty bucket, whatever is left in the exporter's.
func (a alone) Budget(baseURL, clientID string) (ycmclient.Level, bool) {
	level, ok := a.memory.Budget(baseURL, clientID)
	const enough = 10_000
	level.Taken = min(level.Taken, enough)
	return level, ok
}

// readOnly is what another process keeps in a folder, as far as the doctor needs to know it.
type readOnly struct{ folder *storage.Folder }

// Budget implements ycmclient.Store. The doctor's pace leaves room for the exporter's.
func (readOnly) Budget(string, string) (ycmclient.Level, bool) { return ycmclient.Level{}, false }

// SaveBudget implements ycmclient.Store.
func (readOnly) SaveBudget(string, string, ycmclient.Level) {}

// Logins implements ycmclient.Store.
func (r readOnly) Logins(baseURL string) (s yeastar.LoginState, ok bool) {
	err := r.folder.Read(fileOf("logins", baseURL), func(_ int, from *json.Decoder) error { return from.Decode(&s) })
	return s, err == nil
}

// SaveLogins implements ycmclient.Store.
func (readOnly) SaveLogins(string, yeastar.LoginState) {}
