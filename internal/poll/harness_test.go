package poll

import (
	"bytes"
	"context"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
	"go.yaml.in/yaml/v3"

	"github.com/ycm-exporter/ycm_exporter/collector"
	"github.com/ycm-exporter/ycm_exporter/internal/exposition"
	"github.com/ycm-exporter/ycm_exporter/internal/secret"
	"github.com/ycm-exporter/ycm_exporter/internal/series"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// plan is what is configured of collectors, by their names.
type plan map[string]setting

// setting is a schedule, and settings as they are written in a configuration file.
type setting struct {
	collector.Schedule
	yaml string
}

// every is an enabled schedule.
func every(interval, staleAfter time.Duration) setting {
	return setting{Schedule: collector.Schedule{Enabled: true, Interval: interval, StaleAfter: staleAfter}}
}

func (s setting) with(yaml string) setting {
	s.yaml = yaml
	return s
}

// everything enables all collectors that query YCM alone.
func everything() plan {
	hourly := every(time.Hour, 3*time.Hour)
	return plan{"cloud_pbx": hourly, "firmware": hourly, "subscription": hourly, "users": hourly}
}

// everythingOfPBXs enables those that query the PBXs too.
func everythingOfPBXs() plan {
	hourly := every(time.Hour, 3*time.Hour)
	return everything().with("pbx_api", hourly).with("trunks", hourly).with("autoprovisioning", hourly.with("depth: full"))
}

// configured is every collector, switched off unless the plan has it.
func (p plan) configured() (all []collector.Configured) {
	for _, c := range collector.All() {
		configured := collector.Configured{Collector: c, Schedule: p[c.Name].Schedule}
		if c.Settings != nil {
			configured.Settings = c.Settings()
			if err := yaml.Unmarshal([]byte(p[c.Name].yaml), configured.Settings); err != nil {
				panic(err)
			}
		}
		all = append(all, configured)
	}
	return all
}

// fake is a collector for tests of what surrounds it: it learns nothing that could be kept.
type fake func(ctx context.Context) (exposition.Source, error)

func (f fake) Poll(ctx context.Context, _ func(done, total int)) (exposition.Source, error) {
	return f(ctx)
}
func (fake) TakeOver(collector.Poller) exposition.Source     { return nil }
func (fake) Save(func(any) error) error                      { return nil }
func (fake) Load(func(any) error) (exposition.Source, error) { return nil, nil }

// nothing is a snapshot without samples.
func nothing() exposition.Source { return series.Join() }

// shelf is a Publisher that remembers its snapshots until they expire, as a set does. Whatever a test looks at is
// verified, as a set does it with all that is published.
type shelf struct {
	t       testing.TB
	mu      sync.Mutex
	sources map[string]exposition.Source
	expires map[string]time.Time
}

func newShelf(t testing.TB) *shelf {
	return &shelf{t: t, sources: map[string]exposition.Source{}, expires: map[string]time.Time{}}
}

func (s *shelf) Publish(_, collector string, src exposition.Source, expires time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sources[collector], s.expires[collector] = src, expires
	return nil
}

func newSet() *exposition.Set { return exposition.NewSet(prometheus.NewRegistry(), log.NewNopLogger()) }

func (s *shelf) Withdraw(_, collector string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sources, collector)
	delete(s.expires, collector)
}

// serves is what a scrape would find of a collector now, or nil.
func (s *shelf) serves(collector string) exposition.Source {
	s.mu.Lock()
	defer s.mu.Unlock()
	source := s.sources[collector]
	if source == nil || !time.Now().Before(s.expires[collector]) {
		return nil
	}
	if err := newSet().Publish("main", collector, source, time.Now().Add(time.Hour)); err != nil {
		s.t.Errorf("a set refuses the snapshot of %s: %v", collector, err)
	}
	return source
}

// journal is a logger's output.
type journal struct {
	mu    sync.Mutex
	lines bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.lines.Write(p)
}

