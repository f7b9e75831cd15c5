package config

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/ycm-exporter/ycm_exporter/internal/secret"
	"github.com/ycm-exporter/ycm_exporter/internal/strictyaml"
)

const (
	day = 24 * time.Hour
	// maxTokens bounds burst and rate: more than this is a slip of the finger.
	maxTokens = 1_000_000
	invisible = "has a line break or another character that cannot be seen; write it anew"
)

var accountName = regexp.MustCompile(`^[a-zA-Z0-9_.-]{1,128}$`)

// check reports what is wrong with values that could each be read, and fills in the defaults that depend on others.
func (c *Config) check(d *document) {
	d.Need("accounts", len(c.Accounts) == 0, "write at least one account")
	taken := make(map[string]string)
	for i := range c.Accounts {
		c.Accounts[i].check(d, strictyaml.Item("accounts", i), taken)
	}
	c.Collectors.check(d)
	c.Collectors.checkRequired(d)
	c.checkTargets(d)
	c.Metrics.check(d, c.Collectors)
}

func (a *Account) check(d *document, path string, taken map[string]string) {
	name, baseURL := path+".name", path+".base_url"
	d.Need(name, false, "it becomes the label account")
	d.Must(name, accountName.MatchString(a.Name), "must be 1 to 128 letters, digits, _, . and -")
	d.unique(name, taken, "name "+a.Name, "is the name of %s too; give each account a name of its own")
	// There is no default address: a self-hosted YCM's credentials must not go to another host by omission.
	d.Need(baseURL, false, "write where YCM is, such as https://ycm.yeastar.com")
	d.checkURL(baseURL, a.BaseURL)
	a.Credentials.check(d, path)
	if d.Sound(baseURL) {
		// YCM counts requests per client, so that two buckets here would overrun the one there.
		d.unique(path+".client_id", taken, "client "+a.BaseURL.String()+" "+a.ClientID,
			"is the client of %s too, and YCM counts their requests together; make them one account")
	}
	a.RateLimit.check(d, path+".rate_limit")
	d.upTo(path+".timeout", 10*time.Minute, a.Timeout)
	d.Must(path+".page_concurrency", a.PageConcurrency >= 1 && a.PageConcurrency <= 8, "must be between 1 and 8")
	d.checkHTTPClient(path+".http_client", &a.HTTPClient)
	hosts := make(map[string]string)
	for i := range a.PBXs {
		a.PBXs[i].check(d, strictyaml.Item(path+".pbxs", i), hosts)
	}
}

func (p *PBX) check(d *document, path string, hosts map[string]string) {
	d.Need(path+".url", false, "write where the PBX is, such as https://pbx.example.yeastarcloud.com")
	d.checkURL(path+".url", p.URL)
	p.Credentials.check(d, path)
	if d.Sound(path + ".url") {
		d.unique(path+".url", hosts, p.URL.Host, "has the host of %s too; write each PBX once")
	}
}

// unique reports a value that a field of another item of the list has, too. It remembers the item's path by the value.
func (d *document) unique(path string, taken map[string]string, value, format string) {
	if d.Sound(path) {
		first, found := taken[value]
		taken[value] = strictyaml.Above(path)
		d.Must(path, !found, format, first)
	}
}

func (c *Credentials) check(d *document, path string) {
	inline, inFile := path+".client_secret", path+".client_secret_file"
	c.ClientID = strings.TrimSpace(c.ClientID)
	d.Need(path+".client_id", c.ClientID == "", "copy it from the page that switches the API on")
	d.Must(path+".client_id", secret.Visible(c.ClientID), invisible)
	d.Must(inline, !c.ClientSecret.Empty(), "is empty; write the secret, or name its file with client_secret_file")
	d.Must(inline, secret.Visible(c.ClientSecret.Reveal()), invisible)
	if !d.Given(inline) {
		d.Need(inFile, c.ClientSecretFile == "", "name the file that holds the secret, or write client_secret")
	} else if d.Given(inFile) {
		d.Problem(inFile, "stands beside client_secret; keep one of the two")
	}
	d.open(inFile, c.ClientSecretFile, func(file string) error {
		_, err := secret.Read(file)
		return err
	})
	c.ClientSecretFile = d.join(c.ClientSecretFile)
}

func (r *RateLimit) check(d *document, path string) {
	burst, rate := path+".burst", path+".rate"
	d.Must(burst, r.Burst >= 1 && r.Burst <= maxTokens, "must be between 1 and %d", maxTokens)
	d.Must(rate, r.Rate >= 1 && r.Rate <= maxTokens, "must be between 1 and %d", maxTokens)
	d.upTo(path+".interval", day, r.Interval)
	if r.Rate > r.Burst && !d.Wrong(burst) && !d.Wrong(rate) {
		d.Problem(rate, "%s is above burst %s; make burst at least %d", d.number(rate, r.Rate), d.number(burst, r.Burst), r.Rate)
	}
}

// number writes a number, and says so if it is a default.
func (d *document) number(path string, n int) string {
	if d.Given(path) {
		return strconv.Itoa(n)
	}
	return strconv.Itoa(n) + " (the default)"
}

// upTo reports a duration that is not between a second and the most that makes sense.
func (d *document) upTo(path string, most, value time.Duration) {
	d.Must(path, value >= time.Second && value <= most, "must be between 1s and %s", model.Duration(most))
}
