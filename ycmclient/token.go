package ycmclient

import (
	"context"
	"net/url"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/secret"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// EndpointToken is the name of requests for a token in errors and metrics.
const EndpointToken = "token"

// grant requests a token ("Request Access Token", "Refresh Access Token"): with the refresh token if there is one, else with the
// credentials.
func (c *Client) grant(ctx context.Context, old yeastar.Token) (yeastar.Token, *yeastar.Error) {
	credentials := yeastar.Credentials{Account: c.Account, ClientID: c.ClientID}
	if !old.Refresh.Empty() && c.guard.Check(credentials) == nil {
		form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {old.Refresh.Reveal()}}
		token, failure := c.requestToken(ctx, credentials, form)
		if failure == nil {
			return token, nil
		}
		if failure.Class == yeastar.Network || failure.Class == yeastar.Timeout || failure.Class == yeastar.RateLimited {
			return old, failure
		}
	}
	old.Refresh = secret.Text{} // Not every YCM accepts refresh tokens. The credentials decide.
	clientSecret, err := c.Secret()
	if err != nil {
		return old, &yeastar.Error{
			Account: c.Account, Endpoint: EndpointToken, Class: yeastar.Auth, Message: yeastar.Line("cannot read the client secret: " + err.Error()), Err: err,
		}
	}
	c.session.HideSecret(clientSecret)
	credentials.Secret = clientSecret
	if barred := c.guard.Check(credentials); barred != nil { // Without waiting for the rate limit.
		barred.Account, barred.Endpoint = c.Account, EndpointToken
		return old, barred
	}
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {c.ClientID}, "client_secret": {clientSecret.Reveal()}}
	token, failure := c.requestToken(ctx, credentials, form)
	if failure != nil {
		return old, failure
	}
	return token, nil
}

// requestToken sends one form, unless the guard bars logins with these credentials.
func (c *Client) requestToken(ctx context.Context, credentials yeastar.Credentials, form url.Values) (token yeastar.Token, failure *yeastar.Error) {
	const unknownLife = time.Minute // What remains of a token's life is not always given, and may be nothing.
	read := func(a *yeastar.Answer) *yeastar.Error {
		var g yeastar.GrantAnswer
		failure := a.Decode(&g)
		if failure == nil && g.AccessToken == "" && len(g.Data.Items) > 0 { // It came in YCM's envelope.
			g.Granted = g.Data.Items[0]
		}
		switch {
		case failure != nil:
			return failure
		case g.AccessToken == "":
			e := g.Failure(a.Status)
			if e.Code == 0 && e.Message == "" && !g.Failed() {
				e.Class, e.Message = yeastar.Invalid, "the response has no access_token"
			}
			return e
		case !g.ExpiresIn.Given || g.ExpiresIn.Value <= 0:
			c.Observer.Unexpected("expires_in")
		}
		token, failure = g.Token(time.Now(), g.ExpiresIn, unknownLife)
		c.session.HideTokens(token.Access, token.Refresh)
		return failure
	}
	failure = c.try(ctx, request{endpoint: EndpointToken, path: "oauth/token", form: form, read: read, login: &credentials}, secret.Text{})
	if failure != nil {
		c.Observer.Login(form.Get("grant_type"), failure.Class)
		return token, failure
	}
	c.Observer.Login(form.Get("grant_type"), yeastar.OK)
	c.Observer.TokenExpires(token.Expires)
	return token, nil
}
