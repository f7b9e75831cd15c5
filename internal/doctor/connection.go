package doctor

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
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
		x.add(connectionSection, "answers", v, "A request got no complete response: %s.", advice, text)
	case x.recorder.responded:
		x.add(connectionSection, "answers", OK, "The server responds.", "")
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
		return "the host name cannot be resolved", "check base_url, and the DNS settings of this machine"
	case errors.As(err, &authority):
		return "the certificate is signed by an unknown authority", "set http_client.tls_config.ca_file to the certificate of the authority, or install it on this machine"
	case errors.As(err, &host):
		return "the certificate is for another host name", "use the host name in the certificate in base_url, or set http_client.tls_config.server_name"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "the certificate has expired or is not valid yet", "check the clock of this machine; if it is right, renew the certificate of the server"
	case errors.As(err, &record):
		return "the server does not use TLS", "check the scheme (https or http) and the port of base_url"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the connection is refused", "check that YCM runs, the port in base_url, and the firewall"
	case yeastar.ClassOf(err) == yeastar.Timeout:
		return "there was none within the timeout", "check base_url and the firewall; increase timeout if YCM is slow"
	default:
		return "the connection was closed", yeastar.Network.Advice()
	}
}

// checkLogin reports the result of the login, which the first request of the first check needed, and returns whether it succeeded.
func (x *examination) checkLogin(r result) bool {
	bar := (*yeastar.Barred)(nil)
	switch {
	case r.outcomes[ycmclient.EndpointToken] == yeastar.OK:
		x.add(loginSection, "login", OK, "The login succeeds.", "")
		return true
	case r.requests == 0 && errors.As(r.err, &bar):
		when := "the credentials change"
		if !bar.Until.IsZero() {
			when = bar.Until.UTC().Format(time.RFC3339)
		}
		x.add(loginSection, "login", Problem, "The login was not tried: the last %s failed, and YCM blocks an IP address after 5. The exporter does not try again before %s.",
			"correct the credentials and write the secret file again; if YCM lists the IP address of the exporter under Security > Blocked IP, remove it there", Count(bar.Refusals, "login"), when)
	case r.requests == 0:
		x.add(loginSection, "login", Problem, "The login was not tried: the client secret cannot be read.", "check that client_secret_file exists and that the user of the exporter can read it")
	case !x.recorder.responded:
		x.add(loginSection, "login", Skipped, "Not checked, because the server does not respond.", "")
	default:
		class := yeastar.ClassOf(r.err)
		advice := class.Advice()
		switch class {
		case yeastar.Auth, yeastar.Denied:
			advice = "in YCM, compare client_id and the client secret with System > API, and check Client IP Restriction and Security > Blocked IP; try at most 4 times, because YCM blocks an IP address after 5 failed logins"
		case yeastar.Invalid, yeastar.NotFound:
			advice = "check base_url (without /dm/open_api, for example https://ycm.yeastar.com), and whether a proxy, firewall or login page responds instead of YCM"
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
		return "no complete response, " + text
	case e.HTTPStatus == 0 && e.Class == yeastar.Invalid && e.Err == nil && e.Code == 0:
		return e.Message // The client's own words about what it read.
	case e.HTTPStatus == 0 && e.Class == yeastar.Auth:
		return "no login was sent, because the client secret cannot be read or the last logins failed"
	case e.HTTPStatus == 0:
		return spaced(e.Class)
	}
	text := fmt.Sprintf("HTTP %d", e.HTTPStatus)
	if e.HTTPStatus >= 300 {
		text = strings.TrimSpace(text + " " + http.StatusText(e.HTTPStatus))
	}
	switch {
	case e.HTTPStatus >= 300 && e.HTTPStatus < 400:
		text += ", a redirect, which the exporter does not follow"
	case r.html:
		text += " with an HTML page instead of JSON"
	case e.Code != 0:
		text += fmt.Sprintf(", code %d %s", e.Code, cmp.Or(yeastar.CodeName(e.Code), "(not documented)"))
	case e.HTTPStatus < 300:
		text += " with a response that is not as documented"
	}
	return text
}

// spaced writes a class as words.
func spaced(class yeastar.Class) string { return strings.ReplaceAll(string(class), "_", " ") }
