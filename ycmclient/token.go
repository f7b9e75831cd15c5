package ycmclient

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/ycm-exporter/ycm_exporter/secret"
	"github.com/ycm-exporter/ycm_exporter/yeastar"
)

// tokens keeps the account's one access token ("Request Access Token", "Refresh Access Token").
type tokens struct {
	client   *Client
	clientID string
	secret   secret.Source
	turn     chan struct{} // Held by the one request that asks for a token; the others wait for what it gets.

	mu      sync.Mutex // Guards the five below; they are written with turn held.
	access  secret.Text
	expires time.Time
	renewAt time.Time
	granted []secret.Text // The latest tokens, which errors must not show,
	sent    secret.Text   // nor the client secret.

	// The rest is used with turn held.
	refresh   secret.Text
	grantedAt time.Time
	revokedAt time.Time // When a token was last replaced that YCM refused before its time.

	refusals int // In a row, of refresh tokens and of credentials.
	refused  secret.Text
	retryAt  time.Time
	refusal  *yeastar.Error

	failure  error // Of the latest request for a token, for all who waited for it.
	failedAt time.Time
}

// YCM blocks an address after more than five refused logins in a row, so a refusal is not followed by another try
// at once, and after four of them hardly ever. Logins that succeed are no danger, but an answer that says that its
// token is all but expired must not become a loop.
const (
	afterRefusal  = time.Minute
	afterRefusals = 15 * time.Minute
	manyRefusals  = 4
	betweenGrants = 10 * time.Second
)

// get returns a token that is not the rejected one ("" if none was), asking YCM for it if there is none.
func (t *tokens) get(ctx context.Context, rejected string) (string, error) {
	if token, ok := t.current(rejected); ok {
		return token, nil
	}
	came := time.Now()
	select {
	case t.turn <- struct{}{}:
	case <-ctx.Done():
		return "", t.client.gone(endpointToken, ctx.Err())
	}
	defer func() { <-t.turn }()
	if token, ok := t.current(rejected); ok {
		return token, nil
	}
	if t.failure != nil && t.failedAt.After(came) {
		return "", t.failure
	}
	err := t.renew(ctx, rejected)
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
	if err := sleep(ctx, time.Until(since.Add(betweenGrants))); err != nil {
		return t.client.gone(endpointToken, err)
	}
	if revoked {
		t.revokedAt = time.Now()
	}
	if !t.refresh.Empty() {
		err := t.request(ctx, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {t.refresh.Reveal()}})
		switch yeastar.ClassOf(err) {
		case yeastar.OK, yeastar.Network, yeastar.Timeout, yeastar.RateLimited:
			return err
		}
		t.refresh = secret.Text{} // Not every YCM knows refresh tokens. The credentials decide.
	}
	clientSecret, err := t.secret()
	if err != nil {
		message := cut(printable("cannot read the client secret: "+err.Error()), maxMessage)
		return &yeastar.Error{Account: t.client.account, Endpoint: endpointToken, Class: yeastar.Auth, Message: message, Err: err}
	}
	if t.refusal != nil && time.Now().Before(t.retryAt) && clientSecret.Reveal() == t.refused.Reveal() {
		barred := *t.refusal
		barred.Message = cut(fmt.Sprintf("not tried again before %s, refused logins in a row: %d: %s",
			t.retryAt.UTC().Format(time.RFC3339), t.refusals, barred.Message), maxMessage)
		return &barred
	}
	t.mu.Lock()
	t.sent = clientSecret
	t.mu.Unlock()
	err = t.request(ctx, url.Values{
		"grant_type": {"client_credentials"}, "client_id": {t.clientID}, "client_secret": {clientSecret.Reveal()},
	})
	if refusal := (*yeastar.Error)(nil); errors.As(err, &refusal) && refusal.Class == yeastar.Auth {
		t.refusal, t.refused, t.retryAt = refusal, clientSecret, time.Now().Add(afterRefusal)
		if t.refusals >= manyRefusals {
			t.retryAt = time.Now().Add(afterRefusals)
		}
	}
	return err
}

// request sends one grant and takes over the token that it gets.
func (t *tokens) request(ctx context.Context, form url.Values) error {
	var granted grant
	left := maxTries
	err := t.client.persist(ctx, question{endpoint: endpointToken, path: "oauth/token", form: form, read: granted.read}, "", &left)
	t.client.observer.Login(form.Get("grant_type"), yeastar.ClassOf(err))
	switch {
	case err == nil:
		t.accept(granted)
	case yeastar.ClassOf(err) == yeastar.Auth:
		t.refusals++
	}
	return err
}

// accept takes over a granted token.
func (t *tokens) accept(granted grant) {
	life := granted.life(t.client.observer.Unexpected)
	t.refusals, t.refusal = 0, nil
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

// grant is the answer to a token request: a bare object, not YCM's envelope.
type grant struct {
	envelope
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
	ExpiresIn    number `json:"expires_in"`
}

// read takes a 2xx answer.
func (g *grant) read(status int, body []byte) *yeastar.Error {
	*g = grant{}
	if e := decode(body, g); e != nil {
		return e
	}
	if g.AccessToken == "" {
		e := judge(status, body)
		if e.Code == 0 && e.Message == "" && !g.failed() {
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
func (g *grant) life(odd oddities) time.Duration {
	const unknown, longest = time.Minute, 24 * time.Hour
	if !g.ExpiresIn.given || g.ExpiresIn.value <= 0 {
		odd("expires_in")
		return unknown
	}
	return time.Duration(min(g.ExpiresIn.value, int64(longest/time.Second))) * time.Second
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
