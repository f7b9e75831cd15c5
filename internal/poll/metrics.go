package poll

import (
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/ycm-exporter/ycm_exporter/collector"
	"github.com/ycm-exporter/ycm_exporter/internal/series"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// Metrics is what the exporter exports about its own polling, for all accounts.
type Metrics struct {
	up, success, duration, interval, lastSuccess, restored, sweep *prometheus.GaugeVec
	polls, pbxPolls                                               *prometheus.CounterVec

	requests, retries, limitWait, unexpected, logins, repairs, mismatches *prometheus.CounterVec
	latency                                                               *prometheus.HistogramVec
	allowedRate, demand, tokenEnds, unconfirmed                           *prometheus.GaugeVec

	all []*prometheus.MetricVec // each has the label account
}

// NewMetrics makes the metrics and registers them.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m, auto := &Metrics{}, promauto.With(reg)
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		v := auto.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
		m.all = append(m.all, v.MetricVec)
		return v
	}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		v := auto.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
		m.all = append(m.all, v.MetricVec)
		return v
	}
	m.up = gauge("ycm_up",
		"Whether the last poll of the PBX list succeeded (1) or not (0); absent before the first poll has ended.", "account")
	m.success = gauge("ycm_collector_success",
		"Whether the last poll of the collector succeeded (1) or not (0).", "account", "collector")
	m.duration = gauge("ycm_collector_duration_seconds",
		"Duration of the last poll of the collector, in seconds, including waits for the rate limit.", "account", "collector")
	m.interval = gauge("ycm_collector_interval_seconds",
		"Configured interval between the starts of two polls or sweeps of the collector, in seconds.", "account", "collector")
	m.lastSuccess = gauge("ycm_collector_last_success_timestamp_seconds",
		"Unix time at which the last successful poll of the collector ended.", "account", "collector")
	m.restored = gauge("ycm_collector_restored",
		"Whether the collector exports a snapshot from before a restart of the exporter (1) or not (0).", "account", "collector")
	m.polls = counter("ycm_collector_polls_total",
		"Total number of finished polls of the collector, by result.", "account", "collector", "result")
	m.sweep = gauge("ycm_collector_sweep_duration_seconds",
		"Duration of the last complete sweep of all PBXs, in seconds; absent before the first. Longer than the interval if the rate limit is too low.", "account", "collector")
	m.pbxPolls = counter("ycm_collector_pbx_polls_total",
		"Total number of PBX polls by the collector, by result.", "account", "collector", "result")
	m.requests = counter("ycm_api_requests_total",
		"Total number of HTTP requests to the YCM API, including retries and token requests, by result.", "account", "endpoint", "result")
	m.latency = auto.NewHistogramVec(prometheus.HistogramOpts{
		Name:                            "ycm_api_request_duration_seconds",
		Help:                            "Duration of HTTP requests to the YCM API, in seconds, without waits for the rate limit.",
		Buckets:                         []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		NativeHistogramBucketFactor:     1.1,
		NativeHistogramMaxBucketNumber:  100,
		NativeHistogramMinResetDuration: time.Hour,
	}, []string{"account", "endpoint"})
	m.retries = counter("ycm_api_retries_total",
		"Total number of retried requests to the YCM API, by reason.", "account", "reason")
	m.limitWait = counter("ycm_api_rate_limit_wait_seconds_total",
		"Total time that requests to the YCM API waited for the rate limit, in seconds.", "account")
	m.unexpected = counter("ycm_api_unexpected_values_total",
		"Total number of invalid values in YCM API responses, by field. Invalid values are not exported.", "account", "field")
	m.tokenEnds = gauge("ycm_api_token_expiration_timestamp_seconds",
		"Unix time at which the access token expires; absent without a token.", "account")
	m.logins = counter("ycm_api_logins_total",
		"Total number of access token requests to the YCM API, by grant type and result.", "account", "grant", "result")
	m.repairs = counter("ycm_walk_repairs_total",
		"Total number of PBX list walks that needed a repair: a missing PBX was queried by its id, or the list was walked again.", "account")
	m.mismatches = counter("ycm_walk_mismatches_total",
		"Total number of PBX list walks exported although the total reported by YCM differs from the number of listed PBXs.", "account")
	m.unconfirmed = gauge("ycm_cloud_pbxs_unconfirmed",
		"Whether the last walk lacks so many known PBXs that it awaits confirmation by further walks (1) or not (0). Until then, the previous list is exported.", "account")
	m.allowedRate = gauge("ycm_api_rate_limit_requests_per_second",
		"Current rate limit, in requests per second. Lower than configured after YCM refused requests because another client shares the Client ID.", "account")
	m.demand = gauge("ycm_api_demand_requests_per_second",
		"Average rate that the configured intervals need, in requests per second; absent before the first poll of the PBX list. Above 80 % of the rate limit, sweeps take longer than their intervals.", "account")
	m.all = append(m.all, m.latency.MetricVec)
	return m
}

