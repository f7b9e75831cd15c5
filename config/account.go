package config

import (
	"regexp"
	"strconv"
	"time"

	"github.com/prometheus/common/model"
)

const (
	day = 24 * time.Hour
	// maxTokens bounds burst and rate: more than this is a slip of the finger.
	maxTokens = 1_000_000
)

var accountName = regexp.MustCompile(`^[a-zA-Z0-9_.-]{1,128}$`)

func checkAccounts(accounts []Account, p place) {
	p.need("write at least one account")
	p.must(len(accounts) > 0, "is empty; write at least one account")

	named, clients := make(map[string]string), make(map[string]string)
	for i := range accounts {
		at := p.item(i)
		if !at.mapping() || at.failed() {
			continue
		}
		accounts[i].check(at)
		accounts[i].checkClient(at, clients)
		if name := at.key("name"); name.sound() {
			first, taken := named[accounts[i].Name]
			name.must(!taken, "is the name of %s too; give each account a name of its own", first)
			named[accounts[i].Name] = at.path
		}
	}
}

func (a *Account) check(p place) {
	name := p.key("name")
	name.need("it becomes the label account")
	name.must(accountName.MatchString(a.Name), "must be 1 to 128 letters, digits, _, . and -")

	// There is no default address: a self-hosted YCM's credentials must not go to another host by omission.
	baseURL := p.key("base_url")
	baseURL.need("write where YCM is, such as https://ycm.yeastar.com")
	baseURL.checkURL(a.BaseURL)
	p.checkCredentials(&a.ClientID, a.ClientSecret, &a.ClientSecretFile)

	a.RateLimit.check(p.key("rate_limit"))
	p.key("timeout").upTo(10*time.Minute, a.Timeout)
	p.key("page_concurrency").must(a.PageConcurrency >= 1 && a.PageConcurrency <= 8, "must be between 1 and 8")
	checkHTTPClient(&a.HTTPClient, p.key("http_client"))
	checkPBXs(a.PBXs, p.key("pbxs"))
}

// checkClient reports a second account with the same API client: YCM counts requests per client, so that two buckets
// here would overrun the one there.
func (a *Account) checkClient(p place, clients map[string]string) {
	baseURL, clientID := p.key("base_url"), p.key("client_id")
	if !baseURL.sound() || !clientID.sound() {
		return
	}
	client := a.BaseURL.String() + " " + a.ClientID
	first, taken := clients[client]
	clientID.must(!taken, "is the client of %s too, and YCM counts their requests together; make them one account", first)
	clients[client] = p.path
}

func (r *RateLimit) check(p place) {
	burst, rate := p.key("burst"), p.key("rate")
	burst.must(r.Burst >= 1 && r.Burst <= maxTokens, "must be between 1 and %d", maxTokens)
	rate.must(r.Rate >= 1 && r.Rate <= maxTokens, "must be between 1 and %d", maxTokens)
	p.key("interval").upTo(day, r.Interval)
	if r.Rate > r.Burst && !burst.failed() && !rate.failed() {
		rate.problem("%s is above burst %s; make burst at least %d", rate.number(r.Rate), burst.number(r.Burst), r.Rate)
	}
}

// number names a number, and says so if it is a default.
func (p place) number(n int) string {
	if p.given() {
		return strconv.Itoa(n)
	}
	return strconv.Itoa(n) + " (the default)"
}

func checkPBXs(pbxs []PBX, p place) {
	byHost := make(map[string]string)
	for i := range pbxs {
		at, pbx := p.item(i), &pbxs[i]
		if !at.mapping() || at.failed() {
			continue
		}
		address := at.key("url")
		address.need("write where the PBX is, such as https://pbx.example.yeastarcloud.com")
		address.checkURL(pbx.URL)
		at.checkCredentials(&pbx.ClientID, pbx.ClientSecret, &pbx.ClientSecretFile)
		if address.sound() {
			first, taken := byHost[pbx.URL.Host]
			address.must(!taken, "has the host of %s too; write each PBX once", first)
			byHost[pbx.URL.Host] = at.path
		}
	}
}

// upTo reports a duration that is not between a second and the most that makes sense.
func (p place) upTo(most, d time.Duration) {
	p.must(d >= time.Second && d <= most, "must be between 1s and %s", model.Duration(most))
}
