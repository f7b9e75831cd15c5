package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	promconfig "github.com/prometheus/common/config"

	"github.com/ycm-exporter/ycm_exporter/collector"
	"github.com/ycm-exporter/ycm_exporter/config"
	"github.com/ycm-exporter/ycm_exporter/secret"
	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// The demo's simulator and its account share these credentials, which guard nothing.
const (
	demoClientID     = "demo-client-id"
	demoClientSecret = "demo-client-secret"
)

// startDemo serves a simulated fleet, well or full of trouble, on loopback and returns the configuration of an account that
// exports it, with the id of one of its PBXs.
func startDemo(ctx context.Context, pbxs int, incidents bool) (cfg *config.Config, example int64, stop func(), err error) {
	var loopback net.ListenConfig
	listener, err := loopback.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, 0, nil, fmt.Errorf("starting the demo's simulator: %w", err)
	}
	simulator := ycmtest.New(ycmtest.Options{PBXs: pbxs, Seed: 1, Live: true, Healthy: !incidents, ClientID: demoClientID, ClientSecret: demoClientSecret})
	server := &http.Server{Handler: simulator, ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	stop = func() {
		server.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			panic(fmt.Sprintf("the demo's simulator ended: %v", err))
		}
	}
	return demoConfig(&url.URL{Scheme: "http", Host: listener.Addr().String()}), simulator.IDs()[0], stop, nil
}

// demoConfig polls everything, and often enough that a fresh dashboard comes alive within a minute.
func demoConfig(simulator *url.URL) *config.Config {
	return &config.Config{
		Accounts: []config.Account{{
			Name:            "demo",
			BaseURL:         simulator,
			Credentials:     config.Credentials{ClientID: demoClientID, ClientSecret: secret.New(demoClientSecret)},
			RateLimit:       config.RateLimit{Burst: 3000, Rate: 3000, Interval: time.Minute},
			Timeout:         10 * time.Second,
			PageConcurrency: 4,
			HTTPClient:      promconfig.DefaultHTTPClientConfig,
		}},
		Collectors: demoCollectors(),
	}
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
