package collector

import (
	"bytes"
	"context"
	"flag"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/ycm-exporter/ycm_exporter/config"
	"github.com/ycm-exporter/ycm_exporter/exposition"
	"github.com/ycm-exporter/ycm_exporter/secret"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

var update = flag.Bool("update", false, "rewrite testdata/*.metrics")

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// pollFunc is a collector for tests of what surrounds it.
type pollFunc func(ctx context.Context) (exposition.Source, error)

func (f pollFunc) Poll(ctx context.Context, _ func(done, total int)) (exposition.Source, error) {
	return f(ctx)
}

// nothing is a snapshot without samples.
func nothing() exposition.Source { return &sheet{} }

// shelf is a Publisher that remembers its snapshots until they expire, as a set does.
type shelf struct {
	mu      sync.Mutex
	sources map[string]exposition.Source
	expires map[string]time.Time
}

func newShelf() *shelf {
	return &shelf{sources: map[string]exposition.Source{}, expires: map[string]time.Time{}}
}

func (s *shelf) Publish(_, collector string, src exposition.Source, expires time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sources[collector], s.expires[collector] = src, expires
	return nil
}

func (s *shelf) Extend(_, collector string, expires time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expires[collector] = expires
}

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
	if !time.Now().Before(s.expires[collector]) {
		return nil
	}
	return s.sources[collector]
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
	shelf    *shelf
	journal  *journal
	registry *prometheus.Registry
}

// newBench makes an account without collectors, whose client reaches nobody.
func newBench(t testing.TB) *bench {
	b := &bench{shelf: newShelf(), journal: &journal{}, registry: prometheus.NewPedanticRegistry()}
	b.Account = &Account{options: Options{
		Account: config.Account{Name: "main"},
		Out:     b.shelf,
		Metrics: NewMetrics(b.registry),
		Logger:  log.NewLogfmtLogger(b.journal),
	}}
	b.connect(t, &url.URL{Scheme: "https", Host: "ycm.example.com"}, &http.Transport{}, config.Collectors{})
	return b
}

// connect replaces the bench's account by one with a client of the YCM at a URL, and with collectors.
func (b *bench) connect(t testing.TB, ycm *url.URL, transport *http.Transport, collectors config.Collectors) {
	o := b.options
	o.Account.BaseURL, o.Collectors = ycm, collectors
	o.Client = ycmclient.New(ycmclient.Options{
		Account: o.Account.Name, BaseURL: ycm, ClientID: "demo-client-id", Secret: secret.Static(secret.New("demo-client-secret")),
		RateLimit: ycmclient.RateLimit{Burst: 100_000, Rate: 100_000, Interval: time.Minute}, Timeout: 30 * time.Second,
		PageConcurrency: 1, Transport: transport, UserAgent: "ycm_exporter/test",
		Observer: o.Metrics.Observer(o.Account.Name), Logger: log.NewNopLogger(),
	})
	t.Cleanup(transport.CloseIdleConnections)
	b.Account = NewAccount(o)
}

// every is an enabled schedule.
func every(interval, staleAfter time.Duration) config.Schedule {
	return config.Schedule{Enabled: true, Interval: interval, StaleAfter: staleAfter}
}

// start runs the account until stop, which returns when it has ended.
func start(a *Account) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		a.Run(ctx)
	}()
	return func() {
		cancel()
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
