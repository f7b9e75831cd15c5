package app

import (
	"strings"

	promconfig "github.com/prometheus/common/config"

	"github.com/ycm-exporter/ycm_exporter/internal/secret"
)

// hidden returns what a transport with these settings sends besides a client's own secrets: configured headers, and the
// credentials of a proxy. A server may echo them.
func hidden(c promconfig.HTTPClientConfig) []secret.Text {
	var all []secret.Text
	hide := func(s string) {
		if s = strings.TrimSpace(s); s != "" {
			all = append(all, secret.New(s))
		}
	}
	if c.HTTPHeaders != nil {
		for _, h := range c.HTTPHeaders.Headers {
			for _, v := range h.Values {
				hide(v)
			}
			for _, v := range h.Secrets {
				hide(string(v))
			}
			for _, file := range h.Files {
				if content, _, err := secret.ReadFile(file); err == nil { // One that cannot be read is not sent.
					hide(string(content))
				}
			}
		}
	}
	if c.ProxyURL.URL != nil && c.ProxyURL.User != nil {
		password, _ := c.ProxyURL.User.Password()
		hide(password)
		hide(c.ProxyURL.User.Username() + ":" + password)
	}
	for _, values := range c.ProxyConnectHeader {
		for _, v := range values {
			hide(string(v))
		}
	}
	return all
}
