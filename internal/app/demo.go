package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	promconfig "github.com/prometheus/common/config"

	"github.com/ycm-exporter/ycm_exporter/collector"
	"github.com/ycm-exporter/ycm_exporter/internal/capture"
	"github.com/ycm-exporter/ycm_exporter/internal/config"
	"github.com/ycm-exporter/ycm_exporter/internal/secret"
	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// The demo's simulator and its account share these credentials, which guard nothing.
const (
	demoClientID     = "demo-client-id"
	demoClientSecret = "demo-client-secret"
)

// startDemo serves a simulated fleet, well or full of trouble, or one that was captured, on loopback, and returns the
// configuration of accounts that export it, with the id of one of its PBXs, 0 if the fleet cannot be changed.
func (o options) startDemo(ctx context.Context) (cfg *config.Config, example int64, stop func(), err error) {
	handler, accounts, example, err := o.demoServer()
	if err != nil {
		return nil, 0, nil, err
	}
	var loopback net.ListenConfig
	listener, err := loopback.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, 0, nil, fmt.Errorf("starting the demo's simulator: %w", err)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	stop = func() {
		server.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			panic(fmt.Sprintf("the demo's simulator ended: %v", err))
		}
	}
	return demoConfig(&url.URL{Scheme: "http", Host: listener.Addr().String()}, accounts), example, stop, nil
}

// demoServer is what answers in the demo, and how many accounts it has at paths of their own, 0 if there is one at its root.
func (o options) demoServer() (handler http.Handler, accounts int, example int64, err error) {
	if o.replay == "" {
		simulator := ycmtest.New(ycmtest.Options{PBXs: o.demoPBXs, Seed: 1, Live: true, Healthy: !o.incidents, ClientID: demoClientID, ClientSecret: demoClientSecret})
		return simulator, 0, simulator.IDs()[0], nil
	}
	captured, err := capture.Open(o.replay)
	if err != nil {
		return nil, 0, 0, fmt.Errorf("--demo.replay: %w", err)
	}
	replay, err := ycmtest.NewReplay(captured)
	if err != nil {
		return nil, 0, 0, fmt.Errorf("--demo.replay: %s: %w", o.replay, err)
	}
	return replay, replay.Accounts(), 0, nil
}

// demoConfig polls everything, and often enough that a fresh dashboard comes alive within a minute.
func demoConfig(simulator *url.URL, accounts int) *config.Config {
	cfg := &config.Config{Collectors: demoCollectors()}
	for n := range max(1, accounts) {
		name, base := "demo", simulator
		if accounts > 0 {
			base = simulator.JoinPath(strconv.Itoa(n + 1))
		}
		if n > 0 {
			name = fmt.Sprintf("demo-%d", n+1)
		}
		cfg.Accounts = append(cfg.Accounts, config.Account{
			Name:            name,
			BaseURL:         base,
			Credentials:     config.Credentials{ClientID: demoClientID, ClientSecret: secret.New(demoClientSecret)},
			RateLimit:       config.RateLimit{Burst: 60_000, Rate: 60_000, Interval: time.Minute},
			Timeout:         10 * time.Second,
			PageConcurrency: 4,
			HTTPClient:      promconfig.DefaultHTTPClientConfig,
		})
	}
	return cfg
}

// demoCollectors is every collector, polled each minute or so, with settings that show everything.
func demoCollectors() (all []collector.Configured) {
	for _, c := range collector.All() {
		configured := collector.Configured{Collector: c, Schedule: collector.Schedule{
			Enabled:    true,
			Interval:   max(min(c.Schedule.Interval/4, time.Minute), c.Schedule.Interval/288),
			StaleAfter: 10 * time.Minute,
		}}
		if c.Settings != nil {
			configured.Settings = c.Settings()
			if s, ok := configured.Settings.(interface{ ShowAll() }); ok {
				s.ShowAll()
			}
		}
		all = append(all, configured)
	}
	return all
}
