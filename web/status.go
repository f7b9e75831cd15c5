package web

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"net/http"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/common/version"

	"github.com/ycm-exporter/ycm_exporter/poll"
)

//go:embed status.html
var statusHTML string

// statusPage shows each account with its budget and its collectors. It is rendered whole before the first byte
// is sent, so that a fault is an error and never half a page.
func statusPage(e Exporter) http.HandlerFunc {
	page := template.Must(template.New("status").Funcs(template.FuncMap{
		"state": state,
		"took":  took,
	}).Parse(statusHTML))
	return func(w http.ResponseWriter, _ *http.Request) {
		now := time.Now()
		var out bytes.Buffer
		err := page.Execute(&out, struct {
			Now      time.Time
			Version  string
			Ready    bool
			Accounts []poll.Status
			clock
		}{now, version.Info(), e.Ready(), e.Status(), clock(now)})
		if err != nil {
			http.Error(w, fmt.Sprintf("rendering the status page: %v", err), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		_, _ = w.Write(out.Bytes())
	}
}

// clock words times relative to the moment the page was asked for.
type clock time.Time

// Ago words a moment of the past, as "3m ago".
func (c clock) Ago(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return took(time.Time(c).Sub(t)) + " ago"
}

// Until words a moment to come, as "in 3m".
func (c clock) Until(t time.Time) string {
	switch d := t.Sub(time.Time(c)); {
	case t.IsZero():
		return "–"
	case d <= 0:
		return "now"
	default:
		return "in " + took(d)
	}
}

// Future reports whether t is still to come.
func (c clock) Future(t time.Time) bool { return t.After(time.Time(c)) }

// took words a duration at the precision that a person cares for.
func took(d time.Duration) string {
	switch {
	case d < 0:
		return "0s"
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Minute:
		return d.Round(100 * time.Millisecond).String()
	default:
		return model.Duration(d.Round(time.Second)).String()
	}
}

// state is the word, and the colour's class name, for what a collector is at.
func state(c poll.CollectorStatus) string {
	switch {
	case c.Err != "":
		return "failing"
	case c.LastSuccess.IsZero():
		return "starting"
	default:
		return "ok"
	}
}
