package cli

import (
	"cmp"
	"context"
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

	"github.com/ycm-exporter/ycm_exporter/internal/app"
	"github.com/ycm-exporter/ycm_exporter/internal/capture"
	"github.com/ycm-exporter/ycm_exporter/internal/config"
	"github.com/ycm-exporter/ycm_exporter/internal/doctor"
	"github.com/ycm-exporter/ycm_exporter/internal/storage"
	"github.com/ycm-exporter/ycm_exporter/internal/sweep"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// examine checks each account and prints a report. recorder may be nil.
func (o options) examine(ctx context.Context, cfg *config.Config, recorder *capture.Recorder, stdout, stderr io.Writer) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	servers, done, err := o.besides(ctx)
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
				return directPBXs(ctx, servers, c, limit)
			},
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
		err = report.WriteText(stdout)
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

// besides opens the storage directory, if there is one: refused logins count for the doctor too.
func (o options) besides(ctx context.Context) (servers *ycmclient.Servers, done func(), err error) {
	if _, missing := os.Stat(o.storagePath); o.storagePath == "" || errors.Is(missing, fs.ErrNotExist) {
		return ycmclient.NewServers(nil), func() {}, nil
	}
	store, err := storage.Open(ctx, o.storagePath, true, prometheus.NewRegistry(), log.NewNopLogger())
	if err != nil {
		return nil, nil, fmt.Errorf("%w; run the doctor as the exporter's user, or without --storage.path", err)
	}
	return ycmclient.NewServers(app.LoginStore{Store: store}), store.Close, nil
}
