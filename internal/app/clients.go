package app

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	promconfig "github.com/prometheus/common/config"

	"github.com/ycm-exporter/ycm_exporter/internal/capture"
	"github.com/ycm-exporter/ycm_exporter/internal/config"
	"github.com/ycm-exporter/ycm_exporter/internal/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/internal/secret"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// Clients makes the clients of accounts, for the daemon and the doctor alike.
type Clients struct {
	Servers  *ycmclient.Servers
	Recorder *capture.Recorder // of requests to YCM; nil: nothing is captured
}

// userAgent is required by YCM.
var userAgent = "ycm_exporter/" + Version

// Options returns how an account's YCM and its PBXs with direct access are queried. The PBXs have the account's TLS and proxy
// settings, but not its headers, which are meant for YCM.
func (f Clients) Options(ctx context.Context, c config.Account) (ycm ycmclient.Options, pbxs []pbxclient.Options, err error) {
	transport, err := newTransport(ctx, c.Name, c.HTTPClient)
	if err != nil {
		return ycm, nil, err
	}
	ycm = ycmclient.Options{
		Account: c.Name, BaseURL: c.BaseURL, ClientID: c.ClientID, Secret: c.Secret(), Hidden: sentSecrets(c.HTTPClient), Servers: f.Servers, //nolint:contextcheck // A secret file has its own limit.
		RateLimit: ycmclient.RateLimit(c.RateLimit), Timeout: c.Timeout, PageConcurrency: c.PageConcurrency, Search: c.Search,
		Transport: f.Recorder.Transport(c.Name, transport), UserAgent: userAgent,
	}
	c.HTTPClient.HTTPHeaders = nil
	transport, err = newTransport(ctx, c.Name, c.HTTPClient)
	for _, p := range c.PBXs {
		pbxs = append(pbxs, pbxclient.Options{
			Account: c.Name, URL: p.URL, ClientID: p.ClientID, Secret: p.Secret(), Hidden: sentSecrets(c.HTTPClient), Guard: f.Servers.Guard(p.URL), //nolint:contextcheck // A secret file has its own limit.
			Timeout: c.Timeout, Transport: transport, UserAgent: userAgent,
		})
	}
	return ycm, pbxs, err
}

// newTransport makes a transport that does not end with ctx, because tokens are revoked after polling has ended.
func newTransport(ctx context.Context, account string, settings promconfig.HTTPClientConfig) (http.RoundTripper, error) {
	transport, err := promconfig.NewRoundTripperFromConfigWithContext(context.WithoutCancel(ctx), settings, account)
	if err != nil {
		return nil, fmt.Errorf("account %s: setting up http_client: %w", account, err)
	}
	return transport, nil
}

// sentSecrets returns what a transport with these settings sends besides a client's own secrets: configured headers, and the
// credentials of a proxy. A server may echo them.
func sentSecrets(c promconfig.HTTPClientConfig) []secret.Text {
	var sent []string
	headers := map[string]promconfig.Header{}
	if c.HTTPHeaders != nil {
		headers = c.HTTPHeaders.Headers
	}
	for _, h := range headers {
		sent = append(sent, h.Values...)
		for _, v := range h.Secrets {
			sent = append(sent, string(v))
		}
		for _, file := range h.Files {
			content, _, _ := secret.ReadFile(file) // One that cannot be read is not sent.
			sent = append(sent, string(content))
		}
	}
	for _, values := range c.ProxyConnectHeader {
		for _, v := range values {
			sent = append(sent, string(v))
		}
	}
	if u := c.ProxyURL.URL; u != nil && u.User != nil {
		password, _ := u.User.Password()
		sent = append(sent, password, u.User.Username()+":"+password)
	}
	var all []secret.Text
	for _, text := range sent {
		if text = strings.TrimSpace(text); text != "" {
			all = append(all, secret.New(text))
		}
	}
	return all
}
