package doctor

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"slices"
	"syscall"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// checkConnection reports how YCM is reached, by the requests that were sent. cause is why no more were sent, if any.
func (x *examination) checkConnection(cause error) {
	if x.Proxy != nil {
		if proxy, err := x.Proxy(&http.Request{URL: x.Client.BaseURL}); err == nil && proxy != nil {
			x.add(connectionSection, "proxy", OK, "Requests go through an HTTP proxy.", "")
		}
	}
	_, exchanges, _ := x.recorder.recorded()
	exchanges = slices.DeleteFunc(exchanges, func(e *exchange) bool { return e.path == "" })
	var failure error
	var last *exchange // that is complete
	for _, e := range exchanges {
		if failure = cmp.Or(failure, e.err); e.err == nil {
			last = e
		}
	}
	if failure != nil {
		text, advice := unanswered(failure)
		v := Warning
		if errors.Is(cause, errUnreachable) {
			v = Problem
		}
		x.add(connectionSection, "answers", v, "A request had no complete response: %s.", advice, text)
	}
	if last != nil {
		x.checkTLS(last.tls)
		x.checkLatency(exchanges, last)
		x.checkClock(last)
	}
}

// unanswered explains why there is no complete response, without the texts of errors, which may hold names and addresses.
func unanswered(err error) (text, advice string) {
	var dns *net.DNSError
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &dns):
		return "the name of <ycm> cannot be resolved", "check base_url, and the DNS of this machine"
	case errors.As(err, &authority):
		return "the certificate of <ycm> is from an authority that this machine does not trust", "install the authority's certificate, or set http_client.tls_config.ca_file"
	case errors.As(err, &host):
		return "the certificate of <ycm> is for another name", "use the name in the certificate in base_url, or set http_client.tls_config.server_name"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "the certificate of <ycm> has expired or is not valid yet", "renew the certificate, and check this machine's clock"
	case errors.As(err, &record):
		return "the server does not use TLS", "check the scheme and port of base_url"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the connection is refused", "check the port in base_url, the firewall, and whether YCM runs"
	case yeastar.ClassOf(err) == yeastar.Timeout, errors.Is(err, context.DeadlineExceeded):
		return "it did not come within the time-out", "check the firewall, or raise timeout if YCM is slow"
	default:
		return "the connection broke", yeastar.Network.Advice()
	}
}

func (x *examination) checkTLS(state *tls.ConnectionState) {
	if state == nil || len(state.PeerCertificates) == 0 {
		x.add(connectionSection, "tls", Warning, "The connection is not encrypted.", "use https, unless this is a demo on loopback")
		return
	}
	const soon = 21 * 24 * time.Hour
	v, advice, expires := OK, "", state.PeerCertificates[0].NotAfter
	if time.Until(expires) < soon {
		v, advice = Warning, "renew the certificate: the exporter cannot connect once it has expired"
	}
	x.add(connectionSection, "tls", v, "%s; the certificate is valid until %s.", advice, tls.VersionName(state.Version), expires.UTC().Format(time.DateOnly))
}

// timesOf returns how long the complete exchanges took, the shortest first.
func timesOf(exchanges []*exchange) (times []time.Duration) {
	for _, e := range exchanges {
		if e.err == nil {
			times = append(times, e.took())
		}
	}
	slices.Sort(times)
	return times
}

func (x *examination) checkLatency(exchanges []*exchange, last *exchange) {
	times := timesOf(exchanges)
	most := times[len(times)-1]
	v, advice := OK, ""
	if most > x.Client.Timeout/2 {
		v, advice = Warning, "raise timeout: the slowest response took more than half of it"
	}
	x.add(connectionSection, "latency", v, "Response time over HTTP/%d: min %s, median %s, max %s (%s).", advice, last.version, short(times[0]), short(times[len(times)/2]), short(most), count(len(times), "response"))
}

// checkClock compares YCM's clock with this machine's.
func (x *examination) checkClock(e *exchange) {
	at, err := http.ParseTime(e.header.Get("Date")) // It has no fractions of a second.
	if err != nil {
		return
	}
	const tolerated = 30 * time.Second
	if difference := at.Sub(e.ended).Abs(); difference < tolerated {
		x.add(connectionSection, "clock", OK, "The clocks of YCM and of this machine agree.", "")
	} else {
		x.add(connectionSection, "clock", Warning, "The clocks of YCM and of this machine differ by %s.", "synchronise both clocks by NTP: expiry dates and ages are only as right as they are", short(difference))
	}
}
