// Package config reads config.yml into a typed, validated Config. Whatever is wrong with the file is told at once, each
// problem with file, line, field and what would be right, and no problem ever shows a value that could be a secret.
package config

import (
	"net/url"
	"time"

	promconfig "github.com/prometheus/common/config"

	"github.com/ycm-exporter/ycm_exporter/collector"
	"github.com/ycm-exporter/ycm_exporter/secret"
)

// Config is everything that the configuration file says, defaults filled in. Two loads of the same file are
// reflect.DeepEqual, which is how a reload finds the accounts that did not change.
type Config struct {
	Accounts   []Account
	Collectors []collector.Configured // in the order of collector.All
}

// content is the file as it is written.
type content struct {
	Accounts   []Account  `yaml:"accounts"`
	Collectors Collectors `yaml:"collectors"`
}

// Account is one API client of a YCM: where it is, what it logs in with, and what it may spend.
type Account struct {
	// Name is the value of the label account: unique, made of letters, digits, _, . and -.
	Name string `yaml:"name"`
	// BaseURL is where YCM is, with neither a query nor a slash at its end. It may have a port and a path.
	BaseURL *url.URL `yaml:"base_url"`
	// ClientID is the "Client ID" of YCM's page System > API.
	ClientID string `yaml:"client_id"`
	// ClientSecret is the "Client Secret" beside it. Either this or ClientSecretFile is set.
	ClientSecret secret.Text `yaml:"client_secret"`
	// ClientSecretFile is the file that holds the secret; a relative name has been joined to the configuration's folder.
	ClientSecretFile string `yaml:"client_secret_file"`
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
	// PBXs are the PBXs that are spoken to directly, with credentials of their own.
	PBXs []PBX `yaml:"pbxs"`
}

// Secret yields the account's client secret, read anew from its file at each use if it has one.
func (a Account) Secret() secret.Source { return source(a.ClientSecret, a.ClientSecretFile) }

// RateLimit is a token bucket in the vendor's own terms (YCM's page System > API > Client Rate Limits).
type RateLimit struct {
	Burst    int           `yaml:"burst"`    // tokens that the bucket holds
	Rate     int           `yaml:"rate"`     // tokens added each interval, at most Burst
	Interval time.Duration `yaml:"interval"` // how often they are added
}

// PBX is a PBX that is spoken to directly. It is matched to the list by its URL's host.
type PBX struct {
	URL              *url.URL    `yaml:"url"`
	ClientID         string      `yaml:"client_id"`
	ClientSecret     secret.Text `yaml:"client_secret"`
	ClientSecretFile string      `yaml:"client_secret_file"`
}

// Secret yields the PBX's client secret, read anew from its file at each use if it has one.
func (p PBX) Secret() secret.Source { return source(p.ClientSecret, p.ClientSecretFile) }

// Schedule says whether and how often a collector polls.
type Schedule = collector.Schedule

// Collectors holds the settings of each collector.
type Collectors struct {
	CloudPBX         Schedule         `yaml:"cloud_pbx"`
	Firmware         Firmware         `yaml:"firmware"`
	Subscription     Schedule         `yaml:"subscription"`
	Users            Schedule         `yaml:"users"`
	PBXAPI           Schedule         `yaml:"pbx_api"`
	Trunks           Schedule         `yaml:"trunks"`
	Autoprovisioning Autoprovisioning `yaml:"autoprovisioning"`
}

// Firmware is the collector of the firmware versions that YCM offers.
type Firmware struct {
	Schedule `yaml:",inline"`
	// Types are the kinds of firmware asked for, of pbx, cluster and cm (the page "Query Available Firmwares").
	Types []string `yaml:"types"`
}

// Autoprovisioning is the collector of the phones that a firmware version can provision.
type Autoprovisioning struct {
	Schedule `yaml:",inline"`
	// Depth is how far the catalogue is read: vendors, models, or full (templates and methods as well).
	Depth string `yaml:"depth"`
	// RequiredPhones are the phones that customers have, each told as supported or not for each firmware version.
	RequiredPhones []Phone `yaml:"required_phones"`
}

// Phone is a phone by the names that the vendor's catalogue has for it.
type Phone struct {
	Vendor string `yaml:"vendor"`
	Model  string `yaml:"model"`
}

func (c *content) setDefaults() {
	on := func(interval time.Duration) Schedule { return Schedule{Enabled: true, Interval: interval} }
	off := func(interval time.Duration) Schedule { return Schedule{Interval: interval} }
	c.Collectors = Collectors{
		CloudPBX:         on(time.Minute),
		Firmware:         Firmware{Schedule: on(time.Hour), Types: []string{"pbx"}},
		Subscription:     on(15 * time.Minute),
		Users:            off(time.Hour),
		PBXAPI:           off(5 * time.Minute),
		Trunks:           off(15 * time.Minute),
		Autoprovisioning: Autoprovisioning{Schedule: off(24 * time.Hour), Depth: "models"},
	}
}

func (a *Account) setDefaults() {
	a.RateLimit = RateLimit{Burst: 75, Rate: 75, Interval: time.Minute}
	a.Timeout = 30 * time.Second
	a.PageConcurrency = 1
	a.HTTPClient = promconfig.DefaultHTTPClientConfig
	a.HTTPClient.FollowRedirects = false
}

// check reports what is wrong with values that could each be read, and fills in the defaults that depend on others.
func (c *content) check(p place) {
	checkAccounts(c.Accounts, p.key("accounts"))
	c.Collectors.check(p.key("collectors"))
	c.checkSources(p)
}
