package poll

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/ycm-exporter/ycm_exporter/collector"
	"github.com/ycm-exporter/ycm_exporter/internal/series"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// Metrics is what the exporter tells about its own polling, for all accounts.
type Metrics struct {
	up          *prometheus.GaugeVec
	success     *prometheus.GaugeVec
	duration    *prometheus.GaugeVec
	interval    *prometheus.GaugeVec
	lastSuccess *prometheus.GaugeVec
	restored    *prometheus.GaugeVec
	polls       *prometheus.CounterVec
	sweep       *prometheus.GaugeVec
	pbxPolls    *prometheus.CounterVec

	requests    *prometheus.CounterVec
	latency     *prometheus.HistogramVec
	retries     *prometheus.CounterVec
	limitWait   *prometheus.CounterVec
	unexpected  *prometheus.CounterVec
	tokenEnds   *prometheus.GaugeVec
	logins      *prometheus.CounterVec
	repairs     *prometheus.CounterVec
	mismatches  *prometheus.CounterVec
	unconfirmed *prometheus.GaugeVec

	limits *limits
}

// NewMetrics makes the metrics and registers them.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	auto := promauto.With(reg)
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		return auto.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
	}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return auto.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	m := &Metrics{
		up: gauge("ycm_up",
			"Whether the last walk of the list of Cloud PBXs succeeded (1) or not (0); absent before the first one ended.", "account"),
		success: gauge("ycm_collector_success",
			"Whether the collector's last poll succeeded (1) or not (0).", "account", "collector"),
		duration: gauge("ycm_collector_duration_seconds",
			"Duration of the collector's last poll, including waits for the rate limit.", "account", "collector"),
		interval: gauge("ycm_collector_interval_seconds",
			"Configured time from the start of one poll of the collector to the start of the next, or of its sweeps.", "account", "collector"),
		lastSuccess: gauge("ycm_collector_last_success_timestamp_seconds",
			"Unix time at which the collector's last successful poll ended.", "account", "collector"),
		restored: gauge("ycm_collector_restored",
			"Whether what is served of the collector is what was known before a restart of the exporter (1) or not (0); it is as old as ycm_collector_last_success_timestamp_seconds says.", "account", "collector"),
		polls: counter("ycm_collector_polls_total",
			"Polls of the collector that have ended, by result.", "account", "collector", "result"),
		sweep: gauge("ycm_collector_sweep_duration_seconds",
			"Duration of the collector's last complete sweep of all PBXs, absent before the first; exceeds the interval where the rate limit is too low for it.", "account", "collector"),
		pbxPolls: counter("ycm_collector_pbx_polls_total",
			"PBXs that the collector asked, each time it asked one, by result.", "account", "collector", "result"),
		requests: counter("ycm_api_requests_total",
			"HTTP requests sent to the YCM API, retries and token requests included, by result.", "account", "endpoint", "result"),
		latency: auto.NewHistogramVec(prometheus.HistogramOpts{
			Name:                            "ycm_api_request_duration_seconds",
			Help:                            "Duration of HTTP requests to the YCM API, without waits for the rate limit.",
			Buckets:                         []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 30},
			NativeHistogramBucketFactor:     1.1,
			NativeHistogramMaxBucketNumber:  100,
			NativeHistogramMinResetDuration: time.Hour,
		}, []string{"account", "endpoint"}),
		retries: counter("ycm_api_retries_total",
			"Requests to the YCM API that were sent again, by the reason.", "account", "reason"),
		limitWait: counter("ycm_api_rate_limit_wait_seconds_total",
			"Time that requests to the YCM API waited for the account's rate limit.", "account"),
		unexpected: counter("ycm_api_unexpected_values_total",
			"Values of the YCM API that could not be understood and so have no sample, by field.", "account", "field"),
		tokenEnds: gauge("ycm_api_token_expiration_timestamp_seconds",
			"Unix time at which the account's access token expires.", "account"),
		logins: counter("ycm_api_logins_total",
			"Requests for an access token of the YCM API, by grant type and result.", "account", "grant", "result"),
		repairs: counter("ycm_walk_repairs_total",
			"Walks of the list of Cloud PBXs that had to be mended: a PBX missed was found by its id, or the list was walked again.", "account"),
		mismatches: counter("ycm_walk_mismatches_total",
			"Walks that were served although YCM's total and its list of Cloud PBXs disagree, as two readings of the list found.", "account"),
		unconfirmed: gauge("ycm_cloud_pbxs_unconfirmed",
			"Whether the latest walk misses so many Cloud PBXs that it is not served before more walks agree (1) or not (0); what is served is older then.", "account"),
		limits: &limits{read: map[string]func() ycmclient.RateLimitState{}},
	}
	reg.MustRegister(m.limits)
	return m
}

