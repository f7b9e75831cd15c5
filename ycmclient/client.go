// Package ycmclient is a client of the API of Yeastar Central Management (YCM), for one account.
//
// Clients of a Client ID share one access token, one limiter in the vendor's terms (burst, rate, interval), and the pause
// after a refusal. Every request takes from the limiter, requests for tokens and retries included. Walk reads the
// whole list of Cloud PBXs, complete or not at all; the other methods query one endpoint each.
//
// Only reads are ever sent: GET, and the POST that requests a token. Answers may be hostile: they are read up to
// 16 MiB, redirects are not followed, and an invalid value is absent and reported to the Observer.
//
// Errors are of type *Error, with a Class that says what kind of failure it was. They never hold a secret.
package ycmclient

import (
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/go-kit/log"

	"github.com/ycm-exporter/ycm_exporter/internal/secret"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// Options says which account to query, and how.
type Options struct {
	Account  string   // The account's name in errors and logs.
	BaseURL  *url.URL // YCM's address, without the /dm/open_api of the API. The same is always written in the same way.
	ClientID string
	Secret   secret.Source
	Servers  *Servers // Shared by all clients of the process.

	RateLimit       RateLimit
	Timeout         time.Duration // Of one request, 30 s if zero. Waiting for the rate limit is not part of it.
	PageConcurrency int           // Pages of a walk in flight, 1 to 8.
	Search          string        // Passed on to the list of Cloud PBXs; empty for every PBX.

	Transport http.RoundTripper // http.DefaultTransport if nil.
	HideTexts bool              // The transport sends other secrets as well, so that errors show no text of the server.
	UserAgent string            // YCM wants one; "ycm_exporter" if empty.
	Observer  Observer
	Logger    log.Logger // May be nil.
}

// Observer receives what the client does, to make metrics of it. It must be safe for concurrent use.
type Observer interface {
	Request(endpoint string, result yeastar.Class, took time.Duration) // A request that was sent, for a token as well.
	Retry(reason yeastar.Class)                                        // A request is sent again.
	RateLimitWait(d time.Duration)                                     // A request waited for the rate limit or a pause to end.
	Unexpected(field string)                                           // A JSON field held an unreadable value; the set of names is closed.
	Login(grant string, result yeastar.Class)                          // client_credentials or refresh_token.
	TokenExpires(at time.Time)                                         // There is a new access token.
	Repair()                                                           // A walk had to be repaired.
	Mismatch()                                                         // A walk is served although YCM's total and its list differ.
	Unconfirmed(now bool)                                              // Whether PBXs that the latest walk misses are unconfirmed.
}

// Client queries one account of YCM. It is safe for concurrent use.
type Client struct {
	Options
	baseURL string // With the API's own path, ending in a slash.
	http    *yeastar.HTTP
	limiter *limiter
	session *yeastar.Session
	guard   *yeastar.Guard
	begin   func()   // Is called before each request, and does its work once: a client that sends nothing changes nothing.
	simpler sync.Map // By how many steps the query of a list is simplified, by endpoint.
}

// New makes a client, which sends nothing by itself.
func New(o Options) *Client {
	if o.Logger == nil {
		o.Logger = log.NewNopLogger()
	}
	address := o.BaseURL.String()
	kept := o.Servers.account(accountKey{address, o.ClientID}, o.RateLimit)
	c := &Client{
		Options: o, baseURL: o.BaseURL.JoinPath("dm/open_api/").String(),
		limiter: kept.limiter, session: kept.session, guard: o.Servers.guard(address, yeastar.MostRefusalsYCM),
	}
	c.http = &yeastar.HTTP{
		Transport: o.Transport, Timeout: o.Timeout, UserAgent: o.UserAgent, HideTexts: o.HideTexts, Secrets: c.session.Secrets,
		Logger: log.With(o.Logger, "account", o.Account),
	}
	c.begin = sync.OnceFunc(func() {
		c.limiter.setLimit(o.RateLimit)
		if expires := c.TokenExpiry(); !expires.IsZero() {
			c.Observer.TokenExpires(expires)
		}
	})
	return c
}

// Redact makes the texts of an error fit to be shown that came through the account's YCM.
func (c *Client) Redact(failure *yeastar.Error) { c.http.Redact(failure) }

// Close closes the connections that no request uses. The client can still be used.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// RateLimit returns what the account's limiter does at present.
func (c *Client) RateLimit() RateLimitState { return c.limiter.state() }

// TokenExpiry returns when the access token ends, the zero time if there was none yet.
func (c *Client) TokenExpiry() time.Time { return c.session.Token().Expires }

// Unobserved is an Observer that ignores everything.
var Unobserved Observer = unobserved{}

type unobserved struct{}

func (unobserved) Request(string, yeastar.Class, time.Duration) {}
func (unobserved) Retry(yeastar.Class)                          {}
func (unobserved) RateLimitWait(time.Duration)                  {}
func (unobserved) Unexpected(string)                            {}
func (unobserved) Login(string, yeastar.Class)                  {}
func (unobserved) TokenExpires(time.Time)                       {}
func (unobserved) Repair()                                      {}
func (unobserved) Mismatch()                                    {}
func (unobserved) Unconfirmed(bool)                             {}

// RecordFields returns the JSON names of all fields that the client reads, as yeastar.RecordFields does.
func RecordFields() map[string]bool {
	return yeastar.RecordFields(
		CloudPBX{}, did{}, Region{}, Firmware{}, Subscription{}, planStatistics{}, remoteConnections{}, User{}, UserSubscription{},
	)
}
