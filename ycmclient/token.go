package ycmclient

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/secret"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// EndpointToken names the requests for a token in errors and metrics, whoever needs it.
const EndpointToken = "token"

// token is the one access token of a Client ID ("Request Access Token", "Refresh Access Token"). It outlives the clients
// that use it.
type token struct {
	lock chan struct{} // Held by the one request that asks for a token; the others wait for what it gets.

	mu      sync.Mutex // Guards the five below; they are written with lock held.
	access  secret.Text
	expires time.Time
	renewAt time.Time
	granted []secret.Text // The latest tokens, which errors must not show,
	sent    secret.Text   // nor the client secret.

	// The rest is used with lock held.
	refresh   secret.Text
	grantedAt time.Time
	revokedAt time.Time // When a token was last replaced that YCM refused before its time.

	refusal *yeastar.Error // The latest refusal of credentials.
}

func newToken() *token { return &token{lock: make(chan struct{}, 1)} }

// tokens gets a client the token of its Client ID.
type tokens struct {
	*token
	client   *Client
	clientID string
	secret   secret.Source
	hidden   []secret.Text
	guard    *yeastar.Guard

	// Of the client's latest request for a token, for all who waited for it; used with lock held.
	failure  error
	failedAt time.Time
}

// betweenGrants is the least time between two of them: an answer that says that its token is all but expired must not
// become a loop.
const betweenGrants = 10 * time.Second

// settling is how old a token is when every server of a YCM knows it. One that is refused before was perhaps not yet
// known, so the one that replaces it is given that time.
const settling = 2 * time.Second

// get returns a token that is not the rejected one ("" if none was), asking YCM for it if there is none.
func (t *tokens) get(ctx context.Context, rejected string) (string, error) {
	if token, ok := t.current(rejected); ok {
		return token, nil
	}
	came := time.Now()
	select {
	case t.lock <- struct{}{}:
	case <-ctx.Done():
		return "", t.client.gone(EndpointToken, ctx.Err())
	}
	defer func() { <-t.lock }()
	if token, ok := t.current(rejected); ok {
		return token, nil
	}
	if t.failure != nil && t.failedAt.After(came) {
		return "", t.failure
	}
	young := rejected != "" && time.Since(t.grantedAt) < settling
	err := t.renew(ctx, rejected)
	if young && err == nil {
		_ = yeastar.Sleep(ctx, settling) // If ctx has ended, nothing is sent.
	}
	if t.failure = err; ctx.Err() != nil {
		t.failure = nil // Only this caller gave up.
	}
	t.failedAt = time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	now, token := time.Now(), t.access.Reveal()
	if err != nil && token != rejected && now.Before(t.expires) {
		t.renewAt = now.Add(betweenGrants)
		return token, nil // It was to be renewed ahead of its time, and is still good.
	}
	return token, err
}

// current returns the token if it need not be renewed.
func (t *tokens) current(rejected string) (string, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now, token := time.Now(), t.access.Reveal()
	return token, token != rejected && now.Before(t.renewAt) && now.Before(t.expires)
}

// renew asks for a new token: by the refresh token if there is one, else by the credentials.
func (t *tokens) renew(ctx context.Context, rejected string) error {
	since, revoked := t.grantedAt, rejected != "" && time.Now().Before(t.expires)
	if revoked {
		since = t.revokedAt
	}
	if err := yeastar.Sleep(ctx, time.Until(since.Add(betweenGrants))); err != nil {
		return t.client.gone(EndpointToken, err)
	}
	if revoked {
		t.revokedAt = time.Now()
	}
	if !t.refresh.Empty() {
		form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {t.refresh.Reveal()}}
		err := t.request(ctx, request{form: form})
		switch yeastar.ClassOf(err) {
		case yeastar.OK, yeastar.Network, yeastar.Timeout, yeastar.RateLimited:
			return err
		}
		t.refresh = secret.Text{} // Not every YCM knows refresh tokens. The credentials decide.
	}
	clientSecret, err := t.secret()
	if err != nil {
		message := yeastar.Cut(yeastar.Line("cannot read the client secret: "+err.Error()), yeastar.MaxMessage)
		return &yeastar.Error{Account: t.client.account, Endpoint: EndpointToken, Class: yeastar.Auth, Message: message, Err: err}
	}
	login := yeastar.Credentials{ClientID: t.clientID, Secret: clientSecret}
	if err := t.guard.Check(login); err != nil {
		return t.barred(err)
	}
	t.mu.Lock()
	t.sent = clientSecret
	t.mu.Unlock()
	return t.request(ctx, request{login: &login, form: url.Values{
		"grant_type": {"client_credentials"}, "client_id": {t.clientID}, "client_secret": {clientSecret.Reveal()},
	}})
}

// barred makes the error of a login that the guard did not let through.
func (t *tokens) barred(err error) *yeastar.Error {
	bar := (*yeastar.Barred)(nil)
	if !errors.As(err, &bar) {
		return t.client.gone(EndpointToken, err)
	}
	e := bar.After(t.refusal)
	e.Account, e.Endpoint, e.Err = t.client.account, EndpointToken, bar
	return &e
}

