package pbxclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/secret"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// Options describe a PBX that is spoken to directly.
type Options struct {
	Account   string
	URL       *url.URL       // e.g. https://pbx.example.com or https://pbx.example.com:8088
	ClientID  string         // from the PBX's API settings
	Secret    secret.Source  // asked at each login
	Hidden    []secret.Text  // what the transport sends besides, as a proxy's credentials: answers may echo it
	Guard     *yeastar.Guard // shared by all who log in at URL; nil: one of the client's own
	Timeout   time.Duration  // of one request, the login that it may need included; 0: 30 s
	Transport http.RoundTripper
	UserAgent string // the API refuses requests without one; empty: ycm_exporter
}

// Direct returns a client for a PBX with credentials of its own. Close it, or its token stays until it expires.
func Direct(o Options) *Client {
	if o.Timeout <= 0 {
		o.Timeout = 30 * time.Second
	}
	if o.UserAgent == "" {
		o.UserAgent = "ycm_exporter"
	}
	if o.Transport == nil {
		o.Transport = http.DefaultTransport
	}
	if o.Guard == nil {
		o.Guard = yeastar.NewGuard(yeastar.MostRefusalsPBX, yeastar.LoginState{})
	}
	w := &direct{
		pbx:  pbx{account: o.Account, name: o.URL.Host},
		root: (&url.URL{Scheme: o.URL.Scheme, Host: o.URL.Host, Path: o.URL.Path}).JoinPath(apiRoot),
		http: &http.Client{
			Transport:     yeastar.Exchange(o.Transport),
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		userAgent: o.UserAgent,
		timeout:   o.Timeout,
	}
	w.session = session{direct: w, clientID: o.ClientID, secret: o.Secret, hidden: o.Hidden, guard: o.Guard}
	return &Client{pbx: w.pbx, route: w}
}

// direct sends requests to the PBX itself, with the session's token in the query string.
type direct struct {
	pbx
	root      *url.URL
	http      *http.Client
	userAgent string
	timeout   time.Duration
	session   session
}

// get asks once, and once more with a new token if the PBX says that the token has expired.
// One time-out is for all of it.
func (w *direct) get(caller context.Context, p path, query url.Values, decode yeastar.Decoder) error {
	ctx, cancel := context.WithTimeout(caller, w.timeout)
	defer cancel()
	used, err := w.try(ctx, p, query, decode)
	if used != nil && tokenExpired(err) {
		w.session.drop(*used)
		_, err = w.try(ctx, p, query, decode)
	}
	if err != nil && caller.Err() != nil {
		return w.fail(yeastar.NotAsked, yeastar.Error{
			Endpoint: string(p), Class: yeastar.ClassOf(caller.Err()), Message: "given up while the PBX was to answer", Err: caller.Err(),
		})
	}
	return err
}

// try also returns the token that it used; none if there was none to be had.
func (w *direct) try(ctx context.Context, p path, query url.Values, decode yeastar.Decoder) (*token, error) {
	t, err := w.session.present(ctx)
	if err != nil {
		return nil, err
	}
	return &t, w.ask(ctx, string(p), t.access, query, decode)
}

// tokenExpired holds for 10004, and for a 401 without a code: the vendor does not say with which status 10004 comes.
func tokenExpired(err error) bool {
	var e *yeastar.Error
	return errors.As(err, &e) && (e.Code == codeTokenExpired || e.Code == 0 && e.HTTPStatus == http.StatusUnauthorized)
}

// ask sends a GET with the token.
func (w *direct) ask(ctx context.Context, endpoint string, access secret.Text, query url.Values, decode yeastar.Decoder) error {
	u := w.root.JoinPath(endpoint)
	signed := url.Values{"access_token": {access.Reveal()}}
	for k, v := range query {
		signed[k] = v
	}
	u.RawQuery = signed.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return w.unsendable(endpoint)
	}
	return w.send(req, endpoint, w.session.redactor(access), decode)
}

// post sends one of the two calls that give a token.
func (w *direct) post(ctx context.Context, endpoint string, body map[string]string, r yeastar.Redactor, decode yeastar.Decoder) error {
	content, err := json.Marshal(body)
	if err != nil {
		return w.unsendable(endpoint)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.root.JoinPath(endpoint).String(), bytes.NewReader(content))
	if err != nil {
		return w.unsendable(endpoint)
	}
	req.Header.Set("Content-Type", "application/json")
	return w.send(req, endpoint, r, decode)
}

// unsendable leaves out why, as the reason quotes the URL.
func (w *direct) unsendable(endpoint string) error {
	return w.fail(yeastar.NotAsked, yeastar.Error{
		Endpoint: endpoint, Class: yeastar.Invalid, Message: "the PBX's URL cannot be requested: correct it",
	})
}

// send does one exchange.
func (w *direct) send(req *http.Request, endpoint string, r yeastar.Redactor, decode yeastar.Decoder) error {
	req.Header.Set("User-Agent", w.userAgent)
	req.Header.Set("Accept", "application/json")
	resp, err := w.http.Do(req)
	if err != nil {
		return w.unanswered(endpoint, err, r)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, yeastar.MaxBody+1))
	if err != nil {
		return w.unanswered(endpoint, err, r)
	}
	if len(body) > yeastar.MaxBody {
		return w.fail(yeastar.NoAnswer, yeastar.Error{Endpoint: endpoint, Class: yeastar.Invalid, Message: "the answer is over 16 MiB"})
	}
	envelope, unread := decode(body)
	return w.check(endpoint, resp.StatusCode, envelope, unread, r)
}

// unanswered is the error of a request to which no whole answer came.
func (w *direct) unanswered(endpoint string, err error, r yeastar.Redactor) error {
	e := yeastar.Unanswered(err, w.timeout)
	e.Endpoint = endpoint
	r.Redact(e)
	return w.fail(yeastar.NoAnswer, *e)
}

func (w *direct) close(ctx context.Context) error {
	defer w.http.CloseIdleConnections()
	return w.session.close(ctx)
}
