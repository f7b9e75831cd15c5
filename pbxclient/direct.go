package pbxclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ycm-exporter/ycm_exporter/secret"
	"github.com/ycm-exporter/ycm_exporter/yeastar"
)

// maxBody bounds what is read of an answer.
const maxBody = 16 << 20

// Options describe a PBX that is spoken to directly.
type Options struct {
	Account   string
	URL       *url.URL      // e.g. https://pbx.example.com or https://pbx.example.com:8088
	ClientID  string        // from the PBX's API settings
	Secret    secret.Source // asked at each login
	Timeout   time.Duration // of one request, the login that it may need included; 0: 30 s
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
	w := &direct{
		pbx:  pbx{account: o.Account, name: o.URL.Host},
		root: (&url.URL{Scheme: o.URL.Scheme, Host: o.URL.Host, Path: o.URL.Path}).JoinPath(apiRoot),
		http: &http.Client{
			Transport:     o.Transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		userAgent: o.UserAgent,
		timeout:   o.Timeout,
	}
	w.session = session{way: w, clientID: o.ClientID, secret: o.Secret}
	return &Client{pbx: w.pbx, way: w}
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
func (w *direct) get(caller context.Context, p path, query url.Values) ([]byte, error) {
	ctx, cancel := context.WithTimeout(caller, w.timeout)
	defer cancel()
	body, used, err := w.try(ctx, p, query)
	if used != nil && tokenExpired(err) {
		w.session.drop(*used)
		body, _, err = w.try(ctx, p, query)
	}
	if err != nil && caller.Err() != nil {
		return nil, w.fail(yeastar.NotAsked, yeastar.Error{
			Endpoint: p.String(), Class: yeastar.ClassOf(caller.Err()), Err: caller.Err(),
		})
	}
	return body, err
}

// try also returns the token that it used; none if there was none to be had.
func (w *direct) try(ctx context.Context, p path, query url.Values) ([]byte, *token, error) {
	t, err := w.session.present(ctx)
	if err != nil {
		return nil, nil, err
	}
	body, err := w.ask(ctx, p.String(), t.access, query)
	return body, &t, err
}

// tokenExpired holds for 10004, and for a 401 without a code: the vendor does not say with which status 10004 comes.
func tokenExpired(err error) bool {
	var e *yeastar.Error
	return errors.As(err, &e) && (e.Code == codeTokenExpired || e.Code == 0 && e.HTTPStatus == http.StatusUnauthorized)
}

// ask sends a GET with the token.
func (w *direct) ask(ctx context.Context, endpoint string, access secret.Text, query url.Values) ([]byte, error) {
	u := w.root.JoinPath(endpoint)
	signed := url.Values{"access_token": {access.Reveal()}}
	for k, v := range query {
		signed[k] = v
	}
	u.RawQuery = signed.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, w.unsendable(endpoint)
	}
	return w.send(req, endpoint, w.session.mask(access))
}

// post sends one of the two calls that give a token.
func (w *direct) post(ctx context.Context, endpoint string, body map[string]string, m mask) ([]byte, error) {
	content, err := json.Marshal(body)
	if err != nil {
		return nil, w.unsendable(endpoint)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.root.JoinPath(endpoint).String(), bytes.NewReader(content))
	if err != nil {
		return nil, w.unsendable(endpoint)
	}
	req.Header.Set("Content-Type", "application/json")
	return w.send(req, endpoint, m)
}

// unsendable leaves out why, as the reason quotes the URL.
func (w *direct) unsendable(endpoint string) error {
	return w.fail(yeastar.NotAsked, yeastar.Error{
		Endpoint: endpoint, Class: yeastar.Invalid, Message: "the PBX's URL cannot be requested: correct it",
	})
}

// send does one exchange and returns the body of a success.
func (w *direct) send(req *http.Request, endpoint string, m mask) ([]byte, error) {
	req.Header.Set("User-Agent", w.userAgent)
	req.Header.Set("Accept", "application/json")
	resp, err := w.http.Do(req)
	if err != nil {
		return nil, w.unanswered(endpoint, err, m)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err != nil {
		return nil, w.unanswered(endpoint, err, m)
	}
	if len(body) > maxBody {
		return nil, w.fail(yeastar.NoAnswer, yeastar.Error{Endpoint: endpoint, Class: yeastar.Invalid, Message: "the answer is over 16 MiB"})
	}
	if err := w.check(endpoint, resp.StatusCode, body, m); err != nil {
		return nil, err
	}
	return body, nil
}

// unanswered keeps only the words of what went wrong on the wire. The error itself has the URL in it, and with the
// URL the token; its words may quote what the PBX sent.
func (w *direct) unanswered(endpoint string, err error, m mask) error {
	if inner := (*url.Error)(nil); errors.As(err, &inner) {
		err = inner.Err
	}
	words := strings.TrimPrefix(err.Error(), "net/http: HTTP/1.x transport connection broken: ")
	cause := yeastar.Error{Endpoint: endpoint, Class: yeastar.Network, Message: m.quote(raw(words), 200)}
	if timeout := net.Error(nil); errors.As(err, &timeout) && timeout.Timeout() {
		cause.Class, cause.Message = yeastar.Timeout, "no answer within "+w.timeout.String()
	}
	return w.fail(yeastar.NoAnswer, cause)
}

func (w *direct) close(ctx context.Context) error {
	defer w.http.CloseIdleConnections()
	return w.session.close(ctx)
}
