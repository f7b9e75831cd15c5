package ycmclient_test

import (
	"context"
	"testing"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

func TestSwitchingProtocolsHoldsNobody(t *testing.T) {
	for endpoint, query := range map[ycmtest.Endpoint]func(context.Context, *ycmclient.Client) error{
		ycmtest.Token:   func(ctx context.Context, c *ycmclient.Client) error { _, err := c.Regions(ctx); return err },
		ycmtest.Regions: func(ctx context.Context, c *ycmclient.Client) error { _, err := c.Regions(ctx); return err },
		ycmtest.CloudPBXList: func(ctx context.Context, c *ycmclient.Client) error {
			_, err := c.Walk(ctx, new(ycmclient.WalkState), nil, nil)
			return err
		},
	} {
		ycm, client, _ := overTCP(t, ycmtest.Options{}, func(o *ycmclient.Options) { o.Timeout = 10 * time.Second })
		ycm.Inject(ycmtest.Fault{Endpoint: endpoint, Effect: ycmtest.Switch()})
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		if err := query(ctx, client); yeastar.ClassOf(err) != yeastar.Invalid || ctx.Err() != nil {
			t.Errorf("%v: got %v, want at once that the answer is invalid", endpoint, err)
		}
	}
}
