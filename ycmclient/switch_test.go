package ycmclient_test

import (
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/ycm-exporter/ycm_exporter/ycmclient"
	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
	"github.com/ycm-exporter/ycm_exporter/yeastar"
)

// switching answers each request with 101 and keeps the connection.
func switching(http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		c, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		defer c.Close()
		_, _ = buffered.WriteString("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n")
		_ = buffered.Flush()
		_, _ = io.Copy(io.Discard, c)
	})
}

func TestSwitchingProtocolsHoldsNobody(t *testing.T) {
	for endpoint, ask := range map[ycmtest.Endpoint]func(context.Context, *ycmclient.Client) error{
		ycmtest.Token:   func(ctx context.Context, c *ycmclient.Client) error { _, err := c.Regions(ctx); return err },
		ycmtest.Regions: func(ctx context.Context, c *ycmclient.Client) error { _, err := c.Regions(ctx); return err },
		ycmtest.CloudPBXList: func(ctx context.Context, c *ycmclient.Client) error {
			_, err := c.Walk(ctx, new(ycmclient.WalkState), nil, nil)
			return err
		},
	} {
		ycm, client, _ := overTCP(t, ycmtest.Options{}, func(o *ycmclient.Options) { o.Timeout = 10 * time.Second })
		ycm.Inject(ycmtest.Fault{Endpoint: endpoint, Effect: switching})
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		if err := ask(ctx, client); yeastar.ClassOf(err) != yeastar.Invalid || ctx.Err() != nil {
			t.Errorf("%v: got %v, want at once that the answer is invalid", endpoint, err)
		}
	}
}
