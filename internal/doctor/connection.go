package doctor

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// checkConnection reports whether YCM responded to the requests that were sent.
func (x *examination) checkConnection() {
	switch failure := x.recorder.failure; {
	case failure != nil:
		v := Warning
		if !x.recorder.responded {
			v = Problem
		}
		text, advice := unanswered(failure)
		x.add(connectionSection, "answers", v, "A request had no complete response: %s.", advice, text)
	case x.recorder.responded:
		x.add(connectionSection, "answers", OK, "YCM responds.", "")
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
		return "the name of the server cannot be resolved", "check base_url, and the DNS of this machine"
	case errors.As(err, &authority):
		return "the certificate is from an authority that this machine does not trust", "install the authority's certificate, or set http_client.tls_config.ca_file"
	case errors.As(err, &host):
		return "the certificate is for another name", "use the name in the certificate in base_url, or set http_client.tls_config.server_name"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "the certificate has expired or is not valid yet", "renew the certificate, and check this machine's clock"
	case errors.As(err, &record):
		return "the server does not use TLS", "check the scheme and port of base_url"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the connection is refused", "check the port in base_url, the firewall, and whether YCM runs"
	case yeastar.ClassOf(err) == yeastar.Timeout:
		return "it did not come within the time-out", "check the firewall, or raise timeout if YCM is slow"
	default:
		return "the connection broke", yeastar.Network.Advice()
	}
}

// checkLogin reports what came of the login, which the first request of the first check needed, and whether it succeeded.
func (x *examination) checkLogin(r result) bool {
	bar := (*yeastar.Barred)(nil)
	switch {
	case r.outcomes[ycmclient.EndpointToken] == yeastar.OK:
		x.add(loginSection, "login", OK, "The login succeeds.", "")
		return true
	case r.requests == 0 && errors.As(r.err, &bar):
		when := "before the credentials change"
		if !bar.Until.IsZero() {
			when = "before " + bar.Until.UTC().Format(time.RFC3339)
		}
		x.add(loginSection, "login", Problem, "The login was not tried, and will not be %s, so that YCM does not block this address (refused logins in a row: %d).",
			"correct the credentials and write the secret file again; remove this address from YCM's Security > Blocked IP if it is there", when, bar.Refusals)
	case r.requests == 0:
		x.add(loginSection, "login", Problem, "The login was not tried: the client secret cannot be read.", "check client_secret_file, and whether this user may read it")
	default:
		class := yeastar.ClassOf(r.err)
		advice := class.Advice()
		switch class {
		case yeastar.Auth, yeastar.Denied:
			advice = "check client_id and the client secret (System > API), its Client IP Restriction, and Security > Blocked IP; do not try more than 4 times in a row, because YCM blocks an address after 5 refusals"
		case yeastar.Invalid, yeastar.NotFound:
			advice = "check base_url: it is YCM's address without /dm/open_api, as in https://ycm.yeastar.com"
		}
		x.add(loginSection, "login", Problem, "The login fails: %s.", advice, r.describe(r.err))
	}
	return false
}

// describe returns what kind of failure the error of the check's last request is.
func (r *result) describe(err error) string {
	e := (*yeastar.Error)(nil)
	if !errors.As(err, &e) {
		e = &yeastar.Error{Class: yeastar.ClassOf(err)}
	}
	switch {
	case r.failure != nil && !errors.Is(r.failure, context.Canceled):
		text, _ := unanswered(r.failure)
		return "there is no complete response: " + text
	case e.HTTPStatus == 0 && e.Class == yeastar.Invalid && e.Err == nil && e.Code == 0:
		return e.Message // The client's own words about what it read.
	case e.HTTPStatus == 0:
		return string(e.Class)
	}
	text := fmt.Sprintf("HTTP %d", e.HTTPStatus)
	if e.HTTPStatus >= 300 && e.HTTPStatus < 400 {
		text += ", a redirect, which is not followed"
	}
	if r.html {
		text += " with an HTML page instead of JSON"
	}
	if e.Code != 0 {
		text += fmt.Sprintf(", code %d %s", e.Code, cmp.Or(yeastar.CodeName(e.Code), "(not documented)"))
	}
	return text + ", class " + string(e.Class)
}
