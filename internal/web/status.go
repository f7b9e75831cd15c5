package web

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/ycm-exporter/ycm_exporter/internal/poll"
)

//go:embed status.html
var statusHTML string

// StorageStatus is what is told of the folder in which snapshots outlive a restart.
type StorageStatus struct {
	Path      string
	LastWrite time.Time // zero before the first
	Err       string    // why the last write failed; empty when it succeeded
}

// Storer is an Exporter that may have such a folder.
type Storer interface {
	// Storage tells of the folder; false if there is none.
	Storage() (StorageStatus, bool)
}

// view is what the template of the status page shows.
type view struct {
	clock
	Options
	Health   health
	Refresh  bool // the page asks for itself again and again
	Storage  *StorageStatus
	Accounts []poll.Status
}

// statusPage shows each account with its budget and its collectors. It is rendered whole before the first byte
// is sent, so that a fault is an error and never half a page.
func statusPage(o Options, e Exporter) http.HandlerFunc {
	page := template.Must(template.New("status").Funcs(template.FuncMap{
		"state": state, "took": took, "shards": func() []int { return shards(o.SDShards) }, "relative": relative,
	}).Parse(statusHTML))
	return func(w http.ResponseWriter, r *http.Request) {
		now := time.Now()
		v := view{
			clock: clock(now), Options: o, Accounts: e.Status(),
			Refresh: r.URL.Query().Get("refresh") != "off",
		}
		v.Health = healthOf(v.Accounts, e.Ready(), now)
		if storer, ok := e.(Storer); ok {
			if storage, ok := storer.Storage(); ok {
				v.Storage = &storage
			}
		}
		var out bytes.Buffer
		if err := page.Execute(&out, v); err != nil {
			http.Error(w, fmt.Sprintf("rendering the status page: %v", err), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		_, _ = w.Write(out.Bytes())
	}
}

func shards(count int) (all []int) {
	for n := range count {
		all = append(all, n)
	}
	return all
}

// clock words times relative to the moment the page was asked for.
type clock time.Time

// Now is that moment.
func (c clock) Now() time.Time { return time.Time(c) }

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

// Demand words what an account's collectors need of its budget, once that is known.
func (view) Demand(account poll.Status) health {
	b := account.Budget
	needed, format := account.Demand*b.Interval.Seconds(), "about %.0f each %s"
	if needed < 10 {
		format = "about %.1f each %s"
	}
	if slices.ContainsFunc(account.Collectors, func(c poll.CollectorStatus) bool { return c.LastSuccess.IsZero() }) {
		format = strings.Replace(format, "about", "at least", 1)
	}
	text := fmt.Sprintf(format, needed, took(b.Interval))
	if needed > float64(b.Rate) {
		return health{failing, text + ", more than there is"}
	}
	return health{ok, text}
}
