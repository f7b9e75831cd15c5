// Generate writes the Grafana dashboards of ycm_exporter as JSON.
//
//	go run .            write them beside this folder
//	go run . -queries   print every query of theirs, one a line
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	queries := flag.Bool("queries", false, "print every query, one a line, and write nothing")
	folder := flag.String("folder", "..", "the folder to write the dashboards to")
	flag.Parse()

	if *queries {
		printQueries(os.Stdout, dashboards())
		return
	}
	if err := write(*folder, dashboards()); err != nil {
		fmt.Fprintf(os.Stderr, "writing the dashboards: %v\n", err)
		os.Exit(1)
	}
}

// write puts each dashboard into a file named for its uid.
func write(folder string, all []Dashboard) error {
	for _, d := range all {
		encoded, err := d.encode()
		if err != nil {
			return fmt.Errorf("dashboard %s: %w", d.UID, err)
		}
		if err := os.WriteFile(filepath.Join(folder, d.UID+".json"), encoded, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// printQueries prints the queries of variables and panels, as they are before Grafana replaces the variables in them.
func printQueries(w io.Writer, all []Dashboard) {
	for _, d := range all {
		for _, query := range d.queries() {
			fmt.Fprintln(w, strings.Join(strings.Fields(query), " "))
		}
	}
}

// queries are those of the dashboard's variables, then those of its panels.
func (d Dashboard) queries() []string {
	var all []string
	for _, v := range d.Templating.List {
		if v.Definition != "" {
			all = append(all, v.Definition)
		}
	}
	for _, p := range d.all() {
		for _, t := range p.Targets {
			all = append(all, t.Expr)
		}
	}
	return all
}
