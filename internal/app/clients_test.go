package app

import (
	"net/url"
	"testing"

	promconfig "github.com/prometheus/common/config"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// A server may echo a configured header or the credentials of a proxy, in the form in which they were sent.
func TestHeadersAndProxyCredentialsAreRedacted(t *testing.T) {
	proxy, err := url.Parse("http://joe:pa55word@proxy.example.com:3128")
	if err != nil {
		t.Fatal(err)
	}
	settings := promconfig.HTTPClientConfig{
		HTTPHeaders: &promconfig.Headers{Headers: map[string]promconfig.Header{
			"X-Tenant": {Values: []string{"tenant-of-ours"}}, "X-Key": {Secrets: []promconfig.Secret{"k3y-of-ours"}},
		}},
		ProxyConfig: promconfig.ProxyConfig{ProxyURL: promconfig.URL{URL: proxy}},
	}
	refused := &yeastar.Error{Message: "no to tenant-of-ours with k3y-of-ours by Basic am9lOnBhNTV3b3Jk or pa55word"}
	refused.Redact(sentSecrets(settings))
	if got, want := refused.Message, "no to <secret> with <secret> by Basic <secret> or <secret>"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if n := len(sentSecrets(promconfig.HTTPClientConfig{})); n > 0 {
		t.Errorf("settings without headers and proxy have %d secrets, want none", n)
	}
}
