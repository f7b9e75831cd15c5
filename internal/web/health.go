package web

import (
	"fmt"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/poll"
)

// The states of a collector and of the whole, which are also the class names of their colours.
const (
	ok       = "ok"
	failing  = "failing"
	starting = "starting"
)

// health is the first thing to read on the status page.
type health struct{ State, Text string }

// healthOf sums up how the accounts and their collectors are.
func healthOf(accounts []poll.Status, ready bool, now time.Time) health {
	all, failed, waiting, paused := 0, 0, 0, 0
	for _, account := range accounts {
		if account.Budget.PausedUntil.After(now) {
			paused++
		}
		for _, c := range account.Collectors {
			all++
			switch state(c) {
			case failing:
				failed++
			case starting:
				waiting++
			}
		}
	}
	switch {
	case len(accounts) == 0:
		return health{failing, "no account is configured"}
	case failed > 0:
		return health{failing, fmt.Sprintf("%d of %d collectors failing", failed, all)}
	case paused > 0:
		return health{failing, fmt.Sprintf("%d of %d accounts paused by the rate limit", paused, len(accounts))}
	case !ready:
		return health{starting, "first walk under way"}
	case waiting > 0:
		return health{starting, fmt.Sprintf("%d of %d collectors have not polled yet", waiting, all)}
	default:
		return health{ok, "all collectors succeed"}
	}
}

// state is what a collector is at. What was restored tells nothing of how it does now.
func state(c poll.CollectorStatus) string {
	switch {
	case c.Err != "":
		return failing
	case c.LastSuccess.IsZero() || c.Restored:
		return starting
	default:
		return ok
	}
}
