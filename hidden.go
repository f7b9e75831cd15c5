package main

import (
	"log"
	"strings"

	kitlog "github.com/go-kit/log"
	"github.com/go-kit/log/level"
	promconfig "github.com/prometheus/common/config"

	"github.com/ycm-exporter/ycm_exporter/secret"
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
				if content, err := secret.ReadFile(file); err == nil { // One that cannot be read is not sent.
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

// quiet is the standard library's own logger. Its HTTP client tells it what a server sent unasked, which may be a token, so
// that nothing of a line is shown but that there was one.
type quiet struct{ logger kitlog.Logger }

func (q quiet) Write(line []byte) (int, error) {
	level.Debug(q.logger).Log("msg", "A library had something to tell, which is left out, as it may quote an answer", "bytes", len(line))
	return len(line), nil
}

// hushStandardLogger makes the standard library's logger write no text of its own.
func hushStandardLogger(logger kitlog.Logger) {
	log.SetFlags(0)
	log.SetOutput(quiet{logger})
}
