package poll

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"

	"github.com/ycm-exporter/ycm_exporter/collector"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// exercise makes every self metric of an account appear.
func exercise(m *Metrics, account string) {
	list := plan{"cloud_pbx": every(time.Minute, time.Hour)}.configured()
	m.begin(account, ycmclient.RateLimitState{PerSecond: 1.25}, list)
	j := &job{Options: Options{Account: account}, Configured: list[slices.IndexFunc(list, func(c collector.Configured) bool { return c.Schedule.Enabled })]}
	j.result, j.status = yeastar.OK, CollectorStatus{Duration: 3 * time.Second, LastSuccess: time.UnixMilli(1_700_000_000_500)}
	m.polls.WithLabelValues(account, "cloud_pbx", string(j.result)).Inc()
	m.export(j)
	o := m.Observer(account)
	o.Request("regions", yeastar.OK, 200*time.Millisecond)
	o.Retry(yeastar.Timeout)
	o.RateLimitWait(1500 * time.Millisecond)
	o.Unexpected("activeCalls")
	o.Login("refresh_token", yeastar.OK)
	o.TokenExpires(time.Unix(1_700_001_800, 0))
	o.Repair()
	o.Mismatch()
	o.Unconfirmed(true)
}

// Dashboards and alerts are built on these names, labels and values.
func TestSelfMetrics(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	exercise(NewMetrics(registry), "main")
	want := `
ycm_api_logins_total{account="main",grant="refresh_token",result="ok"} 1
ycm_api_rate_limit_requests_per_second{account="main"} 1.25
ycm_api_rate_limit_wait_seconds_total{account="main"} 1.5
ycm_api_request_duration_seconds_count{account="main",endpoint="regions"} 1
ycm_api_request_duration_seconds_sum{account="main",endpoint="regions"} 0.2
ycm_api_requests_total{account="main",endpoint="regions",result="ok"} 1
ycm_api_retries_total{account="main",reason="network"} 0
ycm_api_retries_total{account="main",reason="rate_limited"} 0
ycm_api_retries_total{account="main",reason="server"} 0
ycm_api_retries_total{account="main",reason="timeout"} 1
ycm_api_token_expiration_timestamp_seconds{account="main"} 1.7000018e+09
ycm_api_unexpected_values_total{account="main",field="activeCalls"} 1
ycm_cloud_pbxs_unconfirmed{account="main"} 1
ycm_collector_duration_seconds{account="main",collector="cloud_pbx"} 3
ycm_collector_interval_seconds{account="main",collector="cloud_pbx"} 60
ycm_collector_last_success_timestamp_seconds{account="main",collector="cloud_pbx"} 1.7000000005e+09
ycm_collector_polls_total{account="main",collector="cloud_pbx",result="ok"} 1
ycm_collector_restored{account="main",collector="cloud_pbx"} 0
ycm_collector_success{account="main",collector="cloud_pbx"} 1
ycm_up{account="main"} 1
ycm_walk_mismatches_total{account="main"} 1
ycm_walk_repairs_total{account="main"} 1
`
	var got []string
	zeros := 0
	for line := range strings.Lines(text(t, registry)) {
		switch {
		case strings.HasPrefix(line, "#") || strings.Contains(line, "_bucket{"):
		case strings.Contains(line, `result="`) && strings.HasSuffix(line, " 0\n"):
			zeros++
		default:
			got = append(got, line)
		}
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, "\n"+strings.Join(got, "")); diff != "" {
		t.Errorf("self metrics (-want +got):\n%s", diff)
	}
	// Each result is there from the start, so that the first of its kind is an increase: of requests by endpoint, and of logins
	// by grant. One of each has been counted.
	endpoints := map[string]bool{ycmclient.EndpointToken: true}
	for _, c := range collector.All() {
		for _, endpoint := range c.Endpoints {
			endpoints[endpoint] = true
		}
	}
	if due := (len(endpoints)+3)*len(yeastar.Classes()) - 3; zeros != due {
		t.Errorf("%d results are there with 0, want %d", zeros, due)
	}
}

func TestRequestDurationsAreBothKindsOfHistogram(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	exercise(NewMetrics(registry), "main")
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(families, func(f *dto.MetricFamily) bool {
		return f.GetName() == "ycm_api_request_duration_seconds"
	})
	h := families[i].GetMetric()[0].GetHistogram()
	if len(h.GetBucket()) == 0 {
		t.Error("there are no classic buckets")
	}
	if len(h.GetPositiveSpan()) == 0 {
		t.Error("there are no native buckets")
	}
}

func TestForgetDropsAnAccountAlone(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	m := NewMetrics(registry)
	exercise(m, "kept")
	before := text(t, registry)
	exercise(m, "gone")
	m.Forget("gone")
	if diff := cmp.Diff(before, text(t, registry)); diff != "" {
		t.Errorf("what is left after an account came and went (-before +after):\n%s", diff)
	}
}

// A collector that a reload switches off must not look well any longer.
func TestCollectorSwitchedOffLeavesNoSeries(t *testing.T) {
	b := newBench(t)
	exercise(b.options.Metrics, "main")
	b.options.Metrics.begin("main", ycmclient.RateLimitState{}, plan{}.configured())
	for line := range strings.Lines(text(t, b.registry)) {
		if strings.HasPrefix(line, "ycm_up") || strings.Contains(line, `collector="`) {
			t.Errorf("the collector is switched off, but there is %s", line)
		}
	}
}

func TestWithoutTokenThereIsNoExpiration(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	m := NewMetrics(registry)
	exercise(m, "main")
	m.Observer("main").TokenExpires(time.Time{})
	if got := value(t, registry, `ycm_api_token_expiration_timestamp_seconds{account="main"}`); got != "" {
		t.Errorf("the expiration of no token is %s, want none", got)
	}
}

func TestSelfMetricsLint(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	exercise(NewMetrics(registry), "main")
	problems, err := testutil.GatherAndLint(registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}
