package cli

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
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

// demo is a simulated or replayed YCM on loopback.
type demo struct {
	address *url.URL
	config  *config.Config // of accounts that export its fleet
	example int64          // the id of one of its PBXs, 0 if the fleet cannot be changed
	stop    func()
}

func (o options) startDemo(ctx context.Context) (*demo, error) {
	var handler http.Handler
	d, accounts := &demo{}, 0
	if o.replay == "" {
		simulator := ycmtest.New(ycmtest.Options{PBXs: o.demoPBXs, Seed: 1, Live: true, Healthy: !o.incidents, ClientID: demoClientID, ClientSecret: demoClientSecret})
		handler, d.example = simulator, simulator.IDs()[0]
	} else {
		captured, err := capture.Open(o.replay)
		if err != nil {
			return nil, fmt.Errorf("--demo.replay: %w", err)
		}
		replay, err := ycmtest.NewReplay(captured)
		if err != nil {
			return nil, fmt.Errorf("--demo.replay: %s: %w", o.replay, err)
		}
		handler, accounts = replay, replay.Accounts()
	}
	var loopback net.ListenConfig
	listener, err := loopback.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("starting the demo's simulator: %w", err)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	d.stop = func() {
		server.Close()
		<-served
	}
	d.address = &url.URL{Scheme: "http", Host: listener.Addr().String()}
	d.config = demoConfig(d.address, accounts, o.demoFast)
	return d, nil
}

// welcome shows a new user what to open, and what to try.
func (o options) welcome(d *demo) (string, error) {
	site, err := o.web.Site()
	if err != nil {
		return "", err
	}
	here, fleet, try := "http://", "the fleet of the capture "+o.replay, ""
	if *o.serve.WebConfigFile != "" {
		here = "https://"
	}
	if here += (*o.serve.WebListenAddresses)[0]; strings.HasPrefix((*o.serve.WebListenAddresses)[0], ":") {
		here = strings.Replace(here, "://", "://localhost", 1)
	}
	if o.replay == "" {
		fleet = fmt.Sprintf("a simulated fleet of %d Cloud PBXs", o.demoPBXs)
		try = fmt.Sprintf("Stop a PBX, to see it in the metrics, with:\n  curl -X POST '%s/sim/pbx/%d/status?value=Stopped'\n", d.address, d.example)
	}
	return fmt.Sprintf("The demo exports %s. Open:\n  %s    what Prometheus scrapes\n  %s     each account and collector\n%sEnd the demo with Ctrl-C.\n",
		fleet, here+site.Path(o.web.TelemetryPath), here+site.Path("/status"), try), nil
}

// demoConfig polls everything, and often enough that a new dashboard shows something within a minute.
func demoConfig(simulator *url.URL, accounts int, fast bool) *config.Config {
	cfg := &config.Config{Collectors: config.DefaultCollectors()}
	for i := range cfg.Collectors {
		c := &cfg.Collectors[i]
		c.Schedule = collector.Schedule{
			Enabled:    true,
			Interval:   max(min(c.Schedule.Interval/4, time.Minute), c.Schedule.Interval/288),
			StaleAfter: 10 * time.Minute,
		}
		if fast {
			c.Schedule.Interval = 3 * time.Second
		}
		if s, ok := c.Settings.(interface{ ShowAll() }); ok {
			s.ShowAll()
		}
	}
	for n := range max(1, accounts) {
		account := config.Account{
			Name:            "demo",
			BaseURL:         simulator,
			Credentials:     config.Credentials{ClientID: demoClientID, ClientSecret: secret.New(demoClientSecret)},
			RateLimit:       config.RateLimit{Burst: 60_000, Rate: 60_000, Interval: time.Minute},
			Timeout:         10 * time.Second,
			PageConcurrency: 4,
			HTTPClient:      promconfig.DefaultHTTPClientConfig,
		}
		if accounts > 0 { // Of a replay, each at a path of its own.
			account.BaseURL = simulator.JoinPath(strconv.Itoa(n + 1))
		}
		if n > 0 {
			account.Name = fmt.Sprintf("demo-%d", n+1)
		}
		cfg.Accounts = append(cfg.Accounts, account)
	}
	return cfg
}
