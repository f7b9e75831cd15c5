// Package doctor checks whether the exporter will work with an account of YCM, by at most [MaxRequests] requests.
//
// Each check calls the clients and collectors of the exporter itself, through a transport that counts and records, so
// the doctor cannot disagree with the exporter. It does not know any collector by name.
//
// Nothing in a report is secret or personal: it consists of fixed sentences, numbers, codes and the exporter's names for
// endpoints. There is no host, no account name, and no text that a server chose.
package doctor

import (
	"context"
	"errors"
	"fmt"

	"github.com/ycm-exporter/ycm_exporter/collector"
	"github.com/ycm-exporter/ycm_exporter/internal/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// Options is an account as it is configured.
type Options struct {
	Client     ycmclient.Options   // as the exporter has it
	PBXs       []pbxclient.Options // with direct access, as the exporter has them
	Collectors []collector.Configured
	Progress   func(done, total int) // is called with the number of requests sent and their maximum
}

// slowdown is how many times slower than the rate limit requests are sent: the doctor uses the 20 % of the limit that a running
// exporter leaves.
const slowdown = 5

// examination is an account that is being checked.
type examination struct {
	Options
	recorder *recorder
	client   *ycmclient.Client
	fleet    fleet
	needed   float64 // requests per second of the enabled collectors
	findings []Finding
}

// Examine checks an account. It returns an error only if ctx ends.
func Examine(ctx context.Context, o Options) (Account, error) {
	checking, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	x := &examination{Options: o, recorder: &recorder{Observer: ycmclient.Unobserved, progress: o.Progress, stopAll: stop}}
	client := o.Client
	client.Transport, client.Observer = limitedTransport{client.Transport, x.recorder}, x.recorder
	client.RateLimit.Burst, client.RateLimit.Interval = client.RateLimit.Rate, slowdown*client.RateLimit.Interval
	client.PageConcurrency = 1 // so that requests come in a fixed order
	x.client = ycmclient.New(client)
	defer x.client.Close()

	if x.checkList(checking) {
		x.checkSinglePBX(checking)
		x.checkCollectors(checking)
		x.checkProxy(checking)
		x.checkDirect(checking)
		x.checkDemand()
	}
	if ctx.Err() != nil {
		return Account{}, ctx.Err()
	}
	if errors.Is(context.Cause(checking), errRateLimited) {
		x.add(rateSection, "refused", Problem, "YCM refused a request because of its rate limit, although the doctor uses only 20 %% of rate_limit. No further request was sent.",
			"set rate_limit to the values in YCM (System > API > Client Rate Limits), and use a Client ID that no other program uses")
	}
	checked := x.findings
	x.findings = nil
	x.recorder.mu.Lock() // A request may still be waiting for its response.
	defer x.recorder.mu.Unlock()
	x.checkConnection()
	a := Account{Works: true, Requests: x.recorder.sent, Findings: append(x.findings, checked...)}
	for _, f := range a.Findings {
		a.Works = a.Works && f.Verdict != Problem
	}
	return a, nil
}

// check runs do, which may send at most that many requests.
func (x *examination) check(ctx context.Context, most int, do func(context.Context) error) result {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	x.recorder.expect(most, stop)
	err := ctx.Err()
	if err == nil {
		err = do(ctx)
	}
	r := x.recorder.expect(0, stop) // A request may still be waiting for its response.
	r.err, r.ended = err, ctx.Err() != nil
	return r
}

// add adds a finding. All of args are numbers, or texts that reports may show.
func (x *examination) add(section, check string, v Verdict, text, advice string, args ...any) {
	x.findings = append(x.findings, Finding{section, check, v, fmt.Sprintf(text, args...), advice})
}
