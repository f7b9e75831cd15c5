package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/ycm-exporter/ycm_exporter/collector"
	"github.com/ycm-exporter/ycm_exporter/internal/app"
	"github.com/ycm-exporter/ycm_exporter/internal/config"
	"github.com/ycm-exporter/ycm_exporter/internal/doctor"
)

// printPhones prints which phones the firmware versions of an account's PBXs can provision.
func (o options) printPhones(ctx context.Context, cfg *config.Config, clients app.Clients, stdout, stderr io.Writer, logger app.Logger) error {
	only := &config.Config{}
	var names []string
	for _, a := range cfg.Accounts {
		if names = append(names, a.Name); a.Name == o.phones {
			only.Accounts = []config.Account{a}
		}
	}
	if only.Accounts == nil {
		return fmt.Errorf("--phones: the configuration has no account %q; its accounts are %s", o.phones, strings.Join(names, ", "))
	}
	// The catalogue is read whether its collector is enabled or not, and of the others only the list of PBXs, if that is.
	for _, c := range cfg.Collectors {
		switch c.Name {
		case collector.Autoprovisioning:
			c.Schedule.Enabled = true
		case collector.CloudPBX:
		default:
			c.Schedule.Enabled = false
		}
		only.Collectors = append(only.Collectors, c)
	}
	_, accounts, err := app.PollOnce(ctx, only, clients, progressLine(stderr), logger)
	if err != nil {
		return fmt.Errorf("reading the phones of account %s: %w", o.phones, err)
	}
	catalogues := accounts[0].PhoneCatalogues()
	if o.phonesFormat == "json" {
		err = printJSON(stdout, catalogues)
	} else {
		err = phonesTable(stdout, catalogues)
	}
	if err != nil {
		return fmt.Errorf("printing the phones: %w", err)
	}
	if !slices.ContainsFunc(catalogues, func(c collector.PhoneCatalogue) bool { return len(c.Vendors) > 0 }) {
		return errors.New("--phones: no PBX of account " + o.phones + " reports which phones its firmware supports")
	}
	return nil
}

// phonesTable prints a table for each version, with columns as deep as the catalogue was read.
func phonesTable(w io.Writer, catalogues []collector.PhoneCatalogue) error {
	for i, c := range catalogues {
		models := 0
		for _, v := range c.Vendors {
			models += len(v.Models)
		}
		if i > 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "Firmware %s (%s): %s, %s\n",
			c.Version, doctor.Count(c.PBXs, "PBX"), doctor.Count(len(c.Vendors), "vendor"), doctor.Count(models, "model"))
		if c.Problem != "" {
			fmt.Fprintf(w, "  Incomplete: %s\n", c.Problem)
		}
		if len(c.Vendors) == 0 {
			continue
		}
		table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
		row(table, "VENDOR", "VALUE", "MODEL", "TYPE", "TEMPLATES", "METHODS")
		for _, v := range c.Vendors {
			if len(v.Models) == 0 {
				row(table, v.Name, v.Value, "", v.Type)
			}
			for _, m := range v.Models {
				row(table, v.Name, v.Value, m.Value, m.Type, strings.Join(m.Templates, ","), strings.Join(m.Methods, ","))
			}
		}
		if err := table.Flush(); err != nil {
			return err
		}
	}
	return nil
}

func printJSON(w io.Writer, value any) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	out.SetEscapeHTML(false)
	return out.Encode(value)
}

func row(w io.Writer, cells ...string) {
	fmt.Fprintln(w, "  "+strings.TrimRight(strings.Join(cells, "\t"), "\t"))
}
