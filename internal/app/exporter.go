package app

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	buildinfo "github.com/prometheus/client_golang/prometheus/collectors/version"
	promconfig "github.com/prometheus/common/config"
	"github.com/prometheus/common/version"

	"github.com/ycm-exporter/ycm_exporter/collector"
	"github.com/ycm-exporter/ycm_exporter/internal/capture"
	"github.com/ycm-exporter/ycm_exporter/internal/config"
	"github.com/ycm-exporter/ycm_exporter/internal/exposition"
	"github.com/ycm-exporter/ycm_exporter/internal/poll"
	"github.com/ycm-exporter/ycm_exporter/internal/storage"
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
	servers  *ycmclient.Servers
	recorder *capture.Recorder // nil: nothing is captured
	logger   log.Logger

	reloadSuccessful prometheus.Gauge
	reloadTime       prometheus.Gauge

	reloading chan struct{} // one reload at a time has a place here
	applying  sync.Mutex    // one configuration is applied at a time
	mu        sync.RWMutex
	accounts  []*running // ordered by name
}

// running is one account that is being polled.
type running struct {
	config     config.Account
	collectors []collector.Configured
	client     *ycmclient.Client
	account    *poll.Account
	stop       func() // ends the polling and returns when it has ended
}

// newExporter makes an exporter without accounts; apply gives it some.
func newExporter(ctx context.Context, load func() (*config.Config, error), logger log.Logger) *exporter {
	e := &exporter{
		ctx:       ctx,
		load:      load,
		registry:  prometheus.NewRegistry(),
		logger:    logger,
		servers:   ycmclient.NewServers(nil),
		reloading: make(chan struct{}, 1),
		reloadSuccessful: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "ycm_exporter_config_last_reload_successful",
			Help: "Whether the last load of the configuration succeeded (1) or not (0).",
		}),
		reloadTime: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "ycm_exporter_config_last_reload_success_timestamp_seconds",
			Help: "Unix time of the last successful load of the configuration.",
		}),
	}
	e.registry.MustRegister(
		e.reloadSuccessful, e.reloadTime,
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		buildinfo.NewCollector("ycm_exporter"),
	)
	e.metrics = poll.NewMetrics(e.registry)
	e.set = exposition.NewSet(e.registry, logger)
	return e
}

// prepare makes an account ready to poll, without polling. An account that did not change keeps its client, and
// with it token and rate limiter, whatever changed about the collectors.
func (e *exporter) prepare(c config.Account, collectors []collector.Configured, old *running) (*running, error) {
	r := &running{config: c, collectors: collectors}
	if old != nil && reflect.DeepEqual(old.config, c) {
		r.client = old.client
	} else {
		transport, err := transportTo(e.ctx, c)
		if err != nil {
			return nil, err
		}
		options := clientOptions(c, e.recorder.Transport(c.Name, transport), e.servers)
		options.Observer, options.Logger = e.metrics.Observer(c.Name), e.logger
		r.client = ycmclient.New(options)
	}
	direct, err := directPBXs(e.ctx, e.servers, c, func(t http.RoundTripper) http.RoundTripper { return t })
	if err != nil {
		return nil, err
	}
	options := poll.Options{
		Account: c.Name, BaseURL: c.BaseURL, Client: r.client, Direct: direct, Collectors: collectors,
		Publisher: e.set, Metrics: e.metrics, Logger: e.logger,
	}
	if e.store != nil {
		options.Store = fleetStore{e.store, fleetOf(c)}
	}
	r.account = poll.NewAccount(options)
	return r, nil
}

// transportTo makes what an account's requests to YCM go through.
func transportTo(ctx context.Context, c config.Account) (http.RoundTripper, error) {
	transport, err := promconfig.NewRoundTripperFromConfigWithContext(ctx, c.HTTPClient, "ycm_"+c.Name)
	if err != nil {
		return nil, fmt.Errorf("account %s: setting up http_client: %w", c.Name, err)
	}
	return transport, nil
}

// clientOptions is how an account's YCM is queried, by the exporter and by the doctor alike.
func clientOptions(c config.Account, transport http.RoundTripper, servers *ycmclient.Servers) ycmclient.Options {
	return ycmclient.Options{
		Account: c.Name, BaseURL: c.BaseURL, ClientID: c.ClientID, Secret: c.Secret(), Hidden: hidden(c.HTTPClient), Servers: servers,
		RateLimit: ycmclient.RateLimit(c.RateLimit), Timeout: c.Timeout, PageConcurrency: c.PageConcurrency, Search: c.Search,
		Transport: transport, UserAgent: userAgent(),
	}
}

