package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// healthTimeout is how long the exporter may take to say that it is healthy.
const healthTimeout = 5 * time.Second

// checkHealth asks the exporter that listens where the flags say whether it serves, for images that have no other
// program to ask it with. The certificate may be that of any name, and who wants a password serves.
func (o options) checkHealth(ctx context.Context, stdout io.Writer) error {
	if *o.serve.WebSystemdSocket {
		return errors.New("--healthcheck cannot know where --web.systemd-socket listens; ask with curl")
	}
	site, err := o.web.Site()
	if err != nil {
		return err
	}
	protocol, err := scheme(*o.serve.WebConfigFile)
	if err != nil {
		return err
	}
	addresses, err := onLoopback((*o.serve.WebListenAddresses)[0])
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	var failed []error
	for _, address := range addresses {
		url := protocol + "://" + address + site.Path("/-/healthy")
		if err = askHealth(ctx, url); err == nil {
			fmt.Fprintf(stdout, "%s is healthy.\n", url)
			return nil
		}
		failed = append(failed, err)
	}
	return fmt.Errorf("the exporter is not healthy, or listens elsewhere than --web.listen-address says:\n%w", errors.Join(failed...))
}

func askHealth(ctx context.Context, url string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	transport := &http.Transport{ // No proxy stands between the exporter and itself.
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // The name of the certificate is not that of loopback.
		DisableKeepAlives: true,                                  // HTTP/1.1 alone: HTTP/2 does not say that TLS was refused.
	}
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(r)
	var refused *net.OpError
	if errors.As(err, &refused) && refused.Op == "remote error" {
		return nil // It is the exporter's TLS that refuses a client without a certificate.
	}
	if err != nil {
		return err
	}
	defer response.Body.Close()
	switch response.StatusCode {
	case http.StatusOK, http.StatusUnauthorized, http.StatusTooManyRequests:
		return nil
	default:
		return fmt.Errorf("%s answered %s", url, response.Status)
	}
}
