package web

import (
	"fmt"
	"time"

	"github.com/ycm-exporter/ycm_exporter/poll"
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
	polled, failed, paused := 0, 0, 0
	for _, account := range accounts {
		if account.Budget.PausedUntil.After(now) {
			paused++
		}
		for _, c := range account.Collectors {
			polled++
			if state(c) == failing {
				failed++
			}
		}
	}
	switch {
	case len(accounts) == 0:
		return health{failing, "no account is configured"}
	case failed > 0:
		return health{failing, fmt.Sprintf("%d of %d collectors failing", failed, polled)}
	case paused > 0:
		return health{failing, fmt.Sprintf("%d of %d accounts paused by the rate limit", paused, len(accounts))}
	case !ready:
		return health{starting, "first walk under way"}
	default:
		return health{ok, "all collectors succeed"}
	}
}

// state is what a collector is at.
func state(c poll.CollectorStatus) string {
	switch {
	case c.Err != "":
		return failing
	case c.LastSuccess.IsZero():
		return starting
	default:
		return ok
	}
}
