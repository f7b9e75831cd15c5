package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"

	"github.com/go-kit/log"

	"github.com/ycm-exporter/ycm_exporter/collector"
	"github.com/ycm-exporter/ycm_exporter/internal/config"
)

// printPhones prints which phones the firmware versions of an account's PBXs can provision.
func (o options) printPhones(ctx context.Context, cfg *config.Config, stdout, stderr io.Writer, logger log.Logger) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	place := slices.IndexFunc(cfg.Accounts, func(a config.Account) bool { return a.Name == o.phones })
	if place < 0 {
		var names []string
		for _, a := range cfg.Accounts {
			names = append(names, a.Name)
		}
		return fmt.Errorf("--phones: the configuration has no account %q; it has %s", o.phones, strings.Join(names, ", "))
	}
	only, settings := onlyPhones(cfg.Collectors)
	r, err := newExporter(ctx, nil, logger).prepare(cfg.Accounts[place], only, nil)
	if err != nil {
		return err
	}
	bar := progressBar(stderr)
	err = r.account.Once(ctx, func(name string, done, total int) { bar(o.phones+" "+name, done, total) })
	bar("", 0, 0)
	if err != nil {
		return fmt.Errorf("reading the phones of account %s: %w", o.phones, err)
	}
	catalogues := collector.Catalogues(r.account.Reading(collector.PhoneCatalogues), settings)
	write := phonesTable
	if o.phonesFormat == "json" {
		write = phonesJSON
	}
	if err := write(stdout, catalogues); err != nil {
		return fmt.Errorf("printing the phones: %w", err)
	}
	if !slices.ContainsFunc(catalogues, func(c collector.PhoneCatalogue) bool { return len(c.Vendors) > 0 }) {
		return errors.New("--phones: no PBX of account " + o.phones + " tells which phones its firmware knows")
	}
	return nil
}

// onlyPhones enables the collector that reads the catalogue of phones, whether it is enabled or not, and of the others
// none but the list of PBXs, if it is.
func onlyPhones(collectors []collector.Configured) (only []collector.Configured, settings collector.Settings) {
	for _, c := range collectors {
		switch c.Provides {
		case collector.PhoneCatalogues:
			c.Schedule.Enabled, settings = true, c.Settings
		case collector.ListOfPBXs:
		default:
			c.Schedule.Enabled = false
		}
		only = append(only, c)
	}
	return only, settings
}

func phonesJSON(w io.Writer, catalogues []collector.PhoneCatalogue) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	out.SetEscapeHTML(false)
	return out.Encode(catalogues)
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
		fmt.Fprintf(w, "Firmware %s, of %s: %s, %s\n", c.Version, count(c.PBXs, "PBX", "s"), count(len(c.Vendors), "vendor", "s"), count(models, "model", "s"))
		if c.Problem != "" {
			fmt.Fprintf(w, "  Not read to the end: %s\n", c.Problem)
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

func row(w io.Writer, cells ...string) {
	fmt.Fprintln(w, "  "+strings.TrimRight(strings.Join(cells, "\t"), "\t"))
}

func count(n int, thing, plural string) string {
	if n == 1 {
		plural = ""
	}
	return fmt.Sprintf("%d %s%s", n, thing, plural)
}
