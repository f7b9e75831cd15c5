package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/ycm-exporter/ycm_exporter/internal/app"
	"github.com/ycm-exporter/ycm_exporter/internal/capture"
	"github.com/ycm-exporter/ycm_exporter/internal/config"
	"github.com/ycm-exporter/ycm_exporter/internal/doctor"
	"github.com/ycm-exporter/ycm_exporter/internal/storage"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// examine checks each account and prints a report. recorder may be nil.
func (o options) examine(ctx context.Context, cfg *config.Config, recorder *capture.Recorder, stdout, stderr io.Writer) error {
	servers := ycmclient.NewServers(nil)
	if _, err := os.Stat(o.storagePath); o.storagePath != "" && !errors.Is(err, fs.ErrNotExist) {
		// Logins that were refused to the exporter count for the doctor too.
		store, err := storage.Open(ctx, o.storagePath, true, prometheus.NewRegistry(), log.NewNopLogger())
		if err != nil {
			return fmt.Errorf("%w; run the doctor as the exporter's user, or without --storage.path", err)
		}
		defer store.Close()
		servers = ycmclient.NewServers(app.LoginStore{Store: store})
	}
	clients := app.Clients{Servers: servers, Recorder: recorder}
	report := doctor.Report{Version: app.Version, Works: true}
	bar := progressLine(stderr)
	for _, c := range cfg.Accounts {
		client, pbxs, err := clients.Options(ctx, c)
		if err != nil {
			return err
		}
		checked, err := doctor.Examine(ctx, doctor.Options{
			Client: client, PBXs: pbxs, Collectors: cfg.Collectors,
			Progress: func(done, total int) { bar(c.Name+" doctor", done, total) },
		})
		bar("", 0, 0)
		if err != nil {
			return fmt.Errorf("checking account %s: %w", c.Name, err)
		}
		report.Accounts = append(report.Accounts, checked)
		report.Works = report.Works && checked.Works
	}
	var err error
	if o.doctorFormat == "json" {
		err = printJSON(stdout, report)
	} else {
		err = report.WriteText(stdout)
	}
	if err != nil {
		return fmt.Errorf("printing the report: %w", err)
	}
	if !report.Works {
		return errors.New("--doctor: the exporter will not work as configured; the report says why, and what to do")
	}
	return nil
}
