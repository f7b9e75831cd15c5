package app

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"
	buildinfo "github.com/prometheus/client_golang/prometheus/collectors/version"

	"github.com/ycm-exporter/ycm_exporter/collector"
	"github.com/ycm-exporter/ycm_exporter/internal/config"
	"github.com/ycm-exporter/ycm_exporter/internal/crash"
	"github.com/ycm-exporter/ycm_exporter/internal/exposition"
	"github.com/ycm-exporter/ycm_exporter/internal/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/internal/poll"
	"github.com/ycm-exporter/ycm_exporter/internal/storage"
	"github.com/ycm-exporter/ycm_exporter/internal/sweep"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// exporter owns the accounts: it starts their polling, applies a new configuration to them, and ends them.
type exporter struct {
	ctx      context.Context // the life of all polling
	load     func() (*config.Config, error)
	registry *prometheus.Registry
	metrics  *poll.Metrics
	set      *exposition.Set
	store    *storage.Store // nil: nothing persists across restarts
	clients  Clients
	logger   log.Logger

	reloadSuccessful prometheus.Gauge
	reloadTime       prometheus.Gauge

	applying chan struct{} // full while a configuration is loaded and applied
	mu       sync.RWMutex
	accounts []*running // ordered by name
}

// running is one account that is being polled.
type running struct {
	config     config.Account
	collectors []collector.Configured
	client     *ycmclient.Client
	account    *poll.Account
	renew      func()            // makes the next requests open new connections
	stop       func(cause error) // ends the polling, returns when it has ended
}

// newExporter makes an exporter without accounts; apply gives it some.
func newExporter(ctx context.Context, load func() (*config.Config, error), logger log.Logger) *exporter {
	e := &exporter{
		ctx:      ctx,
		load:     load,
		registry: prometheus.NewRegistry(),
		logger:   logger,
		clients:  Clients{Servers: ycmclient.NewServers(nil)},
		applying: make(chan struct{}, 1),
		reloadSuccessful: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "ycm_exporter_config_last_reload_successful",
			Help: "Whether the last reload of the configuration succeeded (1) or not (0).",
		}),
		reloadTime: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "ycm_exporter_config_last_reload_success_timestamp_seconds",
			Help: "Unix time of the last successful reload of the configuration.",
		}),
	}
	e.registry.MustRegister(buildinfo.NewCollector("ycm_exporter"))
	e.metrics = poll.NewMetrics(e.registry)
	e.set = exposition.NewSet(e.registry, logger)
	return e
}

// prepare makes an account ready to poll, without polling. Its token and its rate limit are those of its Client ID, so that they
// stay when a configuration changes.
func (e *exporter) prepare(c config.Account, collectors []collector.Configured) (*running, error) {
	client, pbxs, err := e.clients.Options(e.ctx, c)
	if err != nil {
		return nil, err
	}
	client.Observer, client.Logger = e.metrics.Observer(c.Name), e.logger
	r := &running{config: c, collectors: collectors, client: ycmclient.New(client)}
	options := poll.Options{
		Account: c.Name, BaseURL: c.BaseURL, Client: r.client, Collectors: collectors,
		Publisher: e.set, Metrics: e.metrics, Logger: e.logger,
	}
	for _, pbx := range pbxs {
		pbx.Logger = log.With(e.logger, "account", c.Name, "pbx", pbx.URL.Host)
		options.Direct = append(options.Direct, &sweep.Direct{URL: pbx.URL, Client: pbxclient.Direct(pbx)})
	}
	if e.store != nil {
		fleet := fleetOf(c)
		sum := sha256.Sum256([]byte(fleet.baseURL + "\x00" + fleet.clientID + "\x00" + fleet.search))
		options.Store, options.StoreSuffix = e.store, fmt.Sprintf("-%x", sum[:8]) // Which shows none of them.
	}
	r.account = poll.NewAccount(options)
	r.renew = func() {
		r.client.Close()
		if len(pbxs) > 0 { // They share a transport.
			(&http.Client{Transport: pbxs[0].Transport}).CloseIdleConnections()
		}
	}
	return r, nil
}

