package doctor

import (
	"errors"
	"fmt"
	"mime"
	"slices"
	"strings"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

const login = "Login"

// refreshable tells whether the answer to a login has a token for a refresh.
func (e *exchange) refreshable() bool { return ycmclient.ReadGrant(e.body).RefreshToken != "" }

// tellLogin tells of the tokens, and whether there is one.
func (x *examination) tellLogin() bool {
	asked := x.tap.of(tokenPath)
	if len(asked) == 0 && yeastar.ClassOf(x.err) == yeastar.RateLimited {
		x.add(login, "login", Problem, "The login was not tried: YCM has refused the exporter's requests for being too many, and is not to be asked yet.", "wait an hour, and lower rate_limit")
		return false
	}
	if bar := x.barred(); len(asked) == 0 && bar != nil {
		when := "before the credentials change"
		if !bar.Until.IsZero() {
			when = "before " + bar.Until.UTC().Format(time.RFC3339)
		}
		x.add(login, "login", Problem, "The login was not tried, and will not be %s, so that YCM does not block this address (refused logins in a row: %d).",
			"correct the credentials and write the secret file anew; remove this address from YCM's Security > Blocked IP if it is there", when, bar.Refusals)
		return false
	}
	if len(asked) == 0 {
		x.add(login, "login", Problem, "The login was not tried: the client secret cannot be read.", "check client_secret_file, and whether this user may read it")
		return false
	}
	first := asked[0]
	if failure := first.failure(); failure != nil {
		x.tellRefusal(first, failure)
		return false
	}
	expires := ycmclient.ReadGrant(first.body).ExpiresIn
	life := time.Duration(min(max(0, expires.Value), 1<<31)) * time.Second
	switch {
	case !expires.Given:
		x.add(login, "login", Note, "The login (client_credentials) succeeds. YCM does not tell how long the token lives, so it is renewed each minute.", "")
	case life < 2*time.Minute:
		x.add(login, "login", Note, "The login (client_credentials) succeeds. The token lives for %s only: it may be an older one that YCM gave again.", "", short(life))
	default:
		x.add(login, "login", Fine, "The login (client_credentials) succeeds; the token lives for %s (documented: 30m0s).", "", short(life))
	}
	switch {
	case !first.refreshable():
		x.add(login, "refresh", Note, "No refresh token came: the exporter logs in anew each time.", "")
	case x.Shared:
		x.add(login, "refresh", Fine, "A refresh token came. It was not tried, because an exporter is at work with this account.", "")
	case len(asked) < 2:
		x.add(login, "refresh", Note, "A refresh token came, and was not tried.", "")
	default:
		x.tellRefresh(asked[1])
	}
	return true
}

func (x *examination) tellRefresh(e *exchange) {
	failure := e.failure()
	if failure != nil {
		x.add(login, "refresh", Note, "A refresh token came, but the refresh fails (%s): the exporter logs in anew each time.", "", describe(e, failure))
		return
	}
	after := x.tap.sent[slices.Index(x.tap.sent, e)+1:]
	if i := slices.IndexFunc(after, func(e *exchange) bool { return e.err == nil }); i >= 0 {
		if failure := after[i].failure(); failure != nil && failure.Class == yeastar.Auth {
			x.add(login, "refresh", Note, "A refresh token came and gives a new token, which YCM then does not take: the exporter logs in anew.", "")
			return
		}
	}
	x.add(login, "refresh", Fine, "A refresh token came, and works%s.", "", either(e.refreshable(), "; the next one comes with it", ", once: no further one came with it"))
}

// barred tells why the login was not tried, nil if that was for another reason.
func (x *examination) barred() *yeastar.Barred {
	bar := (*yeastar.Barred)(nil)
	if !errors.As(x.err, &bar) {
		return nil
	}
	return bar
}

// tellRefusal tells why there is no token.
func (x *examination) tellRefusal(e *exchange, failure *yeastar.Error) {
	if e.err != nil {
		text, advice := unanswered(e.err)
		x.add(login, "login", Problem, "The login had no answer: %s.", advice, text)
		return
	}
	advice := failure.Class.Advice()
	envelope, isJSON := e.envelope()
	switch {
	case !isJSON && (failure.Class == yeastar.Auth || failure.Class == yeastar.Denied):
		advice = "check base_url, and the Client IP Restriction (System > API): something before YCM may say no to this address"
	case !isJSON:
		advice = "check base_url: it is YCM's address without /dm/open_api, as in https://ycm.yeastar.com"
	case failure.Code == 0 && failure.Message == "" && e.status < 300:
		x.add(login, "login", Problem, "The answer to the login is JSON, but has no access_token: what answers there is not YCM's API.", "check base_url")
		return
	case failure.Code == 1000002 || failure.Code == 1000033 || failure.Class == yeastar.Auth || failure.Class == yeastar.Denied:
		advice = "check client_id and the client secret (System > API), its Client IP Restriction, and Security > Blocked IP; do not try more than 4 times in a row, because YCM blocks an address after 5 refusals"
	}
	x.add(login, "login", Problem, "The login (client_credentials) is refused: %s.", advice, describe(e, failure))
	if isJSON {
		x.add(login, "failure_shape", Note, "A failed answer has HTTP status %d and %s. The documentation does not show one.", "", e.status, shape(&envelope))
	}
}

// describe tells what kind of failure an answer is.
func describe(e *exchange, failure *yeastar.Error) string {
	if e.err != nil {
		text, _ := unanswered(e.err)
		return text
	}
	envelope, isJSON := e.envelope()
	if !isJSON {
		return fmt.Sprintf("HTTP %d with %s in the place of JSON", e.status, strings.Replace(contentType(e), "application/json", "what is called JSON and is none", 1))
	}
	if e.status >= 300 && e.status < 400 {
		return fmt.Sprintf("HTTP %d, a redirect, which is not followed", e.status)
	}
	text := fmt.Sprintf("HTTP %d", e.status)
	if envelope.OwnStatus() {
		text += ", a status that is neither Success nor Failed"
	}
	if failure.Code != 0 {
		text += fmt.Sprintf(", code %d", failure.Code)
		if name := yeastar.CodeName(failure.Code); name != "" {
			text += " " + name
		} else {
			text += ", which is not documented"
		}
	}
	return text + ", taken for " + string(failure.Class)
}

func contentType(e *exchange) string {
	media, _, err := mime.ParseMediaType(e.header.Get("Content-Type"))
	if err == nil && slices.Contains([]string{"text/html", "text/plain", "text/xml", "application/xml", "application/json"}, media) {
		return media
	}
	return "something"
}

// shape names the fields in which a failed answer tells what failed.
func shape(e *yeastar.Envelope) string {
	var fields []string
	for _, f := range []struct {
		name string
		came bool
	}{
		{"status", e.Status.String() != ""},
		{"code", e.Code.Given},
		{"errcode", e.ErrCode.Given},
		{"errno", e.ErrNo.Given},
		{"errorCode", e.ErrorCode.Given},
		{"msg", e.Msg != ""},
		{"message", e.Message != ""},
		{"errmsg", e.ErrMsg != ""},
		{"error_description", e.Description != ""},
		{"detail", e.Detail != ""},
		{"errors", len(e.Errors) > 0},
		{"error", len(e.Error) > 0},
		{"requestId", e.RequestID != ""},
	} {
		if f.came {
			fields = append(fields, f.name)
		}
	}
	if fields == nil {
		return "none of the known fields"
	}
	return "the fields " + strings.Join(fields, ", ")
}
