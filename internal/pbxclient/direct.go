package pbxclient

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"time"

	"github.com/go-kit/log"

	"github.com/ycm-exporter/ycm_exporter/internal/secret"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// The calls that deal with tokens.
const (
	getToken = "get_token"
	delToken = "del_token"
)

// Options describe a PBX with direct access.
type Options struct {
	Account   string
	URL       *url.URL       // e.g. https://pbx.example.com or https://pbx.example.com:8088
	ClientID  string         // from the PBX's API settings
	Secret    secret.Source  // read at each login
	Guard     *yeastar.Guard // shared by all that log in at URL
	Timeout   time.Duration  // of one request, the login that it may need included
	Transport http.RoundTripper
	UserAgent string     // the API refuses requests without one; empty: ycm_exporter
	Logger    log.Logger // of each request, at debug; may be nil
}

// direct sends requests to the PBX itself, with the session's token in the query string. Whether a second login ends the first
// token is not documented, so one that is about to expire is revoked before: there is never a second one.
type direct struct {
	Options
	http    *yeastar.HTTP
	session *yeastar.Session
}

// Direct returns a client for a PBX with credentials of its own. Close it, or its token stays until it expires.
func Direct(o Options) *Client {
	session := yeastar.NewSession()
	d := &direct{Options: o, session: session, http: &yeastar.HTTP{
		Transport: o.Transport, Timeout: o.Timeout, UserAgent: o.UserAgent, Secrets: session.Secrets, Logger: o.Logger,
	}}
	return &Client{account: o.Account, Name: o.URL.Host, get: d.get, close: d.close}
}

// get sends one request, and one more with a new token if the PBX reports that the token has expired. One time-out is for all of it.
func (d *direct) get(caller context.Context, path string, query url.Values, answer yeastar.Enveloped) *yeastar.Error {
	ctx, cancel := context.WithTimeout(caller, d.Timeout)
	defer cancel()
	failure := d.session.Do(ctx, d.grant, func(access secret.Text) *yeastar.Error {
		return d.send(ctx, path, access, query, "", answer)
	})
	switch {
	case failure == nil:
		return nil
	case caller.Err() != nil:
		return &yeastar.Error{Class: yeastar.ClassOf(caller.Err()), Message: "canceled while waiting for the PBX", Err: caller.Err()}
	case ctx.Err() != nil:
		return &yeastar.Error{Class: yeastar.Timeout, Reach: yeastar.NoAnswer, Message: "no complete response within " + d.Timeout.String()}
	}
	return failure
}

// send sends a GET with the token, or a POST of a body.
func (d *direct) send(ctx context.Context, path string, access secret.Text, query url.Values, body string, into yeastar.Enveloped) *yeastar.Error {
	u := d.URL.JoinPath(apiRoot, path)
	if !access.Empty() {
		signed := url.Values{"access_token": {access.Reveal()}}
		maps.Copy(signed, query)
		u.RawQuery = signed.Encode()
	}
	request := yeastar.Request{Endpoint: path, URL: u.String(), ContentType: "application/json", Body: body}
	failure := d.http.Do(ctx, request, func(a *yeastar.Answer) *yeastar.Error {
		if unread := a.Decode(into); unread != nil && a.Succeeded() {
			unread.Reach = yeastar.NoAnswer
			return unread
		}
		return check(path, a.Status, into.Head())
	})
	if failure != nil {
		failure.Endpoint = path
	}
	return failure
}

// grant revokes the old token if it is alive, and logs in.
func (d *direct) grant(ctx context.Context, old yeastar.Token) (token yeastar.Token, failure *yeastar.Error) {
	if old.Alive() {
		if failure = d.send(ctx, delToken, old.Access, nil, "", new(yeastar.Envelope)); failure != nil && failure.Reach != yeastar.Answered {
			return old, failure
		}
	}
	password, err := d.Secret()
	if err != nil {
		return yeastar.Token{}, &yeastar.Error{Class: yeastar.Auth, Endpoint: getToken, Message: "cannot read the client secret", Advice: err.Error(), Err: err}
	}
	d.session.HideSecret(password)
	body, _ := json.Marshal(map[string]string{"username": d.ClientID, "password": password.Reveal()}) // Texts can always be encoded.
	failure = d.Guard.Login(ctx, yeastar.Credentials{Account: d.Account, ClientID: d.ClientID, Secret: password}, func() *yeastar.Error {
		var granted yeastar.GrantAnswer
		requested := time.Now()
		failure := d.send(ctx, getToken, secret.Text{}, nil, string(body), &granted)
		if failure == nil && granted.AccessToken == "" {
			failure = &yeastar.Error{Class: yeastar.Invalid, Reach: yeastar.Answered, Message: "the response to the login has no token"}
		}
		if failure == nil {
			token, failure = granted.Token(requested, granted.ExpireTime, 30*time.Minute) // As documented.
			d.session.HideTokens(token.Access)
		}
		return failure
	})
	if failure != nil {
		failure.Endpoint = getToken
	}
	return token, failure
}

func (d *direct) close(ctx context.Context) *yeastar.Error {
	defer d.http.CloseIdleConnections()
	left := d.session.Close(ctx)
	if !left.Alive() {
		return nil
	}
	if failure := d.send(ctx, delToken, left.Access, nil, "", new(yeastar.Envelope)); !failure.TokenRejected() {
		return failure
	}
	return nil
}
