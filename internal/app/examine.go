package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
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
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// examine looks at each account and prints what was found. recorder may be nil.
func (o options) examine(ctx context.Context, cfg *config.Config, recorder *capture.Recorder, stdout, stderr io.Writer) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	servers, shared, done, err := o.besides()
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
		found, err := doctor.Examine(ctx, doctor.Options{
			BaseURL: c.BaseURL, ClientID: c.ClientID, Secret: c.Secret(), Hidden: hidden(c.HTTPClient), Search: c.Search,
			RateLimit: ycmclient.RateLimit(c.RateLimit), Timeout: c.Timeout, PageConcurrency: c.PageConcurrency, Collectors: cfg.Collectors,
			Transport: recorder.Transport(c.Name, transport), Proxy: c.HTTPClient.Proxy(), Servers: servers, UserAgent: userAgent(), Shared: shared,
			Progress: func(done, total int) { bar(c.Name+" doctor", done, total) },
		})
		bar("", 0, 0)
		if err != nil {
			return fmt.Errorf("looking at account %s: %w", c.Name, err)
		}
		report.Accounts = append(report.Accounts, found)
		report.Works = report.Works && found.Works
	}
	if o.doctorFormat == "json" {
		err = report.WriteJSON(stdout)
	} else {
		err = report.WriteText(stdout, colourful(stdout))
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

// colourful tells whether colours can be seen, and are wanted.
func colourful(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && term.IsTerminal(int(file.Fd()))
}

// besides looks into the storage folder, if there is one: refused logins count for the doctor too. shared tells that an
// exporter may be at work there.
func (o options) besides() (servers *ycmclient.Servers, shared bool, done func(), err error) {
	if o.storagePath == "" {
		return ycmclient.NewServers(nil), false, func() {}, nil
	}
	folder, free, err := storage.Look(o.storagePath)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return ycmclient.NewServers(nil), false, func() {}, nil
	case err != nil:
		return nil, false, nil, fmt.Errorf("%w; run the doctor as the exporter's user, or without --storage.path", err)
	case !free:
		return ycmclient.NewServers(readOnly{folder}), true, func() {}, nil
	}
	kept := newMemory(folder, o.storagePath, prometheus.NewRegistry(), log.NewNopLogger())
	return ycmclient.NewServers(alone{kept}), false, kept.close, nil
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
