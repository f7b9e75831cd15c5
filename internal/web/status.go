package web

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"net/http"
	"time"

	"github.com/prometheus/common/model"

	"github.com/ycm-exporter/ycm_exporter/internal/poll"
)

//go:embed status.html
var statusHTML string

// StorageStatus is how the directory for persistent state is doing.
type StorageStatus struct {
	Path      string
	LastWrite time.Time // zero before the first
	Err       string    // why the last write failed; empty when it succeeded
}

// view is what the template of the status page shows.
type view struct {
	Options
	Now      time.Time
	Health   health
	Refresh  bool // the page reloads itself
	Storage  *StorageStatus
	Accounts []poll.Status
}

// statusPage shows each account with its rate limit and its collectors. It is rendered before the first byte is sent, so
// that a failure is an error and never half a page.
func statusPage(o Options, e Exporter) http.HandlerFunc {
	page := template.Must(template.New("status").Funcs(template.FuncMap{"state": state, "took": took}).Parse(statusHTML))
	return func(w http.ResponseWriter, r *http.Request) {
		v := view{Options: o, Now: time.Now(), Storage: e.Storage(), Accounts: e.Status(), Refresh: r.URL.Query().Get("refresh") != "off"}
		v.Health = healthOf(v.Accounts, e.Ready(), v.Now)
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

// Demand compares what an account's collectors need with its rate limit.
func (view) Demand(account poll.Status) health {
	b := account.RateLimit
	needed := account.Demand * b.Interval.Seconds()
	text := fmt.Sprintf("%.1f every %s", needed, took(b.Interval))
	if needed > float64(b.Rate) {
		return health{failing, text + ", exceeds the rate limit"}
	}
	return health{ok, text}
}

// The states of a collector and of the exporter, which are also the class names of their colours.
const (
	ok       = "ok"
	failing  = "failing"
	starting = "starting"
	waiting  = "waiting" // for the first list of PBXs
)

// health is a state with its explanation.
type health struct{ State, Text string }

// healthOf sums up the states of the accounts and their collectors; it is the first thing on the page.
func healthOf(accounts []poll.Status, ready bool, now time.Time) health {
	all, paused, count := 0, 0, map[string]int{}
	for _, account := range accounts {
		if account.RateLimit.PausedUntil.After(now) {
			paused++
		}
		all += len(account.Collectors)
		for _, c := range account.Collectors {
			count[state(c)]++
		}
	}
	switch {
	case len(accounts) == 0:
		return health{failing, "no account is configured"}
	case count[failing] > 0:
		return health{failing, fmt.Sprintf("%d of %d collectors failing", count[failing], all)}
	case paused > 0:
		return health{failing, fmt.Sprintf("%d of %d accounts paused by the rate limit", paused, len(accounts))}
	case !ready:
		return health{starting, "first walk in progress"}
	case count[starting]+count[waiting] > 0:
		return health{starting, fmt.Sprintf("%d of %d collectors have not polled yet", count[starting]+count[waiting], all)}
	default:
		return health{ok, "all collectors succeed"}
	}
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