// record tells the guard what came of a request for a token. What YCM may count as a refused login is of class Auth
// then, whatever it looks like.
func (t *tokens) record(r request, failure *yeastar.Error) {
	no := failure != nil && refused(failure)
	if no {
		failure.Class = yeastar.Auth
	}
	switch {
	case r.login != nil && failure == nil:
		t.guard.Accepted(*r.login)
	case r.login != nil && no:
		t.guard.Refused(*r.login)
		t.refusal = failure
	case no:
		t.guard.RefreshRefused(t.clientID)
	}
}

// redactor knows the secrets that an answer may echo: the token in use, the latest ones, and the client secret.
func (t *tokens) redactor(inUse string) yeastar.Redactor {
	t.mu.Lock()
	defer t.mu.Unlock()
	return yeastar.NewRedactor(slices.Concat([]secret.Text{secret.New(inUse), t.sent}, t.granted, t.hidden)...)
}

// request sends one grant and takes over the token that it gets.
func (t *tokens) request(ctx context.Context, r request) error {
	var granted grant
	left := maxTries
	r.endpoint, r.path, r.read = EndpointToken, "oauth/token", granted.read
	err := t.client.persist(ctx, r, "", &left)
	t.client.observer.Login(r.form.Get("grant_type"), yeastar.ClassOf(err))
	if err == nil {
		t.accept(granted)
	}
	return err
}

// accept takes over a granted token.
func (t *tokens) accept(granted grant) {
	life := granted.life(t.client.observer.Unexpected)
	t.refusal = nil
	t.refresh = secret.New(granted.RefreshToken)
	t.grantedAt = time.Now()
	t.mu.Lock()
	t.access = secret.New(granted.AccessToken)
	t.expires = t.grantedAt.Add(life)
	t.renewAt = t.expires.Add(-min(time.Minute, life/10))
	const remembered = 8 // Answers may still tell of tokens that were replaced.
	t.granted = append(t.granted, t.access, t.refresh)
	t.granted = t.granted[max(0, len(t.granted)-remembered):]
	t.mu.Unlock()
	t.client.observer.TokenExpires(t.grantedAt.Add(life))
}

// grant is the answer to a token request: a bare object by the vendor's pages, but all else comes in YCM's envelope.
type grant struct {
	yeastar.Envelope
	Granted
	Data yeastar.List[Granted] `json:"data"`
}

// Granted is what is granted with a token.
type Granted struct {
	AccessToken  string         `json:"access_token"`
	RefreshToken string         `json:"refresh_token"`
	ExpiresIn    yeastar.Number `json:"expires_in"`
}

// ReadGrant reads an answer to a token request as far as it tells of a token.
func ReadGrant(body []byte) Granted {
	var g grant
	_ = g.decode(body) // What cannot be read grants nothing.
	return g.Granted
}

func (g *grant) decode(body []byte) *yeastar.Error {
	*g = grant{}
	if e := yeastar.Decode(body, g); e != nil {
		return e
	}
	if g.AccessToken == "" && len(g.Data.Items) > 0 {
		g.Granted = g.Data.Items[0]
	}
	return nil
}

// read takes a 2xx answer.
func (g *grant) read(status int, body []byte) *yeastar.Error {
	if e := g.decode(body); e != nil {
		return e
	}
	if g.AccessToken == "" {
		e := Classified(g.Failure(status))
		if e.Code == 0 && e.Message == "" && !g.Failed() {
			e.Class, e.Message = yeastar.Invalid, "the answer has no access_token"
		}
		return e
	}
	const longest = 8 << 10 // Servers do not take much longer headers.
	if len(g.AccessToken) > longest || strings.ContainsFunc(g.AccessToken, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return &yeastar.Error{Class: yeastar.Invalid, Message: "the answer's access_token cannot be sent in a header"}
	}
	return nil
}

// life is how long the access token is good from now on. YCM tells what remains of it, which may be nothing.
func (g *grant) life(unexpected yeastar.Unexpected) time.Duration {
	const unknown, longest = time.Minute, 24 * time.Hour
	if !g.ExpiresIn.Given || g.ExpiresIn.Value <= 0 {
		unexpected("expires_in")
		return unknown
	}
	return time.Duration(min(g.ExpiresIn.Value, int64(longest/time.Second))) * time.Second
}

// refused tells whether an error of the token endpoint is YCM's refusal. A broken server or a wrong address is not.
func refused(e *yeastar.Error) bool {
	switch e.Class {
	case yeastar.Auth, yeastar.Denied:
		return true
	case yeastar.NotFound:
		return e.HTTPStatus != http.StatusNotFound && e.HTTPStatus != http.StatusGone
	case yeastar.Server:
		return e.HTTPStatus < 300 && classOfCode(e.Code) == "" // It said Failed, and no reason of its own.
	case yeastar.Invalid:
		return e.Code != 0 || e.HTTPStatus >= 400
	default:
		return false
	}
}
