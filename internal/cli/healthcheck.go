package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// checkHealth queries the exporter that listens where the flags say, for images that have no other program for it. An exporter
// that requires a password is healthy, and so is one with TLS, which responds to plain HTTP with Bad Request.
func (o options) checkHealth(ctx context.Context, stdout io.Writer) error {
	if *o.serve.WebSystemdSocket {
		return errors.New("--healthcheck does not support --web.systemd-socket; use curl")
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost"+o.site.Path("/-/healthy"), nil)
	if err != nil {
		return err
	}
	address := (*o.serve.WebListenAddresses)[0]
	client := &http.Client{
		// No proxy stands between the exporter and itself. A connection to all addresses of the machine is one to loopback.
		Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "tcp", address)
		}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := client.Do(r)
	if err != nil {
		return fmt.Errorf("the exporter is not healthy, or does not listen on --web.listen-address %s: %w", address, err)
	}
	defer response.Body.Close()
	switch response.StatusCode {
	case http.StatusOK, http.StatusBadRequest, http.StatusUnauthorized, http.StatusTooManyRequests:
		fmt.Fprintf(stdout, "The exporter on %s is healthy.\n", address)
		return nil
	default:
		return fmt.Errorf("the exporter on %s is not healthy: %s responded with %s", address, r.URL.Path, response.Status)
	}
}
