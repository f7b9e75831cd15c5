package main

import (
	"context"
	"fmt"

	promconfig "github.com/prometheus/common/config"

	"github.com/ycm-exporter/ycm_exporter/config"
	"github.com/ycm-exporter/ycm_exporter/pbxclient"
)

// directClients returns what makes the clients of an account's PBXs that are spoken to directly. They have the
// account's TLS and proxy settings, but not its headers, which are meant for YCM.
func directClients(ctx context.Context, c config.Account) (func(config.PBX) *pbxclient.Client, error) {
	settings := c.HTTPClient
	settings.HTTPHeaders = nil
	// The transport must outlive ctx, because tokens are given back after polling has ended.
	transport, err := promconfig.NewRoundTripperFromConfigWithContext(context.WithoutCancel(ctx), settings, "pbx_"+c.Name)
	if err != nil {
		return nil, fmt.Errorf("account %s: setting up http_client for its pbxs: %w", c.Name, err)
	}
	return func(p config.PBX) *pbxclient.Client {
		return pbxclient.Direct(pbxclient.Options{
			Account: c.Name, URL: p.URL, ClientID: p.ClientID, Secret: p.Secret(),
			Timeout: c.Timeout, Transport: transport, UserAgent: userAgent(),
		})
	}, nil
}