// vectors is every metric that is kept by account.
func (m *Metrics) vectors() []interface {
	DeletePartialMatch(prometheus.Labels) int
} {
	return []interface {
		DeletePartialMatch(prometheus.Labels) int
	}{
		m.up, m.success, m.duration, m.interval, m.lastSuccess, m.restored, m.polls, m.sweep, m.pbxPolls, m.requests, m.latency, m.retries,
		m.limitWait, m.unexpected, m.tokenEnds, m.logins, m.repairs, m.mismatches, m.unconfirmed,
	}
}

// Track exports an account's rate limit, read at each scrape, and starts those counters of the account at 0 whose first
// increase an alert must not miss.
func (m *Metrics) Track(account string, limit func() ycmclient.RateLimitState) {
	m.limits.set(account, limit)
	m.limitWait.WithLabelValues(account)
	m.repairs.WithLabelValues(account)
	m.mismatches.WithLabelValues(account)
	m.unconfirmed.WithLabelValues(account)
	for _, reason := range []yeastar.Class{yeastar.Network, yeastar.Timeout, yeastar.Server, yeastar.RateLimited} {
		m.retries.WithLabelValues(account, string(reason))
	}
	for _, result := range yeastar.Classes() {
		for _, grant := range []string{"client_credentials", "refresh_token"} {
			m.logins.WithLabelValues(account, grant, string(result))
		}
	}
	m.start(account, ycmclient.EndpointToken)
}

// start starts the counters of an endpoint's requests at 0.
func (m *Metrics) start(account, endpoint string) {
	for _, result := range yeastar.Classes() {
		m.requests.WithLabelValues(account, endpoint, string(result))
	}
}

// Forget drops every series of an account that is polled no longer.
func (m *Metrics) Forget(account string) {
	m.limits.set(account, nil)
	for _, vector := range m.vectors() {
		vector.DeletePartialMatch(prometheus.Labels{"account": account})
	}
}

// begin starts the counters of the collectors that an account is about to poll, and drops the series of those that are not
// enabled.
func (m *Metrics) begin(account string, collectors []collector.Configured) {
	for _, c := range collectors {
		for _, endpoint := range c.Endpoints {
			m.start(account, endpoint)
		}
		if c.Schedule.Enabled {
			m.interval.WithLabelValues(account, c.Name).Set(c.Schedule.Interval.Seconds())
			for _, result := range yeastar.Classes() {
				m.polls.WithLabelValues(account, c.Name, string(result))
				if c.QueriesPBXs {
					m.pbxPolls.WithLabelValues(account, c.Name, string(result))
				}
			}
			m.restored.WithLabelValues(account, c.Name)
			continue
		}
		for _, vector := range m.vectors() {
			vector.DeletePartialMatch(prometheus.Labels{"account": account, "collector": c.Name})
		}
		if c.Name == collector.CloudPBX {
			m.up.DeleteLabelValues(account)
		}
	}
}

// show exports how the polls of a collector go. The job's lock must be held.
func (m *Metrics) show(j *job) {
	m.restored.WithLabelValues(j.account, j.Name).Set(series.Boolean(j.status.Restored))
	if !j.status.LastSuccess.IsZero() {
		m.lastSuccess.WithLabelValues(j.account, j.Name).Set(float64(j.status.LastSuccess.UnixMilli()) / 1000)
	}
	if j.result == "" { // No poll has ended since the start.
		return
	}
	succeeded := series.Boolean(j.result == yeastar.OK)
	m.duration.WithLabelValues(j.account, j.Name).Set(j.status.Duration.Seconds())
	m.success.WithLabelValues(j.account, j.Name).Set(succeeded)
	if j.Name == collector.CloudPBX {
		m.up.WithLabelValues(j.account).Set(succeeded)
	}
	if sweeper, ok := j.sweeper(); ok {
		m.sweep.WithLabelValues(j.account, j.Name).Set(sweeper.Duration().Seconds())
	}
}

// limits exports the rate that each account is allowed at the moment of a scrape.
type limits struct {
	mu   sync.Mutex
	read map[string]func() ycmclient.RateLimitState
}

func (l *limits) set(account string, read func() ycmclient.RateLimitState) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if read == nil {
		delete(l.read, account)
		return
	}
	l.read[account] = read
}

var allowedRate = prometheus.NewDesc("ycm_api_rate_limit_requests_per_second",
	"Current request rate limit in requests per second; lower than configured while throttled because another client shares the Client ID.",
	[]string{"account"}, nil)

// Describe implements prometheus.Collector.
func (l *limits) Describe(descs chan<- *prometheus.Desc) { descs <- allowedRate }

// Collect implements prometheus.Collector.
func (l *limits) Collect(metrics chan<- prometheus.Metric) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for account, read := range l.read {
		metrics <- prometheus.MustNewConstMetric(allowedRate, prometheus.GaugeValue, read().PerSecond, account)
	}
}
