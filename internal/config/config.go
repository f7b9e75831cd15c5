// Package config reads config.yml into a typed, validated Config. All mistakes of the file are reported at once, each with
// file, line, field and what would be right, and none shows a value, because it could be a secret. The package does not know
// what the collectors' settings mean: they check themselves.
package config

import (
	"net/url"
	"time"

	promconfig "github.com/prometheus/common/config"

	"github.com/ycm-exporter/ycm_exporter/internal/secret"
)

// Config is the content of the configuration file, with defaults filled in. The accounts of two loads of the same file are
// reflect.DeepEqual, which is how a reload finds those that did not change. The tag required has the hint for a key that
// must be written.
type Config struct {
	Accounts   []Account  `yaml:"accounts" required:"write at least one account"`
	Collectors Collectors `yaml:"collectors"`
	Metrics    Metrics    `yaml:"metrics"`
	Warnings   []Problem  // what can be used, but is probably not meant
}

// Account is one API client of a YCM: its address, credentials and rate limit.
type Account struct {
	Name string `yaml:"name" required:"it is the value of the label account"`
	// BaseURL has neither a query nor a slash at its end. There is no default: the credentials of a self-hosted YCM must not
	// go to another host by omission.
	BaseURL         *url.URL `yaml:"base_url" required:"write the address of YCM, such as https://ycm.yeastar.com"`
	Credentials     `yaml:",inline"`
	RateLimit       RateLimit     `yaml:"rate_limit"`
	Timeout         time.Duration `yaml:"timeout"`          // of a request, without the time that it waited for the rate limit
	PageConcurrency int           `yaml:"page_concurrency"` // how many pages of one walk may be in flight
	Search          string        `yaml:"search"`           // narrows the list to what YCM finds for it
	// HTTPClient never follows redirects, and does not set the Authorization header, which carries YCM's token.
	HTTPClient promconfig.HTTPClientConfig `yaml:"http_client"`
	PBXs       []PBX                       `yaml:"pbxs"`
}

// PBX is a PBX with direct access and its own credentials. It is matched to the list by its URL's host.
type PBX struct {
	URL         *url.URL `yaml:"url" required:"write where the PBX is, such as https://pbx.example.yeastarcloud.com"`
	Credentials `yaml:",inline"`
}

// Credentials are those of an account or a PBX. Either ClientSecret or ClientSecretFile is set.
type Credentials struct {
	ClientID         string      `yaml:"client_id" required:"copy it from the API settings"`
	ClientSecret     secret.Text `yaml:"client_secret"`
	ClientSecretFile string      `yaml:"client_secret_file"` // a whole path
}

// Secret returns the source of the client secret, which reads the file again at each use if there is one.
func (c Credentials) Secret() secret.Source {
	if c.ClientSecretFile != "" {
		return secret.File(c.ClientSecretFile)
	}
	return secret.Static(c.ClientSecret)
}

// RateLimit is a token bucket in the vendor's own terms (YCM's page System > API > Client Rate Limits).
type RateLimit struct {
	Burst    int           `yaml:"burst"`    // tokens that the bucket holds
	Rate     int           `yaml:"rate"`     // tokens added each interval, at most Burst
	Interval time.Duration `yaml:"interval"` // how often they are added
}

// check reports what is wrong with values that could each be read, and fills in the defaults that depend on others.
func (c *Config) check(d *document) {
	taken := make(map[string]string)
	for i := range c.Accounts {
		c.Accounts[i].check(d, itemAt("accounts", i), taken)
	}
	c.Collectors.check(d)
	c.Metrics.check(d, c.Collectors)
}