// with returns the lines that have all of the parts.
func (j *journal) with(parts ...string) []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	var found []string
next:
	for line := range strings.Lines(j.lines.String()) {
		for _, part := range parts {
			if !strings.Contains(line, part) {
				continue next
			}
		}
		found = append(found, strings.TrimSpace(line))
	}
	return found
}

// bench is an account, and what it writes to.
type bench struct {
	*Account
	plan     plan
	shelf    *shelf
	journal  *journal
	registry *prometheus.Registry
}

// newBench makes an account without collectors, whose client reaches no server.
func newBench(t testing.TB) *bench {
	b := &bench{shelf: newShelf(t), journal: &journal{}, registry: prometheus.NewPedanticRegistry()}
	b.Account = &Account{options: Options{
		Account:   "main",
		Publisher: b.shelf,
		Metrics:   NewMetrics(b.registry),
		Logger:    log.NewLogfmtLogger(b.journal),
	}}
	b.connect(t, &url.URL{Scheme: "https", Host: "ycm.example.com"}, &http.Transport{}, plan{})
	return b
}

// connect replaces the bench's account by one with a client of the YCM at a URL, and with collectors.
func (b *bench) connect(t testing.TB, ycm *url.URL, transport *http.Transport, p plan) {
	b.options.BaseURL = ycm
	b.options.Client = ycmclient.New(ycmclient.Options{
		Servers: ycmclient.NewServers(nil),
		Account: "main", BaseURL: ycm, ClientID: "demo-client-id", Secret: secret.Static(secret.New("demo-client-secret")),
		RateLimit: ycmclient.RateLimit{Burst: 100_000, Rate: 100_000, Interval: time.Minute}, Timeout: 30 * time.Second,
		PageConcurrency: 1, Transport: transport, UserAgent: "ycm_exporter/test",
		Observer: b.options.Metrics.Observer("main"), Logger: log.NewNopLogger(),
	})
	t.Cleanup(transport.CloseIdleConnections)
	b.configure(p)
}

// configure replaces the account by one with other collectors, which knows nothing yet.
func (b *bench) configure(p plan) {
	b.plan, b.options.Collectors = p, p.configured()
	b.Account = NewAccount(b.options)
}

// reload replaces the account, which has ended, by one with other collectors that continues where it was.
func (b *bench) reload(p plan) {
	old := b.Account
	b.configure(p)
	b.Inherit(old, true)
}

// with is the plan with one collector configured otherwise.
func (p plan) with(name string, s setting) plan {
	p = maps.Clone(p)
	p[name] = s
	return p
}

// add gives the account a collector of a test's own.
func (b *bench) add(name string, s setting, poll fake) *job { return b.addPoller(name, s, poll) }

func (b *bench) addPoller(name string, s setting, poll collector.Poller) *job {
	b.options.Collectors = append(b.options.Collectors, collector.Configured{
		Collector: collector.Collector{Name: name, New: func(collector.Account) collector.Poller { return poll }},
		Schedule:  s.Schedule,
	})
	b.Account = NewAccount(b.options)
	return b.jobs[len(b.jobs)-1]
}

// start runs the account until stop, which returns when it has ended.
func start(a *Account) (stop func()) {
	end := startUntil(a)
	return func() { end(nil) }
}

// startUntil runs the account until end is called with the cause.
func startUntil(a *Account) (end func(cause error)) {
	ctx, cancel := context.WithCancelCause(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		a.Run(ctx)
	}()
	return func(cause error) {
		cancel(cause)
		<-done
	}
}

// value is the value of a series as a scrape shows it, or "".
func value(t *testing.T, gatherer prometheus.Gatherer, series string) string {
	t.Helper()
	for line := range strings.Lines(text(t, gatherer)) {
		if rest, ok := strings.CutPrefix(line, series+" "); ok {
			return strings.TrimSpace(rest)
		}
	}
	return ""
}
