package doctor

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"mime"
	"slices"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// checkLogin reports what came of the login, which the first request of the first check needed, and whether it succeeded.
func (x *examination) checkLogin(r result) bool {
	if slices.Contains(r.outcomes, outcome{ycmclient.EndpointToken, yeastar.OK}) {
		if slices.Contains(x.recorder.unexpected, "expires_in") {
			x.add(loginSection, "login", Warning, "The login succeeds. YCM does not report how long the token is valid, so it is renewed every minute.", "")
		} else {
			x.add(loginSection, "login", OK, "The login succeeds; the token is valid for %s (documented: 30m0s).", "", short(x.recorder.lifetime))
		}
		if !slices.ContainsFunc(r.exchanges, func(e *exchange) bool { return bytes.Contains(e.content.Bytes(), []byte(`"refresh_token"`)) }) {
			x.add(loginSection, "refresh", Warning, "There is no refresh token: the exporter logs in again each time.", "")
		} else {
			x.add(loginSection, "refresh", OK, "There is a refresh token.", "")
		}
		return true
	}
	bar := (*yeastar.Barred)(nil)
	switch {
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
		switch {
		case class == yeastar.Auth || class == yeastar.Denied:
			advice = "check client_id and the client secret (System > API), its Client IP Restriction, and Security > Blocked IP; do not try more than 4 times in a row, because YCM blocks an address after 5 refusals"
		case class == yeastar.Invalid || class == yeastar.NotFound:
			advice = "check base_url: it is YCM's address without /dm/open_api, as in https://ycm.yeastar.com"
		}
		x.add(loginSection, "login", Problem, "The login fails: %s.", advice, describe(r.err, r.last()))
	}
	return false
}

// describe says what kind of failure an error is. last is the exchange that it is of, if that is known.
func describe(err error, last *exchange) string {
	e := (*yeastar.Error)(nil)
	if !errors.As(err, &e) {
		e = &yeastar.Error{Class: yeastar.ClassOf(err)}
	}
	switch {
	case last != nil && last.err != nil && !errors.Is(last.err, context.Canceled):
		text, _ := unanswered(last.err)
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
	if last != nil {
		if media, _, err := mime.ParseMediaType(last.header.Get("Content-Type")); err == nil && media == "text/html" {
			text += " with an HTML page instead of JSON"
		}
	}
	if e.Code != 0 {
		text += fmt.Sprintf(", code %d %s", e.Code, cmp.Or(yeastar.CodeName(e.Code), "(not documented)"))
	}
	return text + ", class " + string(e.Class)
}