// apply makes the accounts be as configured; those that did not change continue undisturbed. Everything that can fail is done
// before the first account is touched.
func (e *exporter) apply(cfg *config.Config) error {
	ended := map[string]*running{}
	for _, r := range e.running() {
		ended[r.config.Name] = r
	}
	var next, started []*running
	for _, c := range cfg.Accounts {
		old := ended[c.Name]
		if old != nil && reflect.DeepEqual(old.config, c) && slices.EqualFunc(old.collectors, cfg.Collectors, collector.Configured.Equal) {
			delete(ended, c.Name)
			old.renew()
			next = append(next, old)
			old.account.RetryLogins()
			continue
		}
		r, err := e.prepare(c, cfg.Collectors)
		if err != nil {
			return err
		}
		next, started = append(next, r), append(started, r)
	}
	slices.SortFunc(next, func(a, b *running) int { return strings.Compare(a.config.Name, b.config.Name) })

	e.clients.Servers.Retain(Logins(cfg))
	replaced := func(old *running) bool {
		return slices.ContainsFunc(started, func(r *running) bool {
			return r.config.Name == old.config.Name && fleetOf(r.config) == fleetOf(old.config)
		})
	}
	stopAll(slices.Collect(maps.Values(ended)), replaced)
	e.mu.Lock()
	e.accounts = next
	e.mu.Unlock()
	before := map[fleet]*running{}
	for name, old := range ended {
		before[fleetOf(old.config)] = old
		if !replaced(old) {
			e.metrics.Forget(name)
			for _, c := range old.collectors {
				e.set.Withdraw(name, c.Name)
			}
		}
	}
	for _, r := range started {
		if old := before[fleetOf(r.config)]; old != nil {
			r.account.Inherit(old.account, reflect.DeepEqual(old.config, r.config))
		} else {
			r.account.Restore()
		}
		r.start(e.ctx)
	}
	e.reloadSuccessful.Set(1)
	e.reloadTime.SetToCurrentTime()
	return nil
}

// fleet is the PBXs that an account lists: a server's, as a Client ID and a search see it. What was read of them stays true
// as long as it is the same, whatever the account is called.
type fleet struct{ baseURL, clientID, search string }

func fleetOf(c config.Account) fleet { return fleet{c.BaseURL.String(), c.ClientID, c.Search} }

// start polls the account in the background until stop.
func (r *running) start(ctx context.Context) {
	ctx, cancel := context.WithCancelCause(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.account.Run(ctx)
	}()
	r.stop = func(cause error) {
		cancel(cause)
		<-done
		r.client.Close()
	}
}

// stop ends all polling, and waits a while for what is still to be persisted.
func (e *exporter) stop() {
	e.applying <- struct{}{} // For ever: nothing is applied after the end.
	stopAll(e.running(), func(*running) bool { return false })
	if e.store != nil {
		e.store.Close()
	}
}

// stopAll ends the polling of accounts side by side, as one that takes its time must not keep the others polling.
func stopAll(accounts []*running, replaced func(*running) bool) {
	var stopping sync.WaitGroup
	for _, r := range accounts {
		var cause error
		if replaced(r) {
			cause = collector.ErrReplaced
		}
		stopping.Go(func() { r.stop(cause) })
	}
	stopping.Wait()
}

func (e *exporter) running() []*running {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.accounts
}

// reloadLimit is how long a request for a reload waits for it.
const reloadLimit = 9 * time.Second

// Reload loads the configuration again and applies it. When it cannot be used, the running one stays. A reload that hangs, as
// on a file system that does, is an error after 9 s, continues in the background, and holds up the later ones.
func (e *exporter) Reload() error {
	ctx, cancel := context.WithTimeoutCause(e.ctx, reloadLimit, fmt.Errorf("the reload has not ended within %v", reloadLimit))
	defer cancel()
	var err error
	select {
	case e.applying <- struct{}{}:
		_, err = crash.GiveUpAfter(ctx, func() (struct{}, error) {
			defer func() { <-e.applying }()
			cfg, err := e.load()
			if err == nil {
				err = e.apply(cfg)
			}
			return struct{}{}, err
		}, func(_ struct{}, err error) { e.reloaded(err) })
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil && err == ctx.Err() { //nolint:errorlint // It is that very error if the reload was given up.
		err = context.Cause(ctx)
	}
	e.reloaded(err)
	return err
}

func (e *exporter) reloaded(err error) {
	if err != nil {
		e.reloadSuccessful.Set(0)
		level.Error(e.logger).Log("msg", "Failed to reload configuration, keeping the current one", "err", err)
		return
	}
	level.Info(e.logger).Log("msg", "Configuration reloaded", "accounts", len(e.running()))
}

// Ready reports whether every account's first poll of the list has ended, well or badly.
func (e *exporter) Ready() bool {
	return !slices.ContainsFunc(e.running(), func(r *running) bool { return !r.account.Ready() })
}

// Status returns the state of each account, ordered by name.
func (e *exporter) Status() []poll.Status {
	accounts := e.running()
	all := make([]poll.Status, len(accounts))
	for i, r := range accounts {
		all[i] = r.account.Status()
	}
	return all
}

// Storage returns how the directory for persistent state is doing, nil without one.
func (e *exporter) Storage() *storage.Status { return e.store.Status() }
