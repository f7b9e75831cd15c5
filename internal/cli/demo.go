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

// welcomeText has the fleet, the URLs of the status page and of the metrics, and what to try.
const welcomeText = `
The demo exports %s. Open:
  %s     state of each account and collector
  %s    metrics for Prometheus
All collectors are enabled and poll more often than by default: cloud_pbx every 15s, trunks every 1m.
%s
To see the dashboards and alerts, run "docker compose up --build" in deploy/compose and open http://localhost:3000,
or scrape the metrics with your own Prometheus, load alerts/ycm.*.yml, and import dashboards/*.json into Grafana.
Press Ctrl-C to stop the demo.
`

// startDemo starts a simulated or replayed YCM on loopback. It returns the configuration of accounts that export its fleet, and
// what a new user can open and try.
func (o options) startDemo(ctx context.Context) (cfg *config.Config, welcome string, stop func(), err error) {
	var loopback net.ListenConfig
	listener, err := loopback.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", nil, fmt.Errorf("starting the demo's simulator: %w", err)
	}
	address := &url.URL{Scheme: "http", Host: listener.Addr().String()}
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second}
	fleet, try, accounts := "", "", 0
	if o.replay == "" {
		simulator := ycmtest.New(ycmtest.Options{PBXs: o.demoPBXs, Seed: 1, Live: true, Healthy: !o.incidents, ClientID: demoClientID, ClientSecret: demoClientSecret})
		server.Handler, fleet = simulator, fmt.Sprintf("a simulated fleet of %d Cloud PBXs", o.demoPBXs)
		try = fmt.Sprintf("\nTo stop a PBX:\n  curl -X POST '%[1]s/sim/pbx/%[2]d/status?value=Stopped'\nTo start it again:\n  curl -X POST '%[1]s/sim/pbx/%[2]d/status?value=Running'\n", address, simulator.IDs()[0])
	} else {
		captured, err := capture.Open(o.replay)
		if err != nil {
			return nil, "", nil, fmt.Errorf("--demo.replay: %w", err)
		}
		replay, err := ycmtest.NewReplay(captured)
		if err != nil {
			return nil, "", nil, fmt.Errorf("--demo.replay: %s: %w", o.replay, err)
		}
		server.Handler, fleet, accounts = replay, "the fleet of the capture "+o.replay, replay.Accounts()
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	stop = func() {
		server.Close()
		<-served
	}
	here := "http://"
	if *o.serve.WebConfigFile != "" {
		here = "https://"
	}
	if port, found := strings.CutPrefix((*o.serve.WebListenAddresses)[0], ":"); found {
		here += "localhost:" + port
	} else {
		here += (*o.serve.WebListenAddresses)[0]
	}
	welcome = fmt.Sprintf(welcomeText, fleet, here+o.site.Path("/status"), here+o.site.Path(o.web.TelemetryPath), try)
	return demoConfig(address, accounts), welcome, stop, nil
}

// demoConfig polls everything, and often enough that a new dashboard shows something within a minute.
func demoConfig(simulator *url.URL, accounts int) *config.Config {
	cfg := &config.Config{Collectors: config.DefaultCollectors()}
	for i := range cfg.Collectors {
		c := &cfg.Collectors[i]
		c.Schedule = collector.Schedule{
			Enabled:    true,
			Interval:   max(min(c.Schedule.Interval/4, time.Minute), c.Schedule.Interval/288),
			StaleAfter: 10 * time.Minute,
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