// begin starts the counters of an account that is about to poll at 0, so that an alert does not miss their first increase, and
// drops the series of collectors that are not enabled.
func (m *Metrics) begin(account string, limit ycmclient.RateLimitState, collectors []collector.Configured) {
	startResults := func(counter *prometheus.CounterVec, labels ...string) {
		for _, result := range yeastar.Classes() {
			counter.WithLabelValues(slices.Concat([]string{account}, labels, []string{string(result)})...)
		}
	}
	m.allowedRate.WithLabelValues(account).Set(limit.PerSecond)
	m.limitWait.WithLabelValues(account)
	m.repairs.WithLabelValues(account)
	m.mismatches.WithLabelValues(account)
	m.unconfirmed.WithLabelValues(account)
	for _, reason := range []yeastar.Class{yeastar.Network, yeastar.Timeout, yeastar.Server, yeastar.RateLimited} {
		m.retries.WithLabelValues(account, string(reason))
	}
	startResults(m.logins, "client_credentials")
	startResults(m.logins, "refresh_token")
	startResults(m.requests, ycmclient.EndpointToken)
	for _, c := range collectors {
		for _, endpoint := range c.Endpoints {
			startResults(m.requests, endpoint)
		}
		if !c.Schedule.Enabled {
			m.drop(prometheus.Labels{"account": account, "collector": c.Name})
			if c.Name == collector.CloudPBX {
				m.up.DeleteLabelValues(account)
			}
			continue
		}
		m.interval.WithLabelValues(account, c.Name).Set(c.Schedule.Interval.Seconds())
		m.restored.WithLabelValues(account, c.Name)
		startResults(m.polls, c.Name)
		if c.QueriesPBXs {
			startResults(m.pbxPolls, c.Name)
		}
	}
}

// Forget drops every series of an account that is no longer polled.
func (m *Metrics) Forget(account string) { m.drop(prometheus.Labels{"account": account}) }

func (m *Metrics) drop(labels prometheus.Labels) {
	for _, vector := range m.all {
		vector.DeletePartialMatch(labels)
	}
}

// export exports the polls of a collector. The job's lock must be held.
func (m *Metrics) export(j *job) {
	m.restored.WithLabelValues(j.Account, j.Name).Set(series.Boolean(j.status.Restored))
	if !j.status.LastSuccess.IsZero() {
		m.lastSuccess.WithLabelValues(j.Account, j.Name).Set(float64(j.status.LastSuccess.UnixMilli()) / 1000)
	}
	if j.result == "" { // No poll has ended since the start.
		return
	}
	m.duration.WithLabelValues(j.Account, j.Name).Set(j.status.Duration.Seconds())
	m.exportSuccess(j.Account, j.Name, j.result == yeastar.OK)
	if j.sweeper != nil && j.sweeper.Duration() > 0 {
		m.sweep.WithLabelValues(j.Account, j.Name).Set(j.sweeper.Duration().Seconds())
	}
}

func (m *Metrics) exportSuccess(account, name string, succeeded bool) {
	m.success.WithLabelValues(account, name).Set(series.Boolean(succeeded))
	if name == collector.CloudPBX {
		m.up.WithLabelValues(account).Set(series.Boolean(succeeded))
	}
}

// observer counts what an account's client does. It is a ycmclient.Observer.
type observer struct {
	account string
	*Metrics
}

// Observer returns what counts the requests of an account's client.
func (m *Metrics) Observer(account string) ycmclient.Observer { return observer{account, m} }

func (o observer) Request(endpoint string, result yeastar.Class, took time.Duration) {
	o.requests.WithLabelValues(o.account, endpoint, string(result)).Inc()
	o.latency.WithLabelValues(o.account, endpoint).Observe(took.Seconds())
}

func (o observer) Retry(reason yeastar.Class) {
	o.retries.WithLabelValues(o.account, string(reason)).Inc()
}

func (o observer) RateLimitWait(d time.Duration) {
	o.limitWait.WithLabelValues(o.account).Add(max(0, d.Seconds()))
}

func (o observer) Unexpected(field string) { o.unexpected.WithLabelValues(o.account, field).Inc() }

func (o observer) Login(grant string, result yeastar.Class) {
	o.logins.WithLabelValues(o.account, grant, string(result)).Inc()
}

// TokenExpires gets the zero time when there is no token.
func (o observer) TokenExpires(at time.Time) {
	if at.IsZero() {
		o.tokenEnds.DeleteLabelValues(o.account)
		return
	}
	o.tokenEnds.WithLabelValues(o.account).Set(float64(at.Unix()))
}

func (o observer) Repair()   { o.repairs.WithLabelValues(o.account).Inc() }
func (o observer) Mismatch() { o.mismatches.WithLabelValues(o.account).Inc() }

func (o observer) Unconfirmed(now bool) {
	o.unconfirmed.WithLabelValues(o.account).Set(series.Boolean(now))
}
