package app

import (
	"context"
	"fmt"
	"net/http"

	promconfig "github.com/prometheus/common/config"

	"github.com/ycm-exporter/ycm_exporter/internal/config"
	"github.com/ycm-exporter/ycm_exporter/internal/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/internal/sweep"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// directPBXs makes the clients of an account's PBXs that are spoken to directly. They have the account's TLS and proxy
// settings, but not its headers, which are meant for YCM. wrap is put around their transport.
func directPBXs(ctx context.Context, servers *ycmclient.Servers, c config.Account, wrap func(http.RoundTripper) http.RoundTripper) ([]sweep.Direct, error) {
	settings := c.HTTPClient
	settings.HTTPHeaders = nil
	// The transport must outlive ctx, because tokens are given back after polling has ended.
	transport, err := promconfig.NewRoundTripperFromConfigWithContext(context.WithoutCancel(ctx), settings, "pbx_"+c.Name)
	if err != nil {
		return nil, fmt.Errorf("account %s: setting up http_client for its pbxs: %w", c.Name, err)
	}
	transport = wrap(transport)
	var direct []sweep.Direct
	for _, p := range c.PBXs {
		direct = append(direct, sweep.Direct{URL: p.URL, Client: pbxclient.Direct(pbxclient.Options{
			Account: c.Name, URL: p.URL, ClientID: p.ClientID, Secret: p.Secret(), Hidden: hidden(settings), Guard: servers.Guard(p.URL),
			Timeout: c.Timeout, Transport: transport, UserAgent: userAgent(),
		})})
	}
	return direct, nil
}
