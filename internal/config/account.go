package config

import (
	"regexp"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/ycm-exporter/ycm_exporter/internal/secret"
)

const (
	day = 24 * time.Hour
	// maxTokens bounds burst and rate: more than this is a typing error.
	maxTokens   = 1_000_000
	invisible   = "has a line break or another invisible character; write it again"
	writeSecret = "write the secret, or name its file with client_secret_file"
)

var accountName = regexp.MustCompile(`^[a-zA-Z0-9_.-]{1,128}$`)

func (a *Account) check(d *document, path string, taken map[string]string) {
	name, baseURL := path+".name", path+".base_url"
	d.must(name, accountName.MatchString(a.Name), "must be 1 to 128 letters, digits, _, . and -")
	d.unique(name, taken, "name "+a.Name, "is also the name of %s; each account needs its own name")
	d.checkURL(baseURL, a.BaseURL)
	a.Credentials.check(d, path)
	if a.BaseURL != nil && !d.failed[baseURL] {
		// YCM counts requests per client, so that two limiters here would exceed the limit there.
		d.unique(path+".client_id", taken, "client "+a.BaseURL.String()+" "+a.ClientID,
			"is also the Client ID of %s; YCM counts their requests together, so configure them as one account")
	}
	a.RateLimit.check(d, path+".rate_limit")
	d.between(path+".timeout", a.Timeout, 10*time.Minute)
	d.must(path+".page_concurrency", a.PageConcurrency >= 1 && a.PageConcurrency <= 8, "must be between 1 and 8")
	d.checkHTTPClient(path+".http_client", &a.HTTPClient)
	for i, pbx := range a.PBXs {
		at := itemAt(path+".pbxs", i)
		d.checkURL(at+".url", pbx.URL)
		a.PBXs[i].Credentials.check(d, at)
		if pbx.URL != nil {
			d.unique(at+".url", taken, path+" "+pbx.URL.Host, "has the same host as %s; configure each PBX once")
		}
	}
}

// unique reports a value that a field of another item of the list has, too. It remembers the item's path by the value.
func (d *document) unique(path string, taken map[string]string, value, format string) {
	if !d.failed[path] {
		first, found := taken[value]
		taken[value] = above(path)
		d.must(path, !found, format, first)
	}
}

// checkQuotes reports a text that should have quotes around it: # begins a comment in YAML, but may be part of a secret.
func (d *document) checkQuotes(path string, isSecret bool) {
	if node := d.values[path]; node != nil && node.Style == 0 {
		d.must(path, node.Tag == "!!str", "is not text in YAML, for example a number; put quotes around it")
		if node.LineComment != "" && isSecret {
			d.warn(path, "has a comment directly after it; if # is part of the value, put quotes around it")
		}
	}
}

func (c *Credentials) check(d *document, path string) {
	id, inline, inFile := path+".client_id", path+".client_secret", path+".client_secret_file"
	d.checkQuotes(id, false)
	d.checkQuotes(inline, true)
	c.ClientID = strings.TrimSpace(c.ClientID)
	d.must(id, secret.Visible(c.ClientID), invisible)
	d.must(inline, secret.Visible(c.ClientSecret.Reveal()), invisible)
	switch {
	case d.given(inline) && d.given(inFile):
		d.problem(inFile, "client_secret and client_secret_file are mutually exclusive; keep one of them")
	case d.given(inline):
		d.must(inline, !c.ClientSecret.Empty(), "is empty; "+writeSecret)
	case d.given(inFile):
		d.must(inFile, c.ClientSecretFile != "", "is empty; "+writeSecret)
		d.readable(inFile, c.ClientSecretFile, func(file string) error {
			_, err := secret.Read(file)
			return err
		})
	default:
		d.problem(inline, "is missing; "+writeSecret)
	}
	c.ClientSecretFile = d.join(c.ClientSecretFile)
}

func (r *RateLimit) check(d *document, path string) {
	burst, rate := path+".burst", path+".rate"
	d.must(burst, r.Burst >= 1 && r.Burst <= maxTokens, "must be between 1 and %d", maxTokens)
	d.must(rate, r.Rate >= 1 && r.Rate <= maxTokens, "must be between 1 and %d", maxTokens)
	d.between(path+".interval", r.Interval, day)
	if !d.failed[burst] {
		d.must(rate, r.Rate <= r.Burst, "%d is above burst %d (the default of both is 75); make burst at least %[1]d", r.Rate, r.Burst)
	}
}

// between reports a duration that is shorter than a second or longer than most.
func (d *document) between(path string, value, most time.Duration) {
	d.must(path, value >= time.Second && value <= most, "must be between 1s and %s", model.Duration(most))
}
