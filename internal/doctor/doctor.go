package doctor

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/ycm-exporter/ycm_exporter/collector"
	"github.com/ycm-exporter/ycm_exporter/internal/secret"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// Options is an account as it is configured, and how it may be looked at.
type Options struct {
	BaseURL         *url.URL
	ClientID        string
	Secret          secret.Source
	Hidden          []secret.Text
	Search          string
	RateLimit       ycmclient.RateLimit
	Timeout         time.Duration
	PageConcurrency int
	Collectors      []collector.Configured

	Transport http.RoundTripper
	Proxy     func(*http.Request) (*url.URL, error) // Which HTTP proxy the transport uses; may be nil.
	Servers   *ycmclient.Servers                    // What is known of refused logins.
	UserAgent string

	// Shared says that an exporter is at work with this account, whose token might end with a refresh.
	Shared bool
	// Progress is told how many requests of how many were sent.
	Progress func(done, total int)
}

// examination is an account while it is looked at.
type examination struct {
	Options
	tap      *tap
	client   *ycmclient.Client
	list     *list
	err      error // of the first request
	runs     []*run
	findings []Finding
}

// Examine looks at an account. It returns early when there is nothing more to be learned, or when ctx ends, which is
// the error.
func Examine(ctx context.Context, o Options) (Account, error) {
	if o.RateLimit.Rate <= 0 || o.RateLimit.Interval <= 0 {
		o.RateLimit = ycmclient.RateLimit{Burst: 75, Rate: 75, Interval: time.Minute}
	}
	asking, end := context.WithCancelCause(ctx)
	defer end(nil)
	x := &examination{Options: o}
	x.tap = newTap(o.Transport, o.Timeout, o.RateLimit.Interval/time.Duration(o.RateLimit.Rate), end, o.Progress)
	const endless = 1_000_000 // The tap has the pace and the time-out: what it answers itself takes no time.
	x.client = ycmclient.New(ycmclient.Options{
		Account: "doctor", BaseURL: o.BaseURL, ClientID: o.ClientID, Secret: o.Secret, Hidden: o.Hidden, Servers: o.Servers,
		RateLimit: ycmclient.RateLimit{Burst: endless, Rate: endless, Interval: o.RateLimit.Interval},
		Timeout:   24 * time.Hour, Search: o.Search, Transport: x.tap, UserAgent: o.UserAgent,
	})
	defer x.client.Close()
	x.ask(asking)
	if ctx.Err() != nil {
		return Account{}, ctx.Err()
	}
	x.tell(context.Cause(asking))
	a := Account{Works: true, Requests: len(x.tap.sent), Findings: x.findings}
	for _, f := range x.findings {
		a.Works = a.Works && f.Verdict != Problem
	}
	return a, nil
}

// ask sends the requests, those first without which the others tell nothing.
func (x *examination) ask(ctx context.Context) {
	x.list = &list{}
	x.list.begin(ctx, x)
	login := x.tap.last(tokenPath)
	if login == nil || login.failure() != nil {
		return
	}
	x.runCollectors(ctx)
	x.list.goOn(ctx, x)
	if !x.Shared && login.refreshable() {
		_ = x.client.Renew(ctx) // What came of it is in the tap.
	}
	x.list.askForOne(ctx, x)
}

// tell makes the report of what came.
func (x *examination) tell(cause error) {
	x.tellConnection()
	if !x.tellLogin() {
		return
	}
	x.tellCollectors()
	x.tellList()
	x.tellRate()
	x.tellPBXs()
	switch {
	case errors.Is(cause, errLimited):
		x.add("Rate limit", "refused", Problem, "YCM refused a request because its rate limit was overrun, although the doctor asks at a fifth of the configured rate; nothing more was asked.",
			"lower rate_limit to what YCM grants this Client ID (System > API > Client Rate Limits), or give the exporter a Client ID of its own")
	case errors.Is(cause, errSpent):
		x.add("Rate limit", "spent", Note, "Not everything could be asked within %d requests, because some had to be repeated or there is more to ask.", "run the doctor again when YCM is well", MostRequests)
	}
}
