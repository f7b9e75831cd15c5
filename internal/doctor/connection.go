package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

const connection = "Connection"

// tellConnection tells how YCM is reached.
func (x *examination) tellConnection() {
	for _, e := range x.tap.sent {
		if e.addresses > 0 {
			x.add(connection, "name", Fine, "The name of <ycm> resolves to %s in %s.", "", count(e.addresses, "address"), short(e.resolved))
			break
		}
	}
	if x.Proxy != nil {
		proxy, err := x.Proxy(&http.Request{URL: x.BaseURL})
		if err == nil && proxy != nil {
			x.add(connection, "proxy", Note, "Requests go through an HTTP proxy (%s).", "", either(proxy.Scheme == "https", "https", "http"))
		} else {
			x.add(connection, "proxy", Fine, "Requests go to <ycm> without an HTTP proxy.", "")
		}
	}
	answered := answeredOf(x.tap.sent)
	for _, e := range x.tap.sent {
		if e.err != nil {
			text, advice := unanswered(e.err)
			x.add(connection, "answers", Problem, "A request (%s) had no answer: %s.", advice, e.kind, text)
			break
		}
	}
	if len(answered) == 0 {
		if len(x.tap.sent) == 0 {
			x.add(connection, "answers", Problem, "No request was sent.", "see the login below")
		}
		return
	}
	x.tellTLS(answered[0].tls)
	x.tellLatency(answered)
	last := answered[len(answered)-1]
	compressed := slices.ContainsFunc(answered, func(e *exchange) bool { return e.compressed })
	x.add(connection, "protocol", Fine, "Answers come by %s; YCM %s.", "", knownProtocol(last.proto),
		either(compressed, "compresses them if asked to, which the exporter does not", "does not compress them"))
	x.tellClocks(answered)
}

// unanswered tells why no answer came, in words of our own: an error may hold names and addresses.
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
		return "the certificate of <ycm> is of an authority that this machine does not trust", "install the authority's certificate, or name it with http_client.tls_config.ca_file"
	case errors.As(err, &host):
		return "the certificate of <ycm> is for another name", "use the name in the certificate in base_url, or http_client.tls_config.server_name"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "the certificate of <ycm> has expired, or is not valid yet", "renew the certificate, and check this machine's clock"
	case errors.As(err, &record):
		return "what answers does not speak TLS", "check the scheme and port of base_url"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the connection is refused", "check the port in base_url, the firewall, and whether YCM runs"
	case errors.Is(err, errTooLong):
		return "the answer is over 16 MiB", "check base_url, and what it is that answers there"
	case yeastar.ClassOf(err) == yeastar.Timeout, errors.Is(err, context.DeadlineExceeded):
		return "no whole answer came within the time-out", "check the firewall, or raise timeout if YCM is slow"
	default:
		return "the connection broke", yeastar.Network.Advice()
	}
}

func (x *examination) tellTLS(state *tls.ConnectionState) {
	if state == nil || len(state.PeerCertificates) == 0 {
		x.add(connection, "tls", Note, "The connection is not encrypted, or that cannot be seen here.", "use https, unless this is a demo on loopback")
		return
	}
	certificate := state.PeerCertificates[0]
	left := time.Until(certificate.NotAfter)
	const soon = 21 * 24 * time.Hour
	v, advice := Fine, ""
	if left < soon {
		v, advice = Note, "renew the certificate: the exporter does not connect once it has expired"
	}
	x.add(connection, "tls", v, "%s with %s; the certificate, issued by %s, is valid until %s.", advice,
		tls.VersionName(state.Version), tls.CipherSuiteName(state.CipherSuite), issuer(certificate), certificate.NotAfter.UTC().Format(time.DateOnly))
}

// issuer names a public authority. The name of another could tell whose YCM it is.
func issuer(c *x509.Certificate) string {
	if c.CheckSignatureFrom(c) == nil {
		return "itself"
	}
	for _, known := range []string{
		"Let's Encrypt", "DigiCert", "Sectigo", "GlobalSign", "Google Trust Services", "Amazon", "ZeroSSL", "GoDaddy", "Entrust",
		"Microsoft", "Cloudflare", "TrustAsia", "GeoTrust", "RapidSSL", "Thawte", "WoTrus", "Buypass", "Actalis", "SSL.com", "Certum", "SwissSign", "D-Trust", "HARICA",
	} {
		if slices.ContainsFunc(c.Issuer.Organization, func(o string) bool { return strings.HasPrefix(o, known) }) {
			return known
		}
	}
	return "an authority that is not one of the well-known"
}

// answeredOf is the exchanges that had a whole answer.
func answeredOf(all []*exchange) []*exchange {
	return slices.DeleteFunc(slices.Clone(all), func(e *exchange) bool { return e.err != nil })
}

// timesOf is how long those that had a whole answer took, the shortest first.
func timesOf(all []*exchange) (times []time.Duration) {
	for _, e := range answeredOf(all) {
		times = append(times, e.took())
	}
	slices.Sort(times)
	return times
}

func (x *examination) tellLatency(answered []*exchange) {
	times := timesOf(answered)
	middle, most := times[len(times)/2], times[len(times)-1]
	v, advice := Fine, ""
	switch {
	case most > x.Timeout/2:
		v, advice = Note, "raise timeout: the slowest answer took more than half of it"
	case middle > 2*time.Second:
		v, advice = Note, "raise page_concurrency if walks take too long"
	}
	x.add(connection, "latency", v, "An answer takes %s at least, %s in the median, %s at most (%s).", advice,
		short(times[0]), short(middle), short(most), count(len(times), "answer"))
}

func knownProtocol(proto string) string {
	if slices.Contains([]string{"HTTP/1.0", "HTTP/1.1", "HTTP/2.0"}, proto) {
		return proto
	}
	return "another protocol"
}

// tellClocks compares the clocks by the Date of the answers, and by the time that YCM writes into them.
func (x *examination) tellClocks(answered []*exchange) {
	off := func(check, what string, of func(*exchange) (time.Time, bool)) {
		for _, e := range slices.Backward(answered) {
			at, ok := of(e)
			if !ok {
				continue
			}
			// Both are whole seconds, cut off, and written some time before the answer came.
			difference := at.Sub(e.answered)
			const tolerated = 30 * time.Second
			v := either(difference.Abs() < tolerated, Fine, Note)
			advice := ""
			if v == Note {
				advice = "set the clocks by NTP: expiry dates and ages are only as right as they are"
			}
			if difference.Abs() < 2*time.Second {
				x.add(connection, check, v, "The clock of YCM (%s) agrees with this machine's.", advice, what)
			} else {
				x.add(connection, check, v, "The clock of YCM (%s) is %s %s this machine's.", advice, what, short(difference.Abs().Round(time.Second)),
					either(difference > 0, "ahead of", "behind"))
			}
			return
		}
		x.add(connection, check, Note, "YCM does not tell its time (%s).", "", what)
	}
	off("clock_date", "Date of its answers", func(e *exchange) (time.Time, bool) {
		at, err := http.ParseTime(e.header.Get("Date"))
		return at, err == nil
	})
	off("clock_time", "time in its answers", func(e *exchange) (time.Time, bool) {
		var a struct {
			Time yeastar.Number `json:"time"`
		}
		if yeastar.Decode(e.body, &a) != nil {
			return time.Time{}, false
		}
		seconds, ok := a.Time.Time("time", nil).Get()
		return time.Unix(seconds, 0), ok
	})
}