// userAgent is what the API sees; it demands that there is one.
func userAgent() string {
	if version.Version == "" {
		return "ycm_exporter"
	}
	return "ycm_exporter/" + version.Version
}

// apply makes the accounts be as configured; those that did not change go on undisturbed. Everything that can
// fail is done before the first account is touched.
func (e *exporter) apply(cfg *config.Config) error {
	e.applying.Lock()
	defer e.applying.Unlock()

	ended := map[string]*running{}
	for _, r := range e.running() {
		ended[r.config.Name] = r
	}
	var next, started []*running
	for _, c := range cfg.Accounts {
		old := ended[c.Name]
		if old != nil && reflect.DeepEqual(old.config, c) && slices.EqualFunc(old.collectors, cfg.Collectors, collector.Configured.Equal) {
			delete(ended, c.Name)
			next = append(next, old)
			continue
		}
		r, err := e.prepare(c, cfg.Collectors, old)
		if err != nil {
			return err
		}
		next, started = append(next, r), append(started, r)
	}
	slices.SortFunc(next, func(a, b *running) int { return strings.Compare(a.config.Name, b.config.Name) })

	configured := map[string]bool{}
	for _, c := range cfg.Accounts {
		configured[c.ClientID] = true
		for _, p := range c.PBXs {
			configured[p.ClientID] = true
		}
	}
	e.servers.Retain(func(clientID string) bool { return configured[clientID] })
	stopAll(slices.Collect(maps.Values(ended)))
	for _, r := range ended {
		if !slices.ContainsFunc(next, func(n *running) bool { return n.client == r.client }) {
			r.client.Close()
		}
	}
	e.mu.Lock()
	e.accounts = next
	e.mu.Unlock()
	before := map[fleet]*running{}
	for _, r := range ended {
		before[fleetOf(r.config)] = r
	}
	for _, r := range started {
		if old := ended[r.config.Name]; old != nil && fleetOf(old.config) == fleetOf(r.config) {
			delete(ended, r.config.Name)
		}
	}
	// The names that are left are of nobody now, or of another fleet.
	for name := range ended {
		e.metrics.Forget(name)
	}
	e.set.Retain(func(account, _ string) bool { _, gone := ended[account]; return !gone })
	for _, r := range started {
		if old := before[fleetOf(r.config)]; old != nil {
			r.account.Inherit(old.account, reflect.DeepEqual(old.config, r.config))
		} else {
			r.account.Restore()
		}
		r.start(e.ctx)
	}
	return nil
}

// fleet is the PBXs that an account lists: a server's, as a Client ID and a search see it. What was read of them stays true
// as long as it is the same, whatever the account is called.
type fleet struct{ baseURL, clientID, search string }

func fleetOf(c config.Account) fleet { return fleet{c.BaseURL.String(), c.ClientID, c.Search} }

// start polls the account in the background until stop.
func (r *running) start(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.account.Run(ctx)
	}()
	r.stop = func() {
		cancel()
		<-done
	}
}

// stop ends all polling, and waits a while for what is still to be persisted.
func (e *exporter) stop() {
	e.applying.Lock()
	defer e.applying.Unlock()
	stopAll(e.running())
	if e.store != nil {
		e.store.Close()
	}
}

// stopAll ends the polling of accounts side by side, as one that takes its time must not keep the others polling.
func stopAll(accounts []*running) {
	var stopping sync.WaitGroup
	for _, r := range accounts {
		stopping.Go(r.stop)
	}
	stopping.Wait()
}

func (e *exporter) running() []*running {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.accounts
}

// Ready reports whether every account's first poll of the list has ended, well or badly.
func (e *exporter) Ready() bool {
	return !slices.ContainsFunc(e.running(), func(r *running) bool { return !r.account.Ready() })
}

// Status tells of each account, ordered by name.
func (e *exporter) Status() []poll.Status {
	accounts := e.running()
	all := make([]poll.Status, len(accounts))
	for i, r := range accounts {
		all[i] = r.account.Status()
	}
	return all
}
