package app

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"time"

	promconfig "github.com/prometheus/common/config"

	"github.com/ycm-exporter/ycm_exporter/internal/capture"
	"github.com/ycm-exporter/ycm_exporter/internal/config"
	"github.com/ycm-exporter/ycm_exporter/internal/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// Clients makes the clients of accounts, for the daemon and the doctor alike.
type Clients struct {
	Servers  *ycmclient.Servers
	Recorder *capture.Recorder // of requests to YCM; nil: nothing is captured
}

// userAgent is required by YCM.
func userAgent() string { return "ycm_exporter/" + Version() }

// Options returns how an account's YCM and its PBXs with direct access are queried. The PBXs have the account's TLS and proxy
// settings, but not its headers, which are meant for YCM.
func (f Clients) Options(ctx context.Context, c config.Account) (ycm ycmclient.Options, pbxs []pbxclient.Options, err error) {
	transport, err := newTransport(ctx, c.Name, c.HTTPClient)
	if err != nil {
		return ycm, nil, err
	}
	ycm = ycmclient.Options{
		Account: c.Name, BaseURL: c.BaseURL, ClientID: c.ClientID, Secret: c.Secret(), HideTexts: c.HTTPClient.HTTPHeaders != nil, Servers: f.Servers, //nolint:contextcheck // A secret file has its own limit.
		RateLimit: ycmclient.RateLimit(c.RateLimit), Timeout: c.Timeout, PageConcurrency: c.PageConcurrency, Search: c.Search,
		Transport: f.Recorder.Transport(transport), UserAgent: userAgent(),
	}
	c.HTTPClient.HTTPHeaders = nil
	transport, err = newTransport(ctx, c.Name, c.HTTPClient)
	for _, p := range c.PBXs {
		pbxs = append(pbxs, pbxclient.Options{
			Account: c.Name, URL: p.URL, ClientID: p.ClientID, Secret: p.Secret(), Guard: f.Servers.Guard(p.URL), //nolint:contextcheck // A secret file has its own limit.
			Timeout: c.Timeout, Transport: transport, UserAgent: userAgent(),
		})
	}
	return ycm, pbxs, err
}

// Logins are those of the accounts and their PBXs.
func Logins(cfg *config.Config) (all []ycmclient.Login) {
	for _, c := range cfg.Accounts {
		all = append(all, ycmclient.Login{URL: c.BaseURL, ClientID: c.ClientID})
		for _, p := range c.PBXs {
			all = append(all, ycmclient.Login{URL: p.URL, ClientID: p.ClientID})
		}
	}
	return all
}

// connectionLife is how long connections are used: the server's name may have moved to another address.
const connectionLife = 5 * time.Minute

// renewedTransport sends requests through a transport that is replaced every 5 minutes, and by CloseIdleConnections: a connection that
// is busy never becomes idle, and one of HTTP/2 that is dead would be used again. It decompresses responses.
type renewedTransport struct {
	new func() (http.RoundTripper, error)

	mu      sync.Mutex
	current http.RoundTripper
	made    time.Time
}

// RoundTrip implements http.RoundTripper.
func (t *renewedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	current, err := t.transport()
	if err != nil {
		return nil, err
	}
	var resolving atomic.Bool
	response, err := current.RoundTrip(r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
		DNSStart: func(httptrace.DNSStartInfo) { resolving.Store(true) },
		DNSDone:  func(httptrace.DNSDoneInfo) { resolving.Store(false) },
	})))
	switch {
	case err == nil:
		yeastar.Decompress(response)
	case resolving.Load(): // The time-out of the request came first.
		err = &net.DNSError{Err: "no response in time", Name: r.URL.Hostname(), IsTimeout: true}
	}
	return response, err
}

func (t *renewedTransport) transport() (current http.RoundTripper, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if time.Since(t.made) >= connectionLife {
		t.drop()
	}
	if t.current == nil {
		t.current, err = t.new()
		t.made = time.Now()
	}
	return t.current, err
}

// CloseIdleConnections lets requests under way end, and the next one open a new connection.
func (t *renewedTransport) CloseIdleConnections() {
	if t.mu.TryLock() { // Else there will be a new transport anyway.
		defer t.mu.Unlock()
		t.drop()
	}
}

// drop drops the present transport. A connection that is busy is closed when it becomes idle, or 5 minutes later.
func (t *renewedTransport) drop() {
	if t.current != nil {
		(&http.Client{Transport: t.current}).CloseIdleConnections()
		t.current = nil
	}
}

// newTransport makes a transport that does not end with ctx, because tokens are revoked after polling has ended.
func newTransport(ctx context.Context, account string, settings promconfig.HTTPClientConfig) (http.RoundTripper, error) {
	t := &renewedTransport{new: func() (http.RoundTripper, error) {
		return promconfig.NewRoundTripperFromConfigWithContext(context.WithoutCancel(ctx), settings, account)
	}}
	if _, err := t.transport(); err != nil {
		return nil, fmt.Errorf("account %s: setting up http_client: %w", account, err)
	}
	return t, nil
}
