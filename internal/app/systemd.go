package app

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"

	sd "github.com/coreos/go-systemd/v22/daemon"
	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
)

// notifySystemd is the actor that tells systemd when the server listens, feeds its watchdog as long as alive returns,
// and tells when the exporter stops. Where no service manager has asked for it (Type=notify, WatchdogSec) it only waits.
func notifySystemd(server *http.Server, alive func(), logger log.Logger) (execute func() error, interrupt func(error)) {
	listening, ended := make(chan struct{}), make(chan struct{})
	// The server asks for this once it has its listeners, and once for each of them.
	listens := sync.OnceFunc(func() { close(listening) })
	server.BaseContext = func(net.Listener) context.Context {
		listens()
		return context.Background()
	}
	tell := func(state string) {
		if _, err := sd.SdNotify(false, state); err != nil {
			level.Warn(logger).Log("msg", "systemd was not told how the exporter does", "state", state, "err", err)
		}
	}
	return func() error {
			select {
			case <-listening:
				tell(sd.SdNotifyReady)
			case <-ended:
				return nil
			}
			feed, stop := watchdog(logger)
			defer stop()
			for {
				select {
				case <-feed:
					alive()
					tell(sd.SdNotifyWatchdog)
				case <-ended:
					tell(sd.SdNotifyStopping)
					return nil
				}
			}
		}, func(error) {
			close(ended)
		}
}

// watchdog ticks twice in the time within which systemd wants to hear from the exporter; never, if it does not.
func watchdog(logger log.Logger) (feed <-chan time.Time, stop func()) {
	within, err := sd.SdWatchdogEnabled(false)
	if err != nil {
		level.Warn(logger).Log("msg", "The watchdog of systemd is not fed: WATCHDOG_USEC or WATCHDOG_PID cannot be understood", "err", err)
	}
	if within <= 0 {
		return nil, func() {}
	}
	ticker := time.NewTicker(within / 2)
	return ticker.C, ticker.Stop
}
