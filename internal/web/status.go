package web

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/ycm-exporter/ycm_exporter/internal/poll"
	"github.com/ycm-exporter/ycm_exporter/internal/storage"
)

//go:embed status.html
var statusHTML string

// view is what the template of the status page shows.
type view struct {
	Options
	Now      time.Time
	Health   health
	Refresh  bool // the page reloads itself
	Storage  *storage.Status
	Accounts []poll.Status
}

// statusPage shows each account with its rate limit and its collectors. It is rendered before the first byte is sent, so
// that a failure is an error and never half a page.
func statusPage(o Options, e Exporter) http.HandlerFunc {
	functions := template.FuncMap{
		"state": state, "took": took, "health": healthOf, "shared": sharedFailure,
		"perMinute": perMinute, "demandPercent": demandPercent,
	}
	page := template.Must(template.New("status").Funcs(functions).Parse(statusHTML))
	return func(w http.ResponseWriter, r *http.Request) {
		v := view{Options: o, Now: time.Now(), Storage: e.Storage(), Accounts: e.Status(), Refresh: r.URL.Query().Get("refresh") != "off"}
		v.Health = healthOf(v.Now, v.Accounts...)
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

// perMinute formats requests per second as requests per minute.
func perMinute(perSecond float64) string { return fmt.Sprintf("%.1f", 60*perSecond) }

// demandPercent formats the demand of an account as a part of its configured rate limit.
func demandPercent(a poll.Status) string {
	return fmt.Sprintf("%.0f %%", 100*a.Demand*a.RateLimit.Interval.Seconds()/float64(a.RateLimit.Rate))
}

// Ago formats a past time relative to the request, as "3m ago".
func (v view) Ago(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return took(v.Now.Sub(t)) + " ago"
}

// In formats a time to come, as "in 3m".
func (v view) In(t time.Time) string {
	switch {
	case t.IsZero():
		return "–"
	case !t.After(v.Now):
		return "now"
	default:
		return "in " + took(t.Sub(v.Now))
	}
}

// took formats a duration at the precision that people need.
func took(d time.Duration) string {
	switch d = max(d, 0); {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Minute:
		return d.Round(100 * time.Millisecond).String()
	default:
		return model.Duration(d.Round(time.Second)).String()
	}
}

// The states of a collector and of the exporter, which are also the class names of their colours.
const (
	ok       = "ok"
	failing  = "failing"
	starting = "starting"
	waiting  = "waiting" // for the first PBX list
)

// health is a state with its explanation.
type health struct{ State, Text string }

// healthOf sums up the states of accounts and their collectors.
func healthOf(now time.Time, accounts ...poll.Status) health {
	all, count, paused := 0, map[string]int{}, []string{}
	for _, account := range accounts {
		if account.RateLimit.PausedUntil.After(now) {
			paused = append(paused, account.Account)
		}
		for _, c := range account.Collectors {
			count[state(c)]++
			all++
		}
	}
	text := fmt.Sprintf("%d of %d collectors ok", count[ok], all)
	for _, s := range []health{{failing, "failing"}, {waiting, "waiting for the PBX list"}, {starting, "not polled yet"}} {
		if n := count[s.State]; n > 0 {
			text += fmt.Sprintf(", %d %s", n, s.Text)
		}
	}
	if len(paused) > 0 {
		text += ", paused by the rate limit: " + strings.Join(paused, ", ")
	}
	switch {
	case count[failing] > 0, len(paused) > 0, len(accounts) == 0:
		return health{failing, text}
	case count[ok] < all:
		return health{starting, text}
	}
	return health{ok, text}
}

// sharedFailure returns the first failing collector if it is the only one or all that fail have the same cause, else nil.
func sharedFailure(collectors []poll.CollectorStatus) (shared *poll.CollectorStatus) {
	for i, c := range collectors {
		switch {
		case state(c) != failing:
		case shared == nil:
			shared = &collectors[i]
		case c.Cause == "" || c.Cause != shared.Cause:
			return nil
		}
	}
	return shared
}

// state is that of a collector. A restored snapshot does not show how polls go now.
func state(c poll.CollectorStatus) string {
	switch {
	case c.Err != "":
		return failing
	case c.Waiting:
		return waiting
	case c.LastSuccess.IsZero() || c.Restored:
		return starting
	default:
		return ok
	}
}
