// Package config reads config.yml into a typed, validated Config. Whatever is wrong with the file is told at once, each
// problem with file, line, field and what would be right, and no problem ever shows a value that could be a secret.
package config

import (
	"net/url"
	"time"

	promconfig "github.com/prometheus/common/config"

	"github.com/ycm-exporter/ycm_exporter/collector"
	"github.com/ycm-exporter/ycm_exporter/internal/secret"
	"github.com/ycm-exporter/ycm_exporter/internal/strictyaml"
)

// Config is everything that the configuration file says, defaults filled in. The accounts of two loads of the same file
// are reflect.DeepEqual, which is how a reload finds those that did not change.
type Config struct {
	Accounts   []Account  `yaml:"accounts"`
	Collectors Collectors `yaml:"collectors"`
	Metrics    Metrics    `yaml:"metrics"`
	// Warnings are what can be used, but is probably not meant.
	Warnings strictyaml.Problems
}

// Account is one API client of a YCM: where it is, what it logs in with, and what it may spend.
type Account struct {
	// Name is the value of the label account: unique, made of letters, digits, _, . and -.
	Name string `yaml:"name"`
	// BaseURL is where YCM is, with neither a query nor a slash at its end. It may have a port and a path.
	BaseURL *url.URL `yaml:"base_url"`
	// Credentials are those of YCM's page System > API.
	Credentials `yaml:",inline"`
	// RateLimit is what YCM grants this Client ID.
	RateLimit RateLimit `yaml:"rate_limit"`
	// Timeout bounds one request, without the time that it waited for the budget.
	Timeout time.Duration `yaml:"timeout"`
	// PageConcurrency is how many pages of one walk may be in flight, 1 to 8.
	PageConcurrency int `yaml:"page_concurrency"`
	// Search narrows the list to what YCM finds for it. Empty: every PBX.
	Search string `yaml:"search"`
	// HTTPClient holds TLS, proxy and header settings. FollowRedirects is always false, and nothing in it sets the
	// Authorization header, which is for YCM's token alone.
	HTTPClient promconfig.HTTPClientConfig `yaml:"http_client"`
	// PBXs are the PBXs that are spoken to directly.
	PBXs []PBX `yaml:"pbxs"`
}

// PBX is a PBX that is spoken to directly, with credentials of its own. It is matched to the list by its URL's host.
type PBX struct {
	URL         *url.URL `yaml:"url"`
	Credentials `yaml:",inline"`
}

// Credentials are what an account or a PBX logs in with. Either ClientSecret or ClientSecretFile is set.
type Credentials struct {
	ClientID     string      `yaml:"client_id"`
	ClientSecret secret.Text `yaml:"client_secret"`
	// ClientSecretFile holds the secret; a relative name has been joined to the configuration's folder.
	ClientSecretFile string `yaml:"client_secret_file"`
}

// Secret yields the client secret, read anew from its file at each use if it has one.
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

// defaults is a configuration without accounts.
func defaults() *Config {
	cfg := new(Config)
	for _, c := range collector.All() {
		configured := collector.Configured{Collector: c, Schedule: c.Schedule}
		if c.Settings != nil {
			configured.Settings = c.Settings()
		}
		cfg.Collectors = append(cfg.Collectors, configured)
	}
	return cfg
}

// SetDefaults fills in what an account has where nothing is written.
func (a *Account) SetDefaults() {
	a.RateLimit = RateLimit{Burst: 75, Rate: 75, Interval: time.Minute}
	a.Timeout = 30 * time.Second
	a.PageConcurrency = 1
	a.HTTPClient = promconfig.DefaultHTTPClientConfig
	a.HTTPClient.FollowRedirects = false
}
