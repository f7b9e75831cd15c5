package app

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/ycm-exporter/ycm_exporter/alerts"
	"github.com/ycm-exporter/ycm_exporter/dashboards"
	"github.com/ycm-exporter/ycm_exporter/internal/config"
)

// printCheck prints that a configuration is fine, and what of it is probably not meant.
func (o options) printCheck(cfg *config.Config, stdout, stderr io.Writer) error {
	for _, w := range cfg.Warnings {
		fmt.Fprintf(stderr, "ycm_exporter: warning: %v\n", w)
	}
	readers, err := readersOf(alerts.Rules, dashboards.Boards)
	if err != nil {
		return err
	}
	for _, c := range cfg.Collectors {
		for _, family := range c.Excluded {
			if who := whoReads(family, readers); who != "" {
				fmt.Fprintf(stderr, "ycm_exporter: warning: %s: metrics.exclude leaves out %s, which is needed by the %s\n", o.configFile, family, who)
			}
		}
	}
	fmt.Fprintf(stdout, "%s is fine: %d account(s)\n", o.configFile, len(cfg.Accounts))
	return nil
}

// whoReads names the readers of a family, kind after kind; empty: there is none.
func whoReads(family string, readers []reader) string {
	var kinds []string
	names := map[string][]string{}
	for _, r := range readers {
		switch {
		case !r.reads[family]:
			continue
		case names[r.kind] == nil:
			kinds = append(kinds, r.kind)
		}
		names[r.kind] = append(names[r.kind], r.name)
	}
	for i, kind := range kinds {
		kinds[i] += " " + strings.Join(names[kind], ", ")
	}
	return strings.Join(kinds, "; ")
}

// reader is an alert or a panel that comes with the exporter.
type reader struct {
	kind, name string // such as "panels of YCM fleet overview:" and "Calls now"
	expression string
	reads      map[string]bool // metrics
}

// panel is a panel of a dashboard, or the dashboard; a row has panels, too.
type panel struct {
	Title   string
	Targets []struct{ Expr string }
	Panels  []panel
}

// readersOf are the alerts and panels of files, with the metrics that they read themselves or through recording rules.
func readersOf(rules, boards fs.FS) (all []reader, err error) {
	recorded := map[string]string{}
	err = eachFile(rules, func(content []byte) error {
		var file struct {
			Groups []struct {
				Rules []struct{ Alert, Record, Expr string }
			}
		}
		err := yaml.Unmarshal(content, &file)
		for _, g := range file.Groups {
			for _, r := range g.Rules {
				if r.Alert != "" {
					all = append(all, reader{kind: "alerts", name: r.Alert, expression: r.Expr})
				} else {
					recorded[r.Record] += "\n" + r.Expr
				}
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	err = eachFile(boards, func(content []byte) error {
		var board panel
		err := json.Unmarshal(content, &board)
		for left := board.Panels; len(left) > 0; left = left[1:] {
			left = append(left, left[0].Panels...)
			r := reader{kind: "panels of " + board.Title + ":", name: strconv.Quote(left[0].Title)}
			for _, t := range left[0].Targets {
				r.expression += "\n" + t.Expr
			}
			all = append(all, r)
		}
		return err
	})
	for i := range all {
		all[i].reads = map[string]bool{}
		all[i].read(all[i].expression, recorded)
	}
	return all, err
}

var metricName = regexp.MustCompile(`[a-zA-Z_:][a-zA-Z0-9_:]*`)

// read adds the metrics of an expression, and of the recording rules that it reads.
func (r *reader) read(expression string, recorded map[string]string) {
	for _, metric := range metricName.FindAllString(expression, -1) {
		if !r.reads[metric] {
			r.reads[metric] = true
			r.read(recorded[metric], recorded)
		}
	}
}

// eachFile reads the files of a folder, in the order of their names.
func eachFile(folder fs.FS, read func(content []byte) error) error {
	names, err := fs.Glob(folder, "*")
	for _, name := range names {
		content, failed := fs.ReadFile(folder, name)
		if failed == nil {
			failed = read(content)
		}
		if failed != nil {
			return fmt.Errorf("reading %s: %w", name, failed)
		}
	}
	return err
}
