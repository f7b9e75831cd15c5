package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/ycm-exporter/ycm_exporter/internal/app"
	"github.com/ycm-exporter/ycm_exporter/internal/config"
	"github.com/ycm-exporter/ycm_exporter/internal/doctor"
)

// examine checks each account and prints a report.
func (o options) examine(ctx context.Context, cfg *config.Config, clients app.Clients, stdout, stderr io.Writer) error {
	report := doctor.Report{Version: app.Version(), Works: true}
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
		return errors.New("--doctor: the exporter will not work as configured; see the problems in the report")
	}
	return nil
}
