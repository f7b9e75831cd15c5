// Package doctor checks whether the exporter will work with an account of YCM, by at most [MaxRequests] requests.
//
// Each check calls the clients and collectors of the exporter itself, through a transport that counts and records, so
// the doctor cannot disagree with the exporter. It knows nothing of single collectors.
//
// Nothing in a report is secret or personal: it consists of fixed sentences, numbers, codes, the exporter's names for
// endpoints, and names of JSON fields. There is no host, no account name, and no text that a server chose.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/ycm-exporter/ycm_exporter/collector"
	"github.com/ycm-exporter/ycm_exporter/internal/sweep"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// Options is an account as it is configured.
type Options struct {
	Client     ycmclient.Options // as the exporter has it
	Collectors []collector.Configured
	// Direct makes the clients of PBXs with direct access, with limit around their transport. It may be nil.
	Direct func(limit func(http.RoundTripper) http.RoundTripper) ([]sweep.Direct, error)
	Proxy  func(*http.Request) (*url.URL, error) // the HTTP proxy that the transport uses; may be nil

	Progress func(done, total int) // is called with the number of requests sent and their maximum
}

// slowdown is how many times slower than the rate limit requests are sent. The exporter uses at most 80 % of the limit for
// long, so that both fit into it together.
const slowdown = 5

// examination is an account that is being checked.
type examination struct {
	Options
	recorder *recorder
	client   *ycmclient.Client
	list     list
	runs     []*run
	findings []Finding
}

// Examine checks an account. It returns an error only if ctx ends or the clients cannot be made.
func Examine(ctx context.Context, o Options) (Account, error) {
	checking, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	x := &examination{Options: o, recorder: &recorder{progress: o.Progress, stopAll: stop}}
	client := o.Client
	client.Transport, client.Observer = x.limit(client.Transport), x.recorder
	client.RateLimit.Burst, client.RateLimit.Interval = client.RateLimit.Rate, slowdown*client.RateLimit.Interval
	client.PageConcurrency = 1 // so that requests come in a fixed order
	x.client = ycmclient.New(client)
	defer x.client.Close()

	if x.checkList(checking) {
		x.checkSinglePBX(checking)
		x.checkCollectors(checking)
		x.checkProxy(checking)
		if err := x.checkDirect(checking); err != nil {
			return Account{}, err
		}
		x.checkRate()
	}
	if ctx.Err() != nil {
		return Account{}, ctx.Err()
	}
	checked := x.findings
	x.findings = nil
	x.checkConnection(context.Cause(checking))
	x.findings = append(x.findings, checked...)
	if errors.Is(context.Cause(checking), errRateLimited) {
		x.add(rateSection, "refused", Problem, "YCM refused a request because of its rate limit, although the doctor uses a fifth of the configured rate; nothing more was requested.",
			"lower rate_limit to what YCM grants this Client ID (System > API > Client Rate Limits), or use a separate Client ID for the exporter")
	}
	a := Account{Works: true, Findings: x.findings}
	a.Requests, _, _ = x.recorder.recorded()
	for _, f := range a.Findings {
		a.Works = a.Works && f.Verdict != Problem
	}
	return a, nil
}

func (x *examination) limit(t http.RoundTripper) http.RoundTripper {
	return limitedTransport{t, x.recorder}
}

// result is what came of one check.
type result struct {
	requests  int // that it sent
	exchanges []*exchange
	outcomes  []outcome
	spent     bool // it was ended early, because no more requests are allowed
	err       error
}

// last returns the last exchange, nil if there was none.
func (r *result) last() *exchange {
	if len(r.exchanges) == 0 {
		return nil
	}
	return r.exchanges[len(r.exchanges)-1]
}

// check runs do with at most so many requests.
func (x *examination) check(ctx context.Context, most int, do func(context.Context) error) (r result) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	x.recorder.allow(most, stop)
	requests, exchanges, outcomes := x.recorder.recorded()
	if r.err = ctx.Err(); r.err == nil {
		r.err = do(ctx)
	}
	r.spent = ctx.Err() != nil
	r.requests, r.exchanges, r.outcomes = x.recorder.recorded()
	r.requests, r.exchanges, r.outcomes = r.requests-requests, r.exchanges[len(exchanges):], r.outcomes[len(outcomes):]
	return r
}

// add adds a finding. All of args are numbers, or texts that reports may show.
func (x *examination) add(section, check string, v Verdict, text, advice string, args ...any) {
	x.findings = append(x.findings, Finding{section, check, v, fmt.Sprintf(text, args...), advice})
}
